"""Static int8: which layers it takes, with which scales, and how far the result is from float32."""

import pytest
from onnx import ModelProto, TensorProto, numpy_helper

from export.graph.contract import serialized
from export.graph.parity import noise, onnx_runner, relative_error
from export.precision.int8 import quantized
from tests.export.small_graph import small_pixels_graph

PHOTOS = [noise((1, 64, 96)), noise((1, 96, 64))]


@pytest.fixture(scope="module")
def in_int8() -> ModelProto:
    return quantized(small_pixels_graph(), [], PHOTOS)


def products_in_int8(model: ModelProto) -> set[str]:
    """Names of the products whose weights come out of an int8 tensor."""
    made_by = {name: node for node in model.graph.node for name in node.output}
    int8 = {tensor.name for tensor in model.graph.initializer if tensor.data_type == TensorProto.INT8}
    return {
        node.name
        for node in model.graph.node
        if node.op_type in ("Conv", "MatMul") and node.input[1] in made_by and made_by[node.input[1]].input[0] in int8
    }


def test_products_inside_are_int8_the_first_and_the_last_are_not(in_int8: ModelProto) -> None:
    assert products_in_int8(in_int8) == {"second", "last_but_one", "product"}
    assert products_in_int8(quantized(small_pixels_graph(), ["secon", "product"], PHOTOS)) == {"last_but_one"}


def test_weights_have_a_scale_for_each_channel_activations_one(in_int8: ModelProto) -> None:
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in in_int8.graph.initializer}
    sizes = {name: array.size for name, array in arrays.items() if name.endswith("_scale")}
    assert {name: sizes[f"{name}_scale"] for name in ("w2", "w3", "w4")} == {"w2": 8, "w3": 8, "w4": 8}
    assert {sizes[name] for name in sizes if name[0] not in "wb"} == {1}
    assert {str(arrays[name].dtype) for name in arrays if name.endswith("_zero_point")} >= {"int8", "uint8"}


def test_input_and_output_are_unchanged_and_the_result_is_near(in_int8: ModelProto) -> None:
    expected, run = onnx_runner(serialized(small_pixels_graph())), onnx_runner(serialized(in_int8))
    assert in_int8.graph.input[0].type.tensor_type.elem_type == TensorProto.UINT8
    assert in_int8.graph.output[0].type.tensor_type.elem_type == TensorProto.FLOAT
    for size in [(1, 64, 96), (3, 32, 32)]:
        pixels = noise(size)
        assert 1e-4 < relative_error(run(pixels), expected(pixels)) < 5e-2


def test_the_same_photos_give_the_same_bytes(in_int8: ModelProto) -> None:
    assert serialized(quantized(small_pixels_graph(), [], PHOTOS)) == serialized(in_int8)
