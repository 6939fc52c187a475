"""The ONNX graph: its interface, what is left in it, and that it computes what PyTorch does at any size."""

from collections import Counter

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from export.errors import ParityError
from export.graph.contract import check_for_inference, normalisation, serialized
from export.graph.parity import compare, noise, onnx_runner, relative_error, sizes_to_compare
from export.graph.simplify import simplify
from export.graph.trace import OPSET, FromPixels, to_onnx
from export.variants.row import Variant


@pytest.mark.parametrize(
    "size",
    [
        (1, 256, 256),
        (3, 256, 256),
        (1, 160, 256),
        (3, 384, 224),
        (1, 32, 32),
        (1, 128, 1280),
        (1, 1280, 128),
        (2, 96, 64),
    ],
)
def test_parity_with_pytorch(size: tuple[int, int, int], onnx_bytes: bytes, pixels_network: FromPixels) -> None:
    pixels = noise(size)
    with torch.inference_mode():
        expected = pixels_network(torch.from_numpy(pixels)).numpy()
    depth = onnx_runner(onnx_bytes)(pixels)
    assert depth.shape == size
    assert relative_error(depth, expected) < 1e-5


def test_interface(onnx_bytes: bytes) -> None:
    model = onnx.load_model_from_string(onnx_bytes)
    onnx.checker.check_model(model, full_check=True)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", OPSET)]
    described = [
        (
            entry.name,
            entry.type.tensor_type.elem_type,
            [d.dim_param or d.dim_value for d in entry.type.tensor_type.shape.dim],
        )
        for entry in [*model.graph.input, *model.graph.output]
    ]
    assert described == [
        ("PIXELS", TensorProto.UINT8, ["batch", "height", "width", 3]),
        ("INVERSE_DEPTH", TensorProto.FLOAT, ["batch", "height", "width"]),
    ]


def test_the_graph_is_plain(onnx_bytes: bytes) -> None:
    operators = Counter(node.op_type for node in onnx.load_model_from_string(onnx_bytes).graph.node)
    assert set(operators) == {"Cast", "Mul", "Add", "Transpose", "Conv", "Clip", "Relu", "Resize", "Squeeze"}
    assert operators["Conv"] == 97
    assert operators["Resize"] == 5


def test_the_same_weights_give_the_same_bytes(onnx_bytes: bytes, pixels_network: FromPixels, small: Variant) -> None:
    assert serialized(to_onnx(pixels_network, side=small.resolution)) == onnx_bytes


def test_normalisation_is_the_formula() -> None:
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    pixels = np.arange(256, dtype=np.float64)[:, None]
    for value_range, factor in [(1.0, 1.0), (255.0, 255.0)]:
        scale, offset = normalisation(mean, std, value_range)
        expected = (pixels / 255 * factor - np.array(mean)) / np.array(std)
        assert np.allclose(pixels * scale + offset, expected, rtol=1e-6, atol=1e-6 * factor)


def test_a_fixed_size_is_declared() -> None:
    class Mean(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.mean(1)

    model = to_onnx(FromPixels(Mean(), (0.5,) * 3, (0.5,) * 3), side=64, fixed_size=True)
    dimensions = model.graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_param or d.dim_value for d in dimensions] == ["batch", 64, 64, 3]


def test_parity_is_refused_with_the_figure_and_the_size() -> None:
    sizes = sizes_to_compare(64, any_aspect=True)
    assert sizes == [(1, 64, 64), (3, 64, 64), (1, 32, 64), (3, 32, 64)]

    def off_in_the_last_slot(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        depth = pixels[..., 0].astype(np.float32)
        depth[2:] *= 1.01
        return depth

    with pytest.raises(ParityError, match=r"by 1.0e-02 at batch 3, 64x64 \(allowed: below 1e-04\)"):
        compare(off_in_the_last_slot, lambda pixels: pixels[..., 0].astype(np.float32), sizes)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_what_is_not_finite_is_never_at_parity(broken: float) -> None:
    depth = np.ones((2, 4, 4), np.float32)
    depth[1, 0, 0] = broken
    assert relative_error(depth, np.ones((2, 4, 4), np.float32)) == float("inf")
    assert relative_error(depth[:1], depth) == float("inf")


def test_training_leftovers_are_refused() -> None:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Dropout", ["x"], ["y"])], "g", [value], [out])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    with pytest.raises(onnx.checker.ValidationError, match="Dropout"):
        check_for_inference(model)


PADDED = """
<ir_version: 8, opset_import: ["": 17]>
padded (float[1, 1, 4, 4] x) => (float[1, 1, h, w] y) <float[1, 1, 3, 3] weight, int64[8] amounts>
{
    two = Constant <value: tensor = int64[1] {1}> ()
    one = Constant <value: tensor = int64[1] {1}> ()
    same = Mul (two, one)
    unused = Add (two, one)
    wider = Mul (amounts, same)
    p = Pad <mode = "MODE"> (x, wider)
    y = Conv <strides = [2, 2], pads = [1, 0, 0, 0]> (p, weight)
}
"""


def run_under_onnxruntime(model: onnx.ModelProto, x: NDArray[np.float32]) -> NDArray[np.float32]:
    session = ort.InferenceSession(serialized(model), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x})[0])


@pytest.mark.parametrize(
    ("mode", "amounts", "moves"),
    [
        ("constant", [0, 0, 0, 0, 0, 0, 1, 1], True),
        ("constant", [0, 0, 1, 1, 0, 0, 2, 2], True),
        ("edge", [0, 0, 0, 0, 0, 0, 1, 1], False),
        ("constant", [0, 0, -1, 0, 0, 0, 1, 1], False),
    ],
)
def test_simplify_keeps_the_function(mode: str, amounts: list[int], moves: bool) -> None:
    model = onnx.parser.parse_model(PADDED.replace("MODE", mode))
    random = np.random.RandomState(0)
    for tensor in [
        numpy_helper.from_array(random.rand(1, 1, 3, 3).astype(np.float32), "weight"),
        numpy_helper.from_array(np.array(amounts), "amounts"),
    ]:
        model.graph.initializer.append(tensor)
    x = random.rand(1, 1, 4, 4).astype(np.float32)
    before = run_under_onnxruntime(model, x)
    simplify(model)
    onnx.checker.check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node] == (["Conv"] if moves else ["Pad", "Conv"])
    assert np.allclose(run_under_onnxruntime(model, x), before, rtol=1e-6)
