"""`python -m training recogniser_reexport`: networks of a bundle in their present form.

For changes of how a network is exported, not of what it has learned: weights, units, language
model and settings stay as they are, but for the frames that chunks see ahead, where given. A
trigger whose second look was fitted to the bundle goes on with the new form, if that hears the
package's recordings exactly as the old one did.
"""

import argparse
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray

from edgeasr.bundle import Bundle, seal_bundle
from edgeasr.features import Frames, LogMel
from edgeasr.recogniser import Recogniser as Runtime
from edgeasr.recordings import bundled_recordings
from edgeasr.sources import read_audio
from training.models.recogniser import Dims, Recogniser
from training.recogniser_export import export_networks
from training.recogniser_shipped import read_embedding, read_shipped

__all__ = ["adopt", "heard", "main"]


def main(argv: list[str]) -> int:
    """Write the named networks again and seal the bundle."""
    parser = argparse.ArgumentParser(prog="python -m training recogniser_reexport")
    parser.add_argument("--bundle", type=Path, default=Path("edgeasr/models/recogniser-en"))
    parser.add_argument("--networks", nargs="*", default=["memory", "decoder"])
    parser.add_argument("--ahead-frames", type=int, help="of 20 ms, that a chunk sees ahead")
    parser.add_argument("--trigger", type=Path, default=Path("edgeasr/models/wake"))
    options = parser.parse_args(argv)
    folder: Path = options.bundle
    bundle = Bundle(folder, kind="recogniser")
    before, manifest = Runtime(bundle), bundle.manifest
    with TemporaryDirectory() as scratch:
        print("parity", export_networks(load_model(folder), Path(scratch), options.networks))
        for name in options.networks:
            shutil.copy(Path(scratch) / f"{name}.onnx", folder)
    settings = dict(manifest.settings)
    if options.ahead_frames is not None:
        settings["ahead_frames"] = options.ahead_frames
    seal_bundle(folder, kind="recogniser", files=list(manifest.files), settings=settings,
                features=manifest.features)  # fmt: skip
    adopt(options.trigger, before, Runtime(Bundle(folder, kind="recogniser")))
    return 0


def adopt(trigger: Path, before: Runtime, after: Runtime) -> None:
    """Let the second look of `trigger`, if it was fitted to `before`, trust `after`.

    Where the two hear anything differently, the trigger stays as it is: `wake_second` fits it.
    """
    manifest = Bundle(trigger, kind="wake").manifest
    if after.digest == before.digest or manifest.settings.get("verified_with") != before.digest:
        return
    for path in bundled_recordings():
        log_mel = LogMel()(read_audio(path))
        if not np.array_equal(heard(before, log_mel), heard(after, log_mel)):
            print(f"{path.name} is heard differently: run python -m training wake_second")
            return
    settings = {**manifest.settings, "verified_with": after.digest}
    seal_bundle(trigger, kind="wake", files=list(manifest.files), settings=settings,
                features=manifest.features)  # fmt: skip


def heard(runtime: Runtime, log_mel: Frames) -> NDArray[np.float32]:
    """Return CTC log P [steps, units] of a stream that ends after `log_mel`."""
    stream = runtime.stream().encoder
    return np.concatenate([*stream.push(log_mel), *stream.rest()[1]])


def load_model(folder: Path) -> Recogniser:
    """Return the bundle's network in torch, ready to answer."""
    embedding, weights = read_embedding(folder), read_shipped(folder)
    ctc_units = len(weights["ctc.out.bias"])
    model = Recogniser(Dims(units=len(embedding), ctc_units=ctc_units))
    model.load_state_dict(weights, strict=False)
    model.decoder.token_embedding.weight.data = embedding
    torch.set_num_threads(1)
    return model.eval()
