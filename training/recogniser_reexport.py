"""`python -m training recogniser_reexport`: networks of a bundle in their present form.

For changes of how a network is exported, not of what it has learned: weights, units, language
model and settings stay as they are.
"""

import argparse
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from edgeasr.bundle import Bundle, seal_bundle
from edgeasr.recogniser import Recogniser as Runtime
from training.models.recogniser import Dims, Recogniser
from training.recogniser_export import export_networks
from training.recogniser_shipped import read_embedding, read_shipped

__all__ = ["main"]


def main(argv: list[str]) -> int:
    """Write the named networks again and seal the bundle."""
    parser = argparse.ArgumentParser(prog="python -m training recogniser_reexport")
    parser.add_argument("--bundle", type=Path, default=Path("edgeasr/models/recogniser-en"))
    parser.add_argument("--networks", nargs="+", default=["memory", "decoder"],
                        help="the trigger's second stage is fitted to the others")  # fmt: skip
    options = parser.parse_args(argv)
    folder: Path = options.bundle
    manifest = Bundle(folder, kind="recogniser").manifest
    with TemporaryDirectory() as scratch:
        print("parity", export_networks(load_model(folder), Path(scratch), options.networks))
        for name in options.networks:
            shutil.copy(Path(scratch) / f"{name}.onnx", folder)
    seal_bundle(folder, kind="recogniser", files=list(manifest.files), settings=manifest.settings,
                features=manifest.features)  # fmt: skip
    Runtime(Bundle(folder, kind="recogniser"))
    return 0


def load_model(folder: Path) -> Recogniser:
    """Return the bundle's network in torch, ready to answer."""
    embedding, weights = read_embedding(folder), read_shipped(folder)
    ctc_units = len(weights["ctc.out.bias"])
    model = Recogniser(Dims(units=len(embedding), ctc_units=ctc_units))
    model.load_state_dict(weights, strict=False)
    model.decoder.token_embedding.weight.data = embedding
    torch.set_num_threads(1)
    return model.eval()
