"""Smaller networks on disk: half-precision and int8 constants, and one int8 matrix for two uses."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["gather_then_widen", "share_embedding", "store_half", "store_int8"]

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


def gather_then_widen(path: Path) -> None:
    """Look rows of a narrow constant up before they are widened, not after; no number changes.

    onnxruntime widens whole constants when it loads a network, so that an embedding stored as int8
    or in half precision would lie in memory as floats.
    """
    model = onnx.load(str(path))
    graph = model.graph
    made_by = {name: node for node in graph.node for name in node.output}
    stored = {tensor.name for tensor in graph.initializer}
    nodes = list[onnx.NodeProto]()
    for node in graph.node:
        by_row = node.op_type == "Gather" and not any(axis.i for axis in node.attribute)
        wide = made_by.get(node.input[0]) if by_row else None
        cast = made_by.get(wide.input[0]) if wide is not None and wide.op_type == "Mul" else wide
        if wide is None or cast is None or cast.op_type != "Cast" or cast.input[0] not in stored:
            nodes.append(node)
            continue
        nodes += _gathered(node, cast, wide.input[1] if wide is not cast else None)
    used = {name for node in nodes for name in node.input} | {out.name for out in graph.output}
    del graph.node[:]
    graph.node.extend(node for node in nodes if used & set(node.output))
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _gathered(
    gather: onnx.NodeProto, cast: onnx.NodeProto, scales: str | None
) -> list[onnx.NodeProto]:
    """Return the nodes that look up, then widen; `scales` [rows, 1] is looked up as well."""
    indices, result = gather.input[1], gather.output[0]
    narrow, wide, own = (f"{result}_{part}" for part in ("narrow", "wide", "scales"))
    widened = helper.make_node(
        "Cast", [narrow], [result if scales is None else wide], to=TensorProto.FLOAT
    )
    nodes = [helper.make_node("Gather", [cast.input[0], indices], [narrow]), widened]
    if scales is not None:
        nodes += [
            helper.make_node("Gather", [scales, indices], [own]),
            helper.make_node("Mul", [wide, own], [result]),
        ]
    return nodes


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
