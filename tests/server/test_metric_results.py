"""Depth in metres, larger is farther: numbers stay as they are, pictures have the near bright, filters see ratios."""

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from midas_server.imaging.colormaps import colour_table
from midas_server.imaging.equalize import equalize_clahe, equalize_global
from midas_server.imaging.filters.crf import crf
from midas_server.imaging.geometry import resize_depth
from midas_server.imaging.surface import BAND_PIXELS, Surface
from midas_server.network_output import Upsampling
from midas_server.options import ResolvedOptions, VariantRules, resolve
from midas_server.result import Result, make_result

Metres = NDArray[np.float32]
RULES = VariantRules("v", 518, "lower_bound", 1 << 20, multiple=14, kind="metric_depth", max_depth=20)
SIZE = (90, 60)
RANDOM = np.random.default_rng(0)
# Metres [24, 36]: a floor from 2 to 12 m with a box at 1.5 m on it.
METRES: Metres = np.repeat(np.linspace(12, 2, 24, dtype=np.float32)[:, None], 36, axis=1)
METRES[8:16, 10:20] = 1.5
# The photo of it: the box is bright.
GUIDE = np.where(cv2.resize(METRES, (90, 60))[..., None] < 1.8, 200, 60) + RANDOM.integers(0, 8, (60, 90, 3))
GUIDE = GUIDE.astype(np.uint8)


def result(metres: Metres = METRES, **given: Any) -> Result:
    options = resolve(given, RULES)
    guide = GUIDE if options.needs_guide else None
    return make_result(metres, guide, SIZE, options, "metric_depth", "bilinear_corners")


def depth_of(metres: Metres = METRES, **given: Any) -> Metres:
    """The float32 map."""
    depth = result(metres, **given).depth
    assert depth is not None
    return depth


def decoded(encoded: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)


LARGER, SMALLER = [(640, 480), (97, 211), (64, 48), (65, 48)], [(30, 20), (1, 1)]


@pytest.mark.parametrize(
    ("upsampling", "size"),
    [
        *(("bilinear_corners", size) for size in (*LARGER, *SMALLER)),
        *(("bilinear", size) for size in LARGER),
    ],
)
def test_maps_grow_as_torch_does_it(upsampling: Upsampling, size: tuple[int, int]) -> None:
    depth = RANDOM.random((48, 64)).astype(np.float32)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(depth)[None, None],
        size=size[::-1],
        mode="bilinear",
        align_corners=upsampling == "bilinear_corners",
    )
    np.testing.assert_allclose(resize_depth(depth, size, upsampling), expected[0, 0].numpy(), atol=1e-5)


def test_a_map_in_bands_is_the_whole_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("midas_server.imaging.surface.BAND_PIXELS", 600)
    assert SIZE[0] * SIZE[1] < BAND_PIXELS
    surface = Surface(METRES, SIZE, "bilinear_corners")
    whole = resize_depth(METRES, SIZE, "bilinear_corners")
    assert len(list(surface.bands())) > 1
    for columns, band in surface.bands():
        np.testing.assert_array_equal(band, whole[:, columns])
    np.testing.assert_array_equal(surface.whole(), whole)


def test_depth_is_in_metres_and_does_not_overshoot() -> None:
    answer = result()
    np.testing.assert_array_equal(depth_of(), resize_depth(METRES, SIZE, "bilinear_corners"))
    assert answer.value_range == (1.5, 12.0)
    halves = np.frombuffer(result(format="float16").encoded, "<f2").reshape(60, 90)
    np.testing.assert_allclose(halves, depth_of(), rtol=1e-3)


def test_png16_holds_the_metres() -> None:
    answer = result(format="png16")
    low, high = answer.value_range
    levels = decoded(answer.encoded)
    np.testing.assert_allclose(low + levels / 65535 * (high - low), depth_of(), atol=(high - low) / 65535)


@pytest.mark.parametrize("equalize", ["none", "global", "clahe"])
def test_in_pictures_near_is_bright(equalize: str) -> None:
    surface = Surface(METRES, SIZE, "bilinear_corners")
    grey = decoded(result(format="png8", equalize=equalize).encoded)
    near, far = grey[int(12 * 2.5), int(15 * 2.5)], grey[0, 0]
    assert near > 250
    assert far <= 5
    expected = {
        "none": surface.levels(np.uint8, falling=True),
        "global": equalize_global(surface.levels(np.uint16, falling=True)),
        "clahe": equalize_clahe(surface.levels(np.uint8, falling=True), clip=2.0, tiles=8),
    }[equalize]
    np.testing.assert_array_equal(grey, expected)
    coloured = decoded(result(format="color_png", equalize=equalize, colormap="viridis").encoded)
    np.testing.assert_array_equal(coloured[:, :, ::-1], colour_table("viridis")[expected])


def test_falling_levels_are_rising_ones_the_other_way_round() -> None:
    surface = Surface(METRES, SIZE, "bilinear_corners")
    both = surface.levels(np.uint8).astype(int) + surface.levels(np.uint8, falling=True)
    assert np.abs(both - 255).max() <= 1
    assert not Surface(np.full((4, 5), 3, np.float32), (9, 7)).levels(np.uint16, falling=True).any()


@pytest.mark.parametrize("filter", ["guided", "crf", "median", "bilateral"])
def test_filters_give_metres(filter: str) -> None:
    depth = depth_of(filter=filter)
    assert depth.shape == (60, 90)
    assert depth.min() > 0
    np.testing.assert_allclose(depth[26:34, 32:42], 1.5, rtol=0.1)  # the middle of the box
    assert depth[0, 45] > 4 * depth[30, 37]


def test_filters_compare_metres_as_ratios() -> None:
    depth = depth_of(filter="crf")
    expected = np.exp(crf(np.log(METRES), GUIDE, radius=8, contrast=3.0))
    np.testing.assert_allclose(depth, expected, rtol=1e-6)
    # Twice as far everywhere is twice as far in the result.
    twice = depth_of(np.asarray(METRES * 2, np.float32), filter="crf")
    np.testing.assert_allclose(twice, 2 * depth, rtol=1e-3)


def test_a_depth_of_nothing_breaks_no_filter() -> None:
    metres = METRES.copy()
    metres[0, 0] = 0
    for filter in ("none", "guided", "crf", "median", "bilateral"):
        assert np.isfinite(depth_of(metres, filter=filter)).all()


def test_rules_are_read_from_the_config() -> None:
    values = {
        **{"variant": "v", "resolution": "518", "resize": "lower_bound", "max_area": "1048576", "multiple": "14"},
        **{"kind": "metric_depth", "max_depth": "80", "upsampling": "bilinear_corners", "licence": "not stated"},
    }
    config = {name: {"string_value": value} for name, value in values.items()}
    rules = VariantRules.from_config(config)
    assert (rules.kind, rules.max_depth, rules.upsampling, rules.licence) == (
        *("metric_depth", 80.0, "bilinear_corners"),
        "not stated",
    )
    for name, value in [("kind", "depth"), ("max_depth", "far"), ("upsampling", "nearest")]:
        with pytest.raises(ValueError, match=f"parameter '{name}' is '{value}'"):
            VariantRules.from_config(config | {name: {"string_value": value}})
    del config["max_depth"]
    with pytest.raises(ValueError, match="'max_depth' goes with kind=metric_depth, and kind is metric_depth"):
        VariantRules.from_config(config)


def test_512_is_refused_with_the_grid() -> None:
    assert resolve({}, RULES) == ResolvedOptions(518, "keep")
    message = "resolution=512: allowed are integers from 140 to 1274 in steps of 14; the default of v is 518"
    with pytest.raises(Exception, match=message):
        resolve({"resolution": 512}, RULES)
