"""What a request asks for is made, and nothing else."""

from typing import Any

import cv2
import numpy as np
import pytest

from midas_server.errors import NetworkFault
from midas_server.imaging.colormaps import colour_table
from midas_server.imaging.equalize import equalize_clahe, equalize_global
from midas_server.imaging.filters.crf import crf
from midas_server.imaging.filters.guided import guided
from midas_server.imaging.filters.speckle import bilateral, median
from midas_server.imaging.geometry import resize_depth
from midas_server.imaging.surface import Surface
from midas_server.options import ResolvedOptions, VariantRules, resolve
from midas_server.result import check_depth, make_result

RULES = VariantRules("v", 256, "minimal", 1 << 20)
SIZE = (90, 60)
RANDOM = np.random.default_rng(0)
DEPTH = cv2.GaussianBlur(RANDOM.random((24, 36)).astype(np.float32), (0, 0), 3) * 1000
GUIDE = RANDOM.integers(0, 256, (60, 90, 3), np.uint8)


def options(**given: Any) -> ResolvedOptions:
    return resolve(given, RULES)


def decoded(encoded: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)


def test_float32_is_the_resized_map() -> None:
    result = make_result(DEPTH, None, SIZE, options())
    assert result.depth is not None
    np.testing.assert_allclose(result.depth, resize_depth(DEPTH, SIZE), rtol=1e-5)
    assert result.encoded == b""
    assert result.value_range == (result.depth.min(), result.depth.max())


def test_at_network_size_the_network_answers_itself() -> None:
    result = make_result(DEPTH, None, (36, 24), options(output_size="network"))
    assert result.depth is not None
    assert np.shares_memory(result.depth, DEPTH)


def test_encoded_formats() -> None:
    surface = Surface(DEPTH, SIZE)
    grey = surface.levels(np.uint8)
    files: dict[str, Any] = {
        "png16": surface.levels(np.uint16),
        "png8": grey,
        "color_png": colour_table("inferno")[grey][:, :, ::-1],
    }
    for format, expected in files.items():
        result = make_result(DEPTH, None, SIZE, options(format=format))
        assert result.depth is None
        assert result.value_range == surface.range()
        np.testing.assert_array_equal(decoded(result.encoded), expected)
    jpeg = make_result(DEPTH, None, SIZE, options(format="color_jpeg", colormap="gray")).encoded
    assert jpeg.startswith(b"\xff\xd8\xff")
    assert np.abs(decoded(jpeg).astype(int) - grey[:, :, np.newaxis]).mean() < 3
    halves = np.frombuffer(make_result(DEPTH, None, SIZE, options(format="float16")).encoded, "<f2").reshape(60, 90)
    np.testing.assert_allclose(halves, resize_depth(DEPTH, SIZE), rtol=1e-3)


def test_equalisation() -> None:
    surface = Surface(DEPTH, SIZE)
    global_ = make_result(DEPTH, None, SIZE, options(format="png8", equalize="global"))
    np.testing.assert_array_equal(decoded(global_.encoded), equalize_global(surface.levels(np.uint16, overshoot=False)))
    given = options(format="png8", equalize="clahe", clahe_clip=3.5, clahe_tiles=4)
    expected = equalize_clahe(surface.levels(np.uint8), clip=3.5, tiles=4)
    np.testing.assert_array_equal(decoded(make_result(DEPTH, None, SIZE, given).encoded), expected)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"filter": "guided"}, guided(DEPTH, GUIDE, radius=2, eps=0.0001)),
        ({"filter": "guided", "guided_radius": 5, "guided_eps": 0.01}, guided(DEPTH, GUIDE, radius=5, eps=0.01)),
        ({"filter": "crf"}, crf(DEPTH, GUIDE, radius=8, contrast=3.0)),
        ({"filter": "crf", "crf_radius": 2, "crf_contrast": 30}, crf(DEPTH, GUIDE, radius=2, contrast=30)),
        ({"filter": "median"}, resize_depth(median(DEPTH, size=3), SIZE)),
        ({"filter": "median", "median_size": 5}, resize_depth(median(DEPTH, size=5), SIZE)),
        ({"filter": "bilateral"}, resize_depth(bilateral(DEPTH, radius=3, contrast=0.05), SIZE)),
        (
            {"filter": "bilateral", "bilateral_radius": 8, "bilateral_contrast": 0.5},
            resize_depth(bilateral(DEPTH, radius=8, contrast=0.5), SIZE),
        ),
    ],
)
def test_filters(given: dict[str, Any], expected: Any) -> None:
    chosen = options(**given)
    result = make_result(DEPTH, GUIDE if chosen.needs_guide else None, SIZE, chosen)
    assert result.depth is not None
    np.testing.assert_allclose(result.depth, expected, rtol=1e-5)
    picture = make_result(DEPTH, GUIDE if chosen.needs_guide else None, SIZE, options(**given, format="png8"))
    np.testing.assert_array_equal(decoded(picture.encoded), Surface(expected, SIZE).levels(np.uint8))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_broken_network_is_told(value: float) -> None:
    depth = DEPTH.copy()
    depth[3, 4] = value
    with pytest.raises(NetworkFault, match=r"my_net gave values that are not finite .*at 1 of 864 pixels.*precision"):
        check_depth(depth, (36, 24), "my_net")


@pytest.mark.parametrize("shape", [(24, 35), (36, 24), (12, 18), (24, 36, 1), (864,)])
def test_depth_of_another_size_than_the_input_is_told(shape: tuple[int, ...]) -> None:
    check_depth(DEPTH, (36, 24), "my_net")
    with pytest.raises(NetworkFault, match=r"my_net gave depth of [\dx]+ for an input of 36x24"):
        check_depth(np.ones(shape, np.float32), (36, 24), "my_net")


@pytest.mark.parametrize("filter", ["guided", "crf"])
def test_a_filter_without_its_guide_is_a_fault(filter: str) -> None:
    with pytest.raises(ValueError, match=f"filter={filter} needs the photo as a guide"):
        make_result(DEPTH, None, SIZE, options(filter=filter))


@pytest.mark.parametrize("given", [{"filter": "sharpen"}, {"format": "gif"}, {"format": "png8", "equalize": "local"}])
def test_a_value_that_nothing_is_made_for_is_a_fault(given: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match=repr(list(given.values())[-1])):
        make_result(DEPTH, GUIDE, SIZE, ResolvedOptions(256, "keep", **given))
