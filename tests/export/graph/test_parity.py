"""Every official network as an ONNX graph: it computes what PyTorch does, and what is constant is a constant in it."""

import gc
from pathlib import Path
from typing import Any

import pytest
import torch
from onnx import ModelProto
from torch import nn

from export.graph.contract import serialized
from export.graph.parity import BOUND, compare, noise, onnx_runner, relative_error, sizes_to_compare
from export.graph.trace import FromPixels, to_onnx
from export.networks import build
from export.networks.vit_hybrid import DptHybrid
from export.variants import VARIANTS
from export.variants.row import Variant
from export.weights.untrained import fill_untrained

# The rest take minutes and gigabytes each.
IN_EVERY_RUN = ("midas_v21_small_256", "dpt_levit_224")
# The metric networks and those of V1 are the same graphs but for the last step and the blocks that are tapped.
ALIKE = ("depth_anything_v2_metric_", "depth_anything_vit")
OFFICIAL = [name for name, row in VARIANTS.items() if row.source.official and not name.startswith(ALIKE)]
# Network sizes (height, width): as the positions were trained, 16:9 both ways, and smaller ones.
DEPTH_ANYTHING_SIZES = [(518, 518), (518, 924), (924, 518), (252, 252), (266, 350)]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in IN_EVERY_RUN else [pytest.mark.long]) for name in OFFICIAL]
)
def test_the_graph_computes_what_the_network_does(name: str) -> None:
    # With any aspect the size is free: a smaller one shows the same in a tenth of the time.
    smaller = VARIANTS[name].any_aspect and name in IN_EVERY_RUN
    check_graph(VARIANTS[name], build(name), side=128 if smaller else VARIANTS[name].resolution)


def test_the_graph_of_a_narrow_hybrid() -> None:
    """A transformer of any aspect in every run: all of DPT-Hybrid's blocks, a quarter as wide."""
    row = VARIANTS["dpt_hybrid_384"]
    narrow: dict[str, Any] = {**row.parameters, "width": 192, "heads": 3}
    check_graph(row, DptHybrid(**narrow).eval(), side=128)


def check_graph(row: Variant, network: nn.Module, side: int) -> None:
    fill_untrained(network, row.untrained_gain, row.untrained_last)
    from_pixels = FromPixels(network, row.mean, row.std).eval()
    model = to_onnx(from_pixels, side=side, fixed_size=row.fixed_size)
    assert left_to_compute(model) <= {"Gather"}  # Swin v2's position bias, many times larger than what it is made of
    graph = serialized(model)
    del model
    gc.collect()
    with torch.inference_mode():
        error = compare(
            onnx_runner(graph),
            lambda pixels: from_pixels(torch.from_numpy(pixels)).numpy(),
            sizes_to_compare(side, any_aspect=row.any_aspect, multiple=row.multiple),
        )
    assert error < BOUND


@pytest.fixture(scope="module")
def depth_anything(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[FromPixels, Path]:
    """The network of the variant that is asked for, and the file of its graph; traced at no size that is tried."""
    row = VARIANTS[request.param]
    network = build(row.name)
    fill_untrained(network, last=row.untrained_last)
    from_pixels = FromPixels(network, row.mean, row.std).eval()
    model = to_onnx(from_pixels, side=140)
    assert not left_to_compute(model)
    file = tmp_path_factory.mktemp(row.name) / "model.onnx"
    file.write_bytes(serialized(model))
    return from_pixels, file


@pytest.mark.parametrize(
    ("depth_anything", "height", "width"),
    [
        pytest.param(variant, height, width, marks=[] if (height, width) == (154, 126) else [pytest.mark.long])
        for variant, sizes in [
            ("depth_anything_v2_vits", [(154, 126), *DEPTH_ANYTHING_SIZES]),
            ("depth_anything_v2_vitb", DEPTH_ANYTHING_SIZES),
            ("depth_anything_v2_vitl", DEPTH_ANYTHING_SIZES),
            ("depth_anything_v2_metric_hypersim_vits", DEPTH_ANYTHING_SIZES),
            ("depth_anything_vits14", [(252, 252)]),
        ]
        for height, width in sizes
    ],
    indirect=["depth_anything"],
)
def test_depth_anythings_graph_is_exact_at_any_size(
    height: int, width: int, depth_anything: tuple[FromPixels, Path]
) -> None:
    network, graph = depth_anything
    run = onnx_runner(str(graph))
    pixels = noise((2, height, width))
    depth = run(pixels)
    with torch.inference_mode():
        expected = network(torch.from_numpy(pixels[:1])).numpy()
    error = relative_error(depth[:1], expected)
    assert error < BOUND
    alone = run(pixels[1:])
    apart = relative_error(depth[1:], alone)
    print(f"{height}x{width}: {error:.1e} from PyTorch, {apart:.1e} between the slots")  # `-s` shows the figures
    assert apart < 1e-6, "a slot of a batch is not what it is alone"


def left_to_compute(model: ModelProto) -> set[str]:
    """The operators in `model` that read constants only."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return {node.op_type for node in model.graph.node if all(name in constants or not name for name in node.input)}
