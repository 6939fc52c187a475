"""What each build of Depth Anything costs, alone and in a batch, against the bounds of trained weights.

`-s` shows the figures. `vits` takes minutes, and `vitl` an hour and 9 GB.
"""

from dataclasses import dataclass
from pathlib import Path

import onnx
import pytest
import torch
from onnx import ModelProto, TensorProto

from export.graph.contract import serialized
from export.graph.parity import BOUND, Depth, onnx_runner
from export.graph.trace import FromPixels, to_onnx
from export.networks import build
from export.precision.half import in_half_precision
from export.precision.int8 import quantized
from export.precision.photos import Photos, photos_for
from export.precision.rounding import rounding_as_half
from export.targets.builds import Precision
from export.targets.openvino import openvino_runner, to_openvino
from export.targets.verdict import BOUNDS, error_on
from export.variants import VARIANTS
from export.variants.row import Variant
from export.weights.untrained import fill_untrained

pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Case:
    """Attributes:
    row: the variant.
    file: its graph in float32.
    photos: those that calibrate and those that judge.
    expected: what PyTorch gives for those that judge.
    """

    row: Variant
    file: Path
    photos: Photos
    expected: list[Depth]

    def onnx_error(self, model: ModelProto) -> float:
        """Of the worst photo and the worst slot of a batch; of two photos where the row serves one at a time."""
        file = self.file.with_name("build.onnx")
        file.write_bytes(serialized(model))  # ONNX Runtime takes half as much memory for a file
        return error_on(self.photos.judging, onnx_runner(str(file)), self.expected, max(2, self.row.max_batch_size))

    def openvino_error(self, model: ModelProto, precision: Precision) -> float:
        """Of the worst photo."""
        files = to_openvino(model, precision)
        return error_on(self.photos.judging, openvino_runner(files, precision), self.expected)


@pytest.fixture(
    scope="module",
    params=[f"depth_anything_v2_{name}" for name in ("vits", "metric_hypersim_vits", "vitb", "vitl")],
)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    row = VARIANTS[request.param]
    network = build(row.name)
    fill_untrained(network, last=row.untrained_last)
    from_pixels = FromPixels(network, row.mean, row.std).eval()
    file = tmp_path_factory.mktemp(row.name) / "model.onnx"
    file.write_bytes(serialized(to_onnx(from_pixels, side=140)))
    photos = photos_for(row)
    with torch.inference_mode():
        expected = [from_pixels(torch.from_numpy(photo)).numpy() for photo in photos.judging]
    return Case(row, file, photos, expected)


def test_float32_is_exact(case: Case) -> None:
    error = case.onnx_error(onnx.load(case.file))
    print(f"onnx fp32: {error:.1e}")
    assert error < BOUND


def test_half_precision_is_within_its_bound(case: Case) -> None:
    half = in_half_precision(onnx.load(case.file), case.row.float32_islands, case.photos.calibrating)
    graph = onnx.shape_inference.infer_shapes(half).graph
    halves = {value.name for value in graph.value_info if value.type.tensor_type.elem_type == TensorProto.FLOAT16}
    for node in graph.node:
        if node.op_type in ("Softmax", "LayerNormalization") or ("/positions/" in node.name and node.op_type != "Cast"):
            assert not halves.intersection(node.output), node.name
    assert any(node.op_type == "MatMul" and node.output[0] in halves for node in graph.node)
    error = case.onnx_error(rounding_as_half(half))
    print(f"onnx fp16: {error:.1e}")
    assert error < BOUNDS["fp16"]


def test_int8_is_near_and_leaves_the_positions_alone(case: Case) -> None:
    model = quantized(onnx.load(case.file), case.row.float32_in_int8, case.photos.calibrating)
    made_by = {name: node.op_type for node in model.graph.node for name in node.output}
    for node in model.graph.node:
        if "/positions/" in node.name:
            assert "DequantizeLinear" not in {made_by.get(name) for name in node.input}, node.name
    errors = case.onnx_error(model), case.openvino_error(model, "int8")
    print(f"onnx int8: {errors[0]:.1e}, openvino int8: {errors[1]:.1e}")
    assert max(errors) < untrained_bound(case.row, "int8")


def test_bfloat16_is_near(case: Case) -> None:
    error = case.openvino_error(onnx.load(case.file), "bf16")
    print(f"openvino bf16: {error:.1e}")
    assert error < untrained_bound(case.row, "bf16")


def untrained_bound(row: Variant, precision: Precision) -> float:
    """The last step of an untrained metric network multiplies errors more than trained weights do."""
    return BOUNDS[precision] * (1 if row.max_depth is None else 2)
