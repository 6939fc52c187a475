"""Depth Anything is the official code's: same tensors and results, also at sizes where positions are interpolated."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from export.networks import build
from export.networks.depth_anything import DepthAnything
from export.networks.dino_v2 import GRID, Positions
from export.variants import VARIANTS
from export.weights.untrained import fill_untrained

REFERENCE = Path(__file__).parents[1] / "reference"
STRIDE = 12  # of the rows and columns that the references keep
BOUND = 2e-5  # a tanh GELU, the nearest of the usual mistakes, is 1.0e-4 away
ROWS = [name for name, row in VARIANTS.items() if row.family == "depth_anything"]
PARAMETERS = {"s": 24_785_089, "b": 97_470_785, "l": 335_315_649}


def size_of(variant: str) -> str:
    """One letter: s, b or l."""
    return variant.removesuffix("14")[-1]


def filled(variant: str) -> DepthAnything:
    network = build(variant)
    assert isinstance(network, DepthAnything)
    fill_untrained(network, last=VARIANTS[variant].untrained_last)
    return network


def normalised(height: int, width: int) -> torch.Tensor:
    """The references' input: float32 (1, 3, height, width)."""
    row = VARIANTS["depth_anything_v2_vits"]
    pixels = np.random.RandomState(7).randint(0, 256, (1, height, width, 3)).astype(np.uint8)
    values = (pixels / 255 - np.array(row.mean)) / np.array(row.std)
    return torch.from_numpy(values.transpose(0, 3, 1, 2).astype(np.float32))


def distance(variant: str, reference: str, key: str) -> float:
    height, width = (int(side) for side in key.split("x"))
    with np.load(REFERENCE / f"{reference}.npz") as file:
        expected = file[key]
    with torch.inference_mode():
        depth = filled(variant)(normalised(height, width)).numpy()
    assert depth.shape == (1, height, width)
    return float(np.linalg.norm(depth[:, ::STRIDE, ::STRIDE] - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize("variant", ROWS)
def test_tensors_are_the_official_ones(variant: str) -> None:
    with torch.device("meta"):  # shapes without memory
        ours = {name: tuple(tensor.shape) for name, tensor in build(variant).state_dict().items()}
    with np.load(REFERENCE / f"depth_anything_v2_vit{size_of(variant)}.npz") as reference:
        lines = bytes(reference["tensors"]).decode().splitlines()
    named = (line.partition(" ") for line in lines)
    assert ours == {name: tuple(int(side) for side in shape.split("x") if side) for name, _, shape in named}
    assert sum(int(np.prod(shape)) for shape in ours.values()) == PARAMETERS[size_of(variant)]


@pytest.mark.parametrize(
    ("variant", "key"),
    [
        pytest.param(f"depth_anything_v2_{name}", key, marks=[] if common else [pytest.mark.long])
        for name in ("vits", "vitb", "vitl", "metric_hypersim_vits", "metric_vkitti_vits")
        for key in ("378x518", "518x518", "518x686")
        for common in (name == "vits" and key == "378x518",)
    ],
)
def test_output_is_the_official_codes(variant: str, key: str) -> None:
    error = distance(variant, variant, key)
    assert error < BOUND, f"{error:.1e}"


@pytest.mark.long
@pytest.mark.parametrize(("key", "away"), [("518x518", 0.47), ("378x518", 0.45)])
def test_v1_is_as_far_from_v2_as_its_taps_put_it(key: str, away: float) -> None:
    assert round(distance("depth_anything_vits14", "depth_anything_v2_vits", key), 2) == pytest.approx(away, abs=0.011)


def test_v1_differs_from_v2_by_its_taps_alone() -> None:
    first, second = filled("depth_anything_vits14"), filled("depth_anything_v2_vits")
    x = normalised(126, 140)
    with torch.inference_mode():
        assert not torch.allclose(first(x), second(x), rtol=0.1)
        first.pretrained.taps = second.pretrained.taps
        assert torch.equal(first(x), second(x))


def test_a_batch_of_two_is_what_each_is_alone() -> None:
    network = filled("depth_anything_v2_vits")
    x = torch.cat((normalised(126, 140), normalised(126, 140).flip(3)))
    with torch.inference_mode():
        both = network(x)
        alone = torch.cat((network(x[:1]), network(x[1:])))
    assert float((both - alone).norm() / alone.norm()) < 2e-6


@pytest.mark.parametrize("data", ["hypersim", "vkitti"])
def test_a_metric_network_gives_metres_within_its_range(data: str) -> None:
    variant = f"depth_anything_v2_metric_{data}_vits"
    far = VARIANTS[variant].max_depth
    assert far is not None
    with torch.inference_mode():
        depth = filled(variant)(normalised(126, 140))
    assert 0 <= float(depth.min()) < 0.2 * far
    assert 0.8 * far < float(depth.max()) <= far


@pytest.mark.parametrize(("height", "width"), [(27, 37), (37, 49), (9, 10), (66, 37), (1, 123)])
def test_positions_are_interpolated_as_the_official_code_does_it(height: int, width: int) -> None:
    trained = torch.randn(1, GRID * GRID, 8, generator=torch.Generator().manual_seed(0))
    grid = trained.reshape(1, GRID, GRID, 8).permute(0, 3, 1, 2)
    scale = ((height + 0.1) / GRID, (width + 0.1) / GRID)
    expected = F.interpolate(grid, scale_factor=scale, mode="bicubic", antialias=False)
    assert expected.shape[-2:] == (height, width)
    torch.testing.assert_close(
        Positions()(trained, height, width), expected.flatten(2).transpose(1, 2), atol=5e-5, rtol=0
    )


def test_positions_of_the_trained_size_are_untouched() -> None:
    trained = torch.randn(1, GRID * GRID, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(Positions()(trained, GRID, GRID), trained)
