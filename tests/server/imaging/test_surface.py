"""A surface is the resized depth map, whatever its bands."""

from typing import Any

import numpy as np
import pytest

from midas_server.imaging import surface as surface_module
from midas_server.imaging.geometry import resize_depth
from midas_server.imaging.surface import Surface

DEPTH = np.random.default_rng(0).normal(500, 200, (24, 40)).astype(np.float32)
SIZES = [(40, 24), (131, 97), (40, 97), (131, 24), (17, 11)]


@pytest.mark.parametrize("band", [1, 700, 10_000_000])
@pytest.mark.parametrize("size", SIZES)
def test_the_bands_make_up_the_resized_map(size: tuple[int, int], band: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surface_module, "BAND_PIXELS", band)
    expected = resize_depth(DEPTH, size)
    surface = Surface(DEPTH, size)
    made = np.empty_like(expected)
    for columns, values in surface.bands():
        assert values.size <= max(band, size[1])
        made[:, columns] = values
    rounding = 2e-6 * float(np.ptp(expected))
    np.testing.assert_allclose(made, expected, atol=rounding)
    np.testing.assert_allclose(surface.whole(), expected, atol=rounding)
    assert surface.range() == (made.min(), made.max())


@pytest.mark.parametrize("band", [700, 10_000_000])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_levels_give_the_depth_back_within_half_a_step(kind: Any, band: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surface_module, "BAND_PIXELS", band)
    surface = Surface(DEPTH, (131, 97))
    levels, top = surface.levels(kind), np.iinfo(kind).max
    assert levels.dtype == kind
    assert (levels.min(), levels.max()) == (0, top)
    low, high = surface.range()
    restored = low + levels.astype(np.float64) / top * (high - low)
    # half a step, and the rounding of float32 on the way
    np.testing.assert_allclose(restored, resize_depth(DEPTH, (131, 97)), atol=(high - low) / top / 2 * 1.01)


def test_overshoot_can_be_cut() -> None:
    depth = np.zeros((6, 12), np.float32)
    depth[:, 6:] = 100
    surface = Surface(depth, (120, 60))
    assert surface.range()[0] < -1
    # With it, what is far is not the smallest value: the undershoot beside the edge is.
    assert surface.levels(np.uint8)[0, 0] > 0
    cut = surface.levels(np.uint8, overshoot=False)
    assert (cut[0, 0], cut[0, 45], cut[0, -1]) == (0, 0, 255)


def test_a_flat_map_becomes_zeros() -> None:
    assert not Surface(np.full((4, 5), 3, np.float32), (9, 7)).levels(np.uint16).any()
