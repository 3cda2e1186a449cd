"""Smaller networks on disk: half-precision and int8 constants, and one int8 matrix for two uses."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["share_embedding", "store_half", "store_int8"]

_WORTH = 20_000  # bytes


def store_half(path: Path) -> None:
    """Store large float constants in half precision; onnxruntime widens them when it loads."""
    model = onnx.load(str(path))
    graph = model.graph
    casts = []
    for tensor in list(graph.initializer):
        if tensor.data_type != TensorProto.FLOAT or len(tensor.raw_data) < _WORTH:
            continue
        half = numpy_helper.from_array(
            numpy_helper.to_array(tensor).astype(np.float16), f"{tensor.name}_half"
        )
        casts.append(helper.make_node("Cast", [half.name], [tensor.name], to=TensorProto.FLOAT))
        graph.initializer.remove(tensor)
        graph.initializer.append(half)
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*casts, *nodes])
    onnx.save(model, str(path))


def store_int8(path: Path) -> None:
    """Store large float matrices as int8, scaled by output row; they are widened on loading.

    For what onnxruntime has no int8 kernel for: convolutions (rows first) and GRUs (rows second).
    """
    model = onnx.load(str(path))
    graph = model.graph
    widened = []
    for tensor in list(graph.initializer):
        if tensor.data_type != TensorProto.FLOAT or len(tensor.raw_data) < 10 * _WORTH:
            continue
        values, name = numpy_helper.to_array(tensor), tensor.name
        within = tuple(range(2 if values.shape[0] == 1 else 1, values.ndim))
        scale = np.abs(values).max(axis=within, keepdims=True).astype(np.float32) / 127
        rounded = np.rint(values / np.maximum(scale, 1e-12)).astype(np.int8)
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(rounded, f"{name}_int8"))
        graph.initializer.append(numpy_helper.from_array(scale, f"{name}_scales"))
        widened += [
            helper.make_node("Cast", [f"{name}_int8"], [f"{name}_float"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{name}_float", f"{name}_scales"], [name]),
        ]
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*widened, *nodes])
    onnx.save(model, str(path))


def share_embedding(path: Path, *, embedding: str) -> None:
    """Look embeddings up in the columns of the int8 output matrix, which holds the same numbers.

    `embedding` is the float matrix [units, width] of the one Gather that it replaces; the output
    matrix is found by its shape [width, units]. Raises ValueError when there is no such pair.
    """
    model = onnx.load(str(path))
    graph = model.graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    units, width = tensors[embedding].dims
    gather = next(node for node in graph.node if embedding in node.input)
    outputs = [t.name for t in graph.initializer
               if t.data_type == TensorProto.INT8 and list(t.dims) == [width, units]]  # fmt: skip
    if gather.op_type != "Gather" or len(outputs) != 1:
        raise ValueError(f"{path}: no int8 matrix [{width}, {units}] beside one Gather")
    stem = outputs[0].removesuffix("_quantized")
    indices, result = gather.input[1], gather.output[0]
    new = [
        helper.make_node("Gather", [outputs[0], indices], ["rows_int8"], axis=1),
        helper.make_node("Cast", ["rows_int8"], ["rows_float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["rows_float"], ["rows"], perm=[1, 2, 0]),
        helper.make_node("Gather", [f"{stem}_scale", indices], ["row_scales"]),
        helper.make_node("Unsqueeze", ["row_scales", "last_axis"], ["row_scales_last"]),
        helper.make_node("Mul", ["rows", "row_scales_last"], [result]),
    ]
    at = list(graph.node).index(gather)
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes[:at], *new, *nodes[at + 1 :]])
    graph.initializer.remove(tensors[embedding])
    graph.initializer.append(numpy_helper.from_array(np.array([-1], np.int64), "last_axis"))
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
