"""Smaller networks answer what the large ones did."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra `train` is not installed")

import onnx
from onnx import TensorProto, helper, numpy_helper

from edgeasr.session import OnnxSession
from training.eight_bits import multiply_in_int8, store_int8
from training.shrink import gather_then_widen, store_half

ROWS, WIDTH = 300, 80


@pytest.fixture
def network(tmp_path):
    """An embedding and a matrix product, as float32."""
    rng = np.random.default_rng(4)
    table, matrix = rng.standard_normal((ROWS, WIDTH)), rng.standard_normal((WIDTH, 200))
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 200])
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "ids"], ["rows"]),
            helper.make_node("MatMul", ["rows", "matrix"], ["out"]),
        ],
        "embed", [ids], [out],
        [numpy_helper.from_array(value.astype(np.float32), name)
         for name, value in (("table", table), ("matrix", matrix))],
    )  # fmt: skip
    path = tmp_path / "net.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return path


@pytest.mark.parametrize("store", [store_int8, store_half])
def test_rows_are_looked_up_before_they_are_widened(network, store):
    store(network)
    inputs = {"ids": np.array([0, 7, ROWS - 1, 7], np.int64)}
    before = OnnxSession(network).run(inputs)["out"]
    gather_then_widen(network)
    assert np.array_equal(OnnxSession(network).run(inputs)["out"], before)
    graph = onnx.load(str(network)).graph
    stored = {tensor.name for tensor in graph.initializer}
    gathers = [node for node in graph.node if node.op_type == "Gather"]
    assert gathers
    assert all(node.input[0] in stored for node in gathers)
    assert len(OnnxSession(network).run(inputs)["out"]) == 4


def test_products_in_int8_are_near_those_in_float(tmp_path):
    rng = np.random.default_rng(5)
    weights = rng.standard_normal((200, WIDTH)).astype(np.float32)
    bias = rng.standard_normal(200).astype(np.float32)
    rows = helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["n", WIDTH])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 200])
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["rows", "weights", "bias"], ["out"], transB=1)],
        "product", [rows], [out],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(bias, "bias")],
    )  # fmt: skip
    path = tmp_path / "net.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    inputs = {"rows": rng.standard_normal((4, WIDTH)).astype(np.float32)}
    store_int8(path, smallest=1000)
    stored = OnnxSession(path).run(inputs)["out"]
    assert np.allclose(stored, inputs["rows"] @ weights.T + bias, atol=0.4)
    multiply_in_int8(path)
    found = OnnxSession(path).run(inputs)["out"]
    assert "MatMulInteger" in {node.op_type for node in onnx.load(str(path)).graph.node}
    assert np.abs(found - stored).mean() < 0.04 * np.abs(stored).mean()
    assert not np.array_equal(found, stored)
