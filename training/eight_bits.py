"""Matrices as int8 with scales: stored, widened on loading, or multiplied as they are."""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

__all__ = ["multiply_in_int8", "round_int8", "store_int8"]


def store_int8(path: Path, *, smallest: int = 50_000) -> None:
    """Store float matrices of `smallest` values or more as scaled int8; widened on loading.

    A scale for each output of a convolution, each row of an embedding, GRU or LSTM.
    """
    model = onnx.load(str(path))
    graph = model.graph
    used_by = {name: node.op_type for node in graph.node for name in node.input}
    widened = []
    for tensor in list(graph.initializer):
        values, name = numpy_helper.to_array(tensor), tensor.name
        if values.dtype != np.float32 or values.ndim < 2 or values.size < smallest:
            continue
        rounded, scales = _storage(values, used_by.get(name, ""))
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(rounded, f"{name}_int8"))
        graph.initializer.append(numpy_helper.from_array(scales, f"{name}_scales"))
        widened += [
            helper.make_node("Cast", [f"{name}_int8"], [f"{name}_float"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{name}_float", f"{name}_scales"], [name]),
        ]
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*widened, *nodes])
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _storage(
    values: NDArray[np.float32], user: str
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return int8 and scales as `user`, the node that reads the values, asks for.

    The exporter turns some matrices of products over; the axis with less error is the one that
    they came from.
    """
    axes: list[tuple[int, ...]] = [(-1,)]
    if user == "Conv":
        axes = [tuple(range(1, values.ndim))]
    elif user not in ("Gather", "GRU", "LSTM"):
        axes.append((-2,))
    found = [round_int8(values, axis) for axis in axes]
    return min(found, key=lambda pair: float(np.abs(pair[0] * pair[1] - values).sum()))


def round_int8(
    values: NDArray[np.float32], axes: tuple[int, ...] = (-1,)
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return int8 values and float32 scales, one for all that differ in `axes` only."""
    scales = np.abs(values).max(axis=axes, keepdims=True).astype(np.float32) / 127
    scales = np.maximum(scales, 1e-12).astype(np.float32)
    return np.rint(values / scales).astype(np.int8), scales


def multiply_in_int8(path: Path) -> None:
    """Let products with int8 constants run in int8, their inputs rounded by the largest value.

    A step of a decoder is bound by the reading of its weights: a quarter of the bytes. For `Gemm`
    with turned weights, whose scales belong to its outputs.
    """
    model = onnx.load(str(path))
    graph = model.graph
    made_by = {name: node for node in graph.node for name in node.output}
    nodes = list[onnx.NodeProto]()
    for node in graph.node:
        turned = node.op_type == "Gemm" and any(a.name == "transB" and a.i for a in node.attribute)
        wide = made_by.get(node.input[1]) if turned else None
        if wide is None or wide.op_type != "Mul":
            nodes.append(node)
            continue
        narrow = made_by[wide.input[0]].input[0]
        nodes += _integer_product(node, narrow, wide.input[1])
    used = {name for node in nodes for name in node.input} | {out.name for out in graph.output}
    del graph.node[:]
    graph.node.extend(node for node in nodes if used & set(node.output))
    graph.initializer.append(numpy_helper.from_array(np.array([-1], np.int64), "int8_flat"))
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _integer_product(gemm: onnx.NodeProto, narrow: str, scales: str) -> list[onnx.NodeProto]:
    """Return the nodes of `gemm` with int8 weights `narrow` [out, in], `scales` [out, 1]."""
    left, _, bias = gemm.input
    result, make = gemm.output[0], helper.make_node
    names = ("rounded", "scale", "zero", "turned", "row", "sums", "float", "both", "scaled")
    rounded, scale, zero, turned, row, sums, wide, both, scaled = (f"{result}_{n}" for n in names)
    return [
        make("DynamicQuantizeLinear", [left], [rounded, scale, zero]),
        make("Transpose", [narrow], [turned], perm=[1, 0]),
        make("Reshape", [scales, "int8_flat"], [row]),
        make("MatMulInteger", [rounded, turned, zero], [sums]),
        make("Cast", [sums], [wide], to=TensorProto.FLOAT),
        make("Mul", [scale, row], [both]),
        make("Mul", [wide, both], [scaled]),
        make("Add", [scaled, bias], [result]),
    ]
