"""Depth Anything in half precision and in int8: within the bounds of trained weights, alone and in batches. Minutes."""

from dataclasses import dataclass
from pathlib import Path

import onnx
import pytest
import torch
from onnx import ModelProto, TensorProto

from export.graph.contract import serialized
from export.graph.parity import Depth, onnx_runner
from export.graph.trace import FromPixels, to_onnx
from export.networks import build
from export.precision.half import in_half_precision
from export.precision.int8 import quantized
from export.precision.photos import Photos, photos_for
from export.precision.rounding import rounding_as_half
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

    def error(self, model: ModelProto) -> float:
        """Of the worst photo and the worst slot of a batch."""
        return error_on(self.photos.judging, onnx_runner(serialized(model)), self.expected, self.row.max_batch_size)


NAMES = [f"depth_anything_v2_{rest}" for rest in ("vits", "metric_hypersim_vits", "vitb")]


@pytest.fixture(scope="module", params=NAMES)
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


def test_half_precision_is_within_its_bound(case: Case) -> None:
    half = in_half_precision(onnx.load(case.file), case.row.float32_islands, case.photos.calibrating)
    graph = onnx.shape_inference.infer_shapes(half).graph
    halves = {value.name for value in graph.value_info if value.type.tensor_type.elem_type == TensorProto.FLOAT16}
    for node in graph.node:
        if node.op_type in ("Softmax", "LayerNormalization") or ("/positions/" in node.name and node.op_type != "Cast"):
            assert not halves.intersection(node.output), node.name
    assert any(node.op_type == "MatMul" and node.output[0] in halves for node in graph.node)
    error = case.error(rounding_as_half(half))
    print(f"fp16: {error:.1e}")  # `-s` shows the figure
    assert error < BOUNDS["fp16"]


def test_int8_is_near_and_leaves_the_positions_alone(case: Case) -> None:
    model = quantized(onnx.load(case.file), case.row.float32_in_int8, case.photos.calibrating)
    made_by = {name: node.op_type for node in model.graph.node for name in node.output}
    for node in model.graph.node:
        if "/positions/" in node.name:
            assert "DequantizeLinear" not in {made_by.get(name) for name in node.input}, node.name
    error = case.error(model)
    print(f"int8: {error:.1e}")
    # the untrained metric network's last step multiplies errors more than trained weights do
    assert error < (BOUNDS["int8"] if case.row.max_depth is None else 2 * BOUNDS["int8"])
