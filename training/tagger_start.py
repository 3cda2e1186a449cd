"""The weights of an exported tagger, to go on from: no checkpoint is needed to train it further."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from training.models.tagger import TaggerNet

__all__ = ["start_from"]

_NAMED = (
    "words.weight", "letters.weight", "convolution.weight", "convolution.bias",
    "intent_head.weight", "intent_head.bias", "label_head.0.bias", "label_head.3.bias",
)  # fmt: skip


def start_from(net: TaggerNet, path: Path) -> None:
    """Copy the weights of the network at `path` (ONNX) into `net`.

    Inputs of the first layer that `net` has beyond it start at zero. Raises ValueError when a
    size differs otherwise.
    """
    graph = onnx.load(str(path)).graph
    stored = {t.name.removesuffix("_half"): numpy_helper.to_array(t) for t in graph.initializer}
    products = [n.input[1] for n in graph.node if n.op_type == "MatMul"]
    layers = [n.input[1:4] for n in graph.node if n.op_type == "LSTM"]
    found = {name: stored[name] for name in _NAMED}
    found["label_head.0.weight"], found["label_head.3.weight"] = (
        stored[name].T for name in products
    )
    for index, (inputs, hidden, biases) in enumerate(layers):
        for way, suffix in enumerate(("", "_reverse")[: len(stored[inputs])]):
            tail = f"l{index}{suffix}"
            found[f"recurrent.weight_ih_{tail}"] = _gates(stored[inputs][way])
            found[f"recurrent.weight_hh_{tail}"] = _gates(stored[hidden][way])
            of_inputs, of_hidden = np.split(stored[biases][way], 2)
            found[f"recurrent.bias_ih_{tail}"] = _gates(of_inputs)
            found[f"recurrent.bias_hh_{tail}"] = _gates(of_hidden)
    _copy(net, found, path)


def _gates(rows: Any) -> Any:  # noqa: ANN401 - float [4 hidden, ...]
    """Return the gates in torch's order i, f, g, o; ONNX has i, o, f, g."""
    i, o, f, g = np.split(rows, 4)
    return np.concatenate([i, f, g, o])


def _copy(net: TaggerNet, found: dict[str, Any], path: Path) -> None:
    own = dict(net.named_parameters())
    for name, values in found.items():
        given = torch.from_numpy(np.array(values, np.float32))
        target = own[name].data
        if name.startswith("recurrent.weight_ih_l0"):
            target.zero_()
            target = target[:, : given.shape[1]]
        if target.shape != given.shape:
            raise ValueError(f"{path}: {name} is {list(given.shape)}, not {list(target.shape)}")
        target.copy_(given)
