"""Weights of a shipped translator bundle, read back, so that training can go on from them."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor

__all__ = ["bundle_languages", "bundle_pieces", "bundle_weights"]

Values = NDArray[np.float32]
_PREFIX = "net."


def bundle_weights(folder: Path) -> dict[str, Tensor]:
    """Return the state dict of the `TranslatorNet` that was exported to `folder`.

    Matrices come back as int8 storage kept them. Raises FileNotFoundError.
    """
    weights: dict[str, Tensor] = {}
    for name in ("encoder.onnx", "decoder.onnx"):
        graph = onnx.load(str(folder / name)).graph
        stored = _initialisers(graph)
        for key, values in stored.items():
            if key.startswith(_PREFIX):
                weights[key.removeprefix(_PREFIX)] = torch.from_numpy(values)
        for node in graph.node:
            module = re.match(r"/(\w+)/", node.output[0])
            if module is None:
                continue
            if node.op_type == "GRU":
                weights.update(_gru(module[1], [stored[key] for key in node.input[1:4]]))
            elif node.op_type == "MatMul" and node.input[1] in stored:
                turned = np.ascontiguousarray(stored[node.input[1]].T)
                weights[f"{module[1]}.weight"] = torch.from_numpy(turned)
    return weights


def bundle_pieces(folder: Path, pieces: Path) -> None:
    """Copy the sub-word models of a bundle to `pieces` where they are lacking."""
    pieces.mkdir(parents=True, exist_ok=True)
    for side, language in zip(("source", "target"), bundle_languages(folder), strict=True):
        path = pieces / f"{language}.{side}.model"
        if not path.is_file():
            shutil.copyfile(folder / f"{side}.model", path)


def bundle_languages(folder: Path) -> tuple[str, str]:
    """Return the language that a bundle reads and the one it writes."""
    settings = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))["settings"]
    return settings["source_language"], settings["target_language"]


def _initialisers(graph: onnx.GraphProto) -> dict[str, Values]:
    """Return the float32 tensors by name; int8 ones are multiplied by their scale."""
    raw = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    found = {}
    for name, values in raw.items():
        if values.dtype == np.int8:
            whole = name.removesuffix("_int8")
            found[whole] = (values * raw[f"{whole}_scales"]).astype(np.float32)
        elif not name.endswith("_scales"):
            found[name] = np.array(values, np.float32)
    return found


def _gru(name: str, stored: list[Values]) -> dict[str, Tensor]:
    """Return torch's tensors of a GRU; ONNX orders its gates update, reset, new."""
    inputs, recurrent, biases = stored
    found = {}
    for direction, suffix in zip(range(len(inputs)), ("", "_reverse"), strict=False):
        bias_input, bias_recurrent = np.split(biases[direction], 2)
        for kind, values in (
            ("weight_ih", inputs[direction]), ("weight_hh", recurrent[direction]),
            ("bias_ih", bias_input), ("bias_hh", bias_recurrent),
        ):  # fmt: skip
            update, reset, new = np.split(values, 3)
            found[f"{name}.{kind}_l0{suffix}"] = torch.from_numpy(
                np.concatenate([reset, update, new])
            )
    return found
