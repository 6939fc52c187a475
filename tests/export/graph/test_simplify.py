"""What is folded at export: everything that follows from constants, unless the file would grow for it."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from export.graph.simplify import simplify

LARGE = 1500  # squared, more elements than a folded tensor may have if it is larger than what it is made of


def model(nodes: list[onnx.NodeProto], constants: dict[str, NDArray[Any]]) -> ModelProto:
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [LARGE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def test_a_large_weight_that_is_only_scaled_is_folded() -> None:
    weight = np.ones((LARGE, LARGE), np.float32)
    scaled = model(
        [helper.make_node("Mul", ["weight", "two"], ["w"]), helper.make_node("MatMul", ["x", "w"], ["y"])],
        {"weight": weight, "two": np.array([2.0], np.float32)},
    )
    simplify(scaled)
    assert [node.op_type for node in scaled.graph.node] == ["MatMul"]
    (folded,) = scaled.graph.initializer
    assert np.array_equal(numpy_helper.to_array(folded), 2 * weight)


def test_a_table_that_would_grow_is_left_to_the_runtime() -> None:
    table = np.arange(30, dtype=np.float32).reshape(3, 10)
    index = np.arange(LARGE * LARGE).reshape(LARGE, LARGE).astype(np.int32) % 10
    gathered = model(
        [
            helper.make_node("Neg", ["table"], ["negative"]),
            helper.make_node("Gather", ["negative", "index"], ["w"], axis=1),
            helper.make_node("MatMul", ["x", "w"], ["y"]),
        ],
        {"table": table, "index": index},
    )
    x = np.zeros(LARGE, np.float32)
    x[3] = 1
    (expected,) = ReferenceEvaluator(gathered).run(None, {"x": x})
    simplify(gathered)
    assert {tensor.name: list(tensor.dims) for tensor in gathered.graph.initializer} == {
        "index": [LARGE, LARGE],
        "negative": [3, 10],
    }
    (y,) = ReferenceEvaluator(gathered).run(None, {"x": x})
    assert np.array_equal(y, expected)
