"""Smaller networks on disk: half-precision and 4-bit constants, one matrix for two uses."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from training.four_bits import BLOCK, pack_four_bits

__all__ = ["gather_then_widen", "pack_embedding", "store_half"]

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


def pack_embedding(path: Path, *, embedding: str, output: str) -> None:
    """Keep one 4-bit matrix for the embedding and for the output product, which it is tied to.

    `embedding` is the float matrix [units, width] of one Gather, `output` its transpose in one
    MatMul. Raises ValueError when there is no such pair.
    """
    model = onnx.load(str(path))
    graph = model.graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    gather = _only_user(graph, embedding, "Gather")
    product = _only_user(graph, output, "MatMul")
    matrix = numpy_helper.to_array(tensors[embedding])
    codes, scales = pack_four_bits(matrix)
    for name in (embedding, output):
        graph.initializer.remove(tensors[name])
    graph.initializer.extend(
        numpy_helper.from_array(value, name)
        for name, value in (
            ("units_codes", codes),
            ("units_scales_half", scales.astype(np.float16)),
            ("units_sixteen", np.array(16, np.float32)),
            ("units_zero", np.array(8, np.float32)),
            ("units_last", np.array([-1], np.int64)),
            ("units_blocks", np.array([0, 0, scales.shape[1], BLOCK], np.int64)),
            ("units_row", np.array([0, 0, -1], np.int64)),
        )
    )
    replaced = {
        id(gather): _unpacked(gather.input[1], gather.output[0]),
        id(product): [_multiplied(product.input[0], product.output[0], matrix.shape)],
    }
    widen = helper.make_node("Cast", ["units_scales_half"], ["units_scales"], to=TensorProto.FLOAT)
    nodes = [widen]
    for node in graph.node:
        nodes += replaced.get(id(node), [node])
    kept = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(kept)
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, str(path))


def _only_user(graph: onnx.GraphProto, name: str, kind: str) -> onnx.NodeProto:
    users = [node for node in graph.node if name in node.input]
    if len(users) != 1 or users[0].op_type != kind:
        raise ValueError(f"{name} is not used by one {kind} alone")
    user: onnx.NodeProto = users[0]
    return user


def _multiplied(states: str, result: str, shape: tuple[int, int]) -> onnx.NodeProto:
    node: onnx.NodeProto = helper.make_node(
        "MatMulNBits", [states, "units_codes", "units_scales"], [result], domain="com.microsoft",
        K=shape[1], N=shape[0], bits=4, block_size=BLOCK, accuracy_level=4,
    )  # fmt: skip
    return node


def _unpacked(indices: str, result: str) -> list[onnx.NodeProto]:
    """Return nodes that widen the looked-up rows: both halves of each byte, side by side."""
    make = helper.make_node
    return [
        make("Gather", ["units_codes", indices], ["units_bytes"]),
        make("Cast", ["units_bytes"], ["units_byte_values"], to=TensorProto.FLOAT),
        make("Div", ["units_byte_values", "units_sixteen"], ["units_parts"]),
        make("Floor", ["units_parts"], ["units_high"]),
        make("Mul", ["units_high", "units_sixteen"], ["units_high_part"]),
        make("Sub", ["units_byte_values", "units_high_part"], ["units_low"]),
        make("Unsqueeze", ["units_low", "units_last"], ["units_low_column"]),
        make("Unsqueeze", ["units_high", "units_last"], ["units_high_column"]),
        make("Concat", ["units_low_column", "units_high_column"], ["units_pairs"], axis=-1),
        make("Reshape", ["units_pairs", "units_blocks"], ["units_unsigned"]),
        make("Sub", ["units_unsigned", "units_zero"], ["units_signed"]),
        make("Gather", ["units_scales", indices], ["units_own_scales"]),
        make("Unsqueeze", ["units_own_scales", "units_last"], ["units_scale_column"]),
        make("Mul", ["units_signed", "units_scale_column"], ["units_values"]),
        make("Reshape", ["units_values", "units_row"], [result]),
    ]
