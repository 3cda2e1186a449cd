"""The shipped bundle's weights as torch tensors, so that training can go on from them.

Matrix products lose their parameters' names in an export but keep their order, which is the order
of `forward`; everything else is found by name.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor

from training.four_bits import widen_four_bits

__all__ = ["read_embedding", "read_shipped"]

Arrays = dict[str, NDArray[np.float32]]

_LAYERS = range(4)
_MATRICES = {
    "encoder": [
        f"encoder.blocks.{n}.{name}"
        for n in _LAYERS
        for name in ("attn.query_key_value", "attn.out", "mlp.0", "mlp.2")
    ],
    "ctc": ["ctc.merge", "ctc.out"],
    "memory": [f"decoder.blocks.{n}.cross_attn.key_value" for n in _LAYERS],
    "decoder": [
        f"decoder.blocks.{n}.{name}"
        for n in _LAYERS
        for name in ("attn.query_key_value", "attn.out", "cross_attn.query", "cross_attn.out",
                     "mlp.0", "mlp.2")
    ],
}  # fmt: skip


def read_shipped(folder: Path) -> dict[str, Tensor]:
    """Return float32 tensors by the names of `training.models.recogniser.Recogniser`.

    The decoder's embedding is left out: it is Whisper's own and depends on the units. Raises
    ValueError when a network is not of the expected shape.
    """
    found: Arrays = {}
    for network in ("subsample", "encoder", "ctc", "memory", "decoder"):
        graph = onnx.load(str(folder / f"{network}.onnx")).graph
        arrays = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        found |= _named(arrays)
        found |= _matrices(graph, arrays, _MATRICES.get(network, []))
        if network == "ctc":
            found |= _gru(graph, arrays)
    return {
        _full_name(name): torch.from_numpy(np.array(value, np.float32))
        for name, value in found.items()
    }


def read_embedding(folder: Path) -> Tensor:
    """Return the decoder's embedding as it is multiplied, float32 [units, width]."""
    graph = onnx.load(str(folder / "decoder.onnx")).graph
    arrays = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    scales = arrays["units_scales_half"].astype(np.float32)
    return torch.from_numpy(widen_four_bits(arrays["units_codes"], scales))


def _full_name(name: str) -> str:
    return f"encoder.{name}" if name.startswith("conv") else name


def _named(arrays: Arrays) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield what kept its name: vectors as they are, halves and scaled rows widened."""
    for name, value in arrays.items():
        if name.startswith(("onnx::", "out_")) or "." not in name:
            continue
        if name.endswith("_half"):
            yield name.removesuffix("_half"), value.astype(np.float32)
        elif name.endswith("_int8"):
            stem = name.removesuffix("_int8")
            yield stem, value * arrays[f"{stem}_scales"]
        elif not name.endswith("_scales"):
            yield name, value


def _matrices(
    graph: onnx.GraphProto, arrays: Arrays, names: list[str]
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the weights of int8 products with `names`, in the order of the graph."""
    products = [node.input[1] for node in graph.node if node.op_type == "MatMulInteger"]
    if len(products) < len(names):
        raise ValueError(f"{len(products)} int8 products, expected {len(names)}: {graph.name}")
    for name, quantized in zip(names, products, strict=False):
        scale = arrays[quantized.removesuffix("_quantized") + "_scale"]
        yield f"{name}.weight", (arrays[quantized] * scale).T


def _gru(graph: onnx.GraphProto, arrays: Arrays) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the GRU's weights; ONNX has the gates as update, reset, new; torch reset first."""
    node = next(node for node in graph.node if node.op_type == "GRU")
    inner, recurrent = (
        (arrays[f"{name}_int8"] * arrays[f"{name}_scales"])[0] for name in node.input[1:3]
    )
    biases = np.split(arrays[node.input[3]][0], 2)
    values = {"weight_ih": inner, "weight_hh": recurrent, "bias_ih": biases[0],
              "bias_hh": biases[1]}  # fmt: skip
    for name, value in values.items():
        update, reset, new = np.split(value, 3)
        yield f"ctc.gru.{name}_l0", np.concatenate([reset, update, new])
