"""float16 with float32 islands: what is converted, what stays, and that an overflow is seen and avoided."""

import numpy as np
import onnx
from onnx import ModelProto, TensorProto
from onnxruntime.transformers.float16 import convert_float_to_float16

from export.graph.contract import serialized
from export.graph.parity import Depth, noise, onnx_runner, relative_error
from export.precision.half import in_half_precision
from export.precision.rounding import rounding_as_half
from tests.export.small_graph import small_pixels_graph

PHOTOS = [noise((1, 64, 96)), noise((1, 96, 64))]
OVERFLOWING = 1e6  # the second layer gives some 1e6, the third brings it down again


def types_inside(model: ModelProto) -> dict[str, int]:
    """Type of what each node makes, by the node's name."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    types = {entry.name: entry.type.tensor_type.elem_type for entry in (*graph.value_info, *graph.output)}
    return {node.name: types[node.output[0]] for node in graph.node}


def run(model: ModelProto) -> Depth:
    return onnx_runner(serialized(model))(PHOTOS[0])


def test_weights_and_activations_are_half_input_and_output_are_not() -> None:
    half = in_half_precision(small_pixels_graph(), [], PHOTOS)
    assert half.graph.input[0].type.tensor_type.elem_type == TensorProto.UINT8
    assert half.graph.output[0].type.tensor_type.elem_type == TensorProto.FLOAT
    assert {tensor.data_type for tensor in half.graph.initializer if tensor.name.startswith("w")} == {
        TensorProto.FLOAT16
    }
    types = types_inside(half)
    assert types["second"] == types["product"] == types["last"] == TensorProto.FLOAT16
    assert types["normalise"] == types["weights"] == TensorProto.FLOAT  # pixels in front, and softmax


def test_the_error_is_that_of_rounding() -> None:
    half = in_half_precision(small_pixels_graph(), [], PHOTOS)
    expected = run(small_pixels_graph())
    assert 1e-5 < relative_error(run(rounding_as_half(half)), expected) < 3e-3
    assert relative_error(run(half), expected) < 3e-3


def test_nodes_that_the_row_names_stay_float32() -> None:
    assert types_inside(in_half_precision(small_pixels_graph(), [], PHOTOS))["sum"] == TensorProto.FLOAT16
    assert types_inside(in_half_precision(small_pixels_graph(), ["su"], PHOTOS))["sum"] == TensorProto.FLOAT


def test_what_would_overflow_stays_float32() -> None:
    expected = run(small_pixels_graph(OVERFLOWING))
    naive = convert_float_to_float16(small_pixels_graph(OVERFLOWING), keep_io_types=True)
    assert not np.isfinite(run(rounding_as_half(naive))).all()
    half = in_half_precision(small_pixels_graph(OVERFLOWING), [], PHOTOS)
    assert relative_error(run(rounding_as_half(half)), expected) < 3e-3
    types = types_inside(half)
    assert types["second"] == types["second_relu"] == TensorProto.FLOAT
    assert types["sum"] == TensorProto.FLOAT16
