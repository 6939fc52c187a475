"""Metres from known distances."""

from __future__ import annotations

import math
import re
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from accuracy.metrics import align
from midas_client import DepthMap, MetricFitError, OptionError, UsageError

WIDTH, HEIGHT = 64, 48


def depth_map(depth: npt.NDArray[np.float32], photo_size: tuple[int, int] = (WIDTH, HEIGHT)) -> DepthMap:
    return DepthMap(depth, "m", "v", "default", photo_size, (32, 32), {}, {"format": "float32"})


def scene() -> npt.NDArray[np.float64]:
    """Metres [H, W]: a floor from 2 m at the bottom to 20 m at the top, with a box of 1.5 m to 1.6 m."""
    inverse = np.linspace(1 / 20, 1 / 2, HEIGHT)[:, None] * np.ones(WIDTH)
    inverse[20:40, 10:30] = 1 / np.linspace(1.5, 1.6, 20)
    return np.asarray(1 / inverse)


def relative(metres: npt.NDArray[np.float64], scale: float, shift: float) -> npt.NDArray[np.float32]:
    """What a perfect network says: 1 / metres = scale * depth + shift."""
    return ((1 / metres - shift) / scale).astype(np.float32)


def known_at(metres: npt.NDArray[np.float64], *places: tuple[int, int]) -> list[tuple[float, float, float]]:
    return [(x, y, float(metres[y, x])) for x, y in places]


# Inverse depth itself; as a small network gives it; around 1e4, as v2.1 does; tiny; below 0.
RANGES = [(1.0, 0.0), (0.08, 0.19), (1e-3, -10.0), (1e6, 0.01), (0.5, 3.0)]


@pytest.mark.parametrize(("scale", "shift"), RANGES)
def test_two_points_are_met_and_the_rest_follows(scale: float, shift: float) -> None:
    metres = scene()
    known = known_at(metres, (3, 0), (12, 22))
    fit = depth_map(relative(metres, scale, shift)).to_metric(known)
    for x, y, distance in known:
        assert fit.depth[int(y), int(x)] == pytest.approx(distance, rel=1e-6)
    np.testing.assert_allclose(fit.residuals, 0, atol=1e-9)
    assert fit.residual < 1e-9
    # A float32 around 1e4 has steps of 0.001, which is 1e-6 here: 1e-6 * 20 m of the farthest.
    np.testing.assert_allclose(fit.depth, metres, rtol=2e-4)
    assert fit.scale == pytest.approx(scale, rel=1e-3)
    assert fit.shift == pytest.approx(shift, abs=1e-3 * max(1, abs(shift)))


def test_fields() -> None:
    metres = scene()
    fit = depth_map(relative(metres, 1, 0)).to_metric(known=known_at(metres, (3, 0), (12, 22), (60, 47)))
    assert fit.depth.dtype == np.float32
    assert fit.depth.shape == (HEIGHT, WIDTH)
    assert fit.residuals.dtype == np.float64
    assert fit.residuals.shape == (3,)
    assert (type(fit.scale), type(fit.shift), type(fit.residual)) == (float, float, float)
    assert (fit.photo_size, fit.max_metres) == ((WIDTH, HEIGHT), None)
    assert "depth=" not in repr(fit)
    for array in (fit.depth, fit.residuals):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_noisy_points_as_by_the_accuracy_command() -> None:
    """The same least squares as `python -m accuracy` uses, over every pixel."""
    metres = scene()
    depth = relative(metres, 0.3, 0.1) + np.random.default_rng(0).normal(0, 0.02, metres.shape).astype(np.float32)
    y, x = np.indices(metres.shape)
    fit = depth_map(depth).to_metric(np.stack([x.ravel(), y.ravel(), metres.ravel()], axis=1), max_metres=80)
    expected = 1 / np.maximum(align(depth, 1 / metres), 1 / 80)
    np.testing.assert_allclose(fit.depth, expected, rtol=1e-6)
    errors = expected - metres
    np.testing.assert_allclose(fit.residuals, errors.ravel(), atol=1e-8)
    assert fit.residual == pytest.approx(math.sqrt(np.mean(errors**2)))
    assert fit.scale == pytest.approx(0.3, rel=0.05)


def test_residuals_have_a_sign_and_an_order() -> None:
    """Depth 0, 1, 2 with inverse distances 0.1, 0.2, 0.36: the line passes at 0.0900, 0.2200, 0.3500."""
    fit = depth_map(np.array([[0, 1, 2]], np.float32), (3, 1)).to_metric(
        [(2, 0, 1 / 0.36), (0, 0, 1 / 0.1), (1, 0, 1 / 0.2)]
    )
    assert fit.scale == pytest.approx(0.13)
    assert fit.shift == pytest.approx(0.09)
    expected = [1 / 0.35 - 1 / 0.36, 1 / 0.09 - 10, 1 / 0.22 - 5]
    np.testing.assert_allclose(fit.residuals, expected)
    assert fit.residual == pytest.approx(math.sqrt(sum(each**2 for each in expected) / 3))


def test_a_fraction_of_a_pixel_is_interpolated() -> None:
    depth = np.array([[0, 4], [8, 12]], np.float32)
    fit = depth_map(depth, (2, 2)).to_metric([(0.25, 0, 1.0), (0.5, 0.5, 0.5)])
    # At 1 and 6 of the map: 1 / metres = 1 and 2.
    assert fit.scale == pytest.approx(1 / 5)
    assert fit.shift == pytest.approx(1 - 1 / 5)


def test_points_belong_to_the_photo_and_not_to_the_map() -> None:
    """A map of a quarter of the photo's size: the centre of its pixel (c, r) is the photo's (4c + 1.5, 4r + 1.5)."""
    metres = scene()[::4, ::4]
    small = depth_map(relative(metres, 1, 0))
    places = [(0, 0), (4, 6), (15, 11)]
    fit = small.to_metric([(4 * x + 1.5, 4 * y + 1.5, float(metres[y, x])) for x, y in places])
    assert fit.residual < 1e-6
    np.testing.assert_allclose(fit.depth, metres, rtol=1e-5)
    # The photo's own border pixels lie beyond the centres of the map's, and mean these.
    corners = [(0, 0, float(metres[0, 0])), (WIDTH - 0.01, HEIGHT - 0.01, float(metres[-1, -1]))]
    assert small.to_metric(corners).residual < 1e-6


def test_beyond_any_distance() -> None:
    depth = np.array([[0, 1, 2, 3]], np.float32)
    known = [(2, 0, 10.0), (3, 0, 2.0)]
    fit = depth_map(depth, (4, 1)).to_metric(known)
    assert fit.depth[0, :2].tolist() == [math.inf, math.inf]
    np.testing.assert_allclose(fit.depth[0, 2:], [10, 2])
    bounded = depth_map(depth, (4, 1)).to_metric(known, max_metres=8)
    np.testing.assert_allclose(bounded.depth[0], [8, 8, 8, 2])
    np.testing.assert_allclose(bounded.residuals, [-2, 0], atol=1e-12)
    assert bounded.max_metres == 8


def test_a_known_point_beyond_any_distance() -> None:
    depth = np.array([[0, 1, 2, 3]], np.float32)
    known = [(0, 0, 100.0), (1, 0, 90.0), (2, 0, 80.0), (3, 0, 1.0)]
    fit = depth_map(depth, (4, 1)).to_metric(known)
    assert (fit.residuals[0], fit.residual) == (math.inf, math.inf)
    assert math.isfinite(depth_map(depth, (4, 1)).to_metric(known, max_metres=200).residual)


def test_what_is_no_number_stays_none() -> None:
    depth = np.array([[0, 1, np.nan, np.inf]], np.float32)
    fit = depth_map(depth, (4, 1)).to_metric([(0, 0, 4.0), (1, 0, 2.0)])
    np.testing.assert_array_equal(fit.depth[0, 2:], [np.nan, 0])
    with pytest.raises(MetricFitError, match=r"depth at \(2, 0\) is nan. Leave that point out"):
        depth_map(depth, (4, 1)).to_metric([(0, 0, 4.0), (1, 0, 3.0), (2, 0, 2.0)])


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ([], "No known points cannot"),
        ([(1, 1, 2.0)], "1 known point cannot give scale and shift"),
        ([(1, 1), (2, 2)], "not three numbers"),
        ([(1, 1, 2.0), (2, 2)], "not three numbers"),
        ([(1, 1, "near"), (2, 2, 3.0)], "not three numbers"),
        ([1, 2, 3], "not three numbers"),
        (5, "not three numbers"),
        ([(3, 0, 9.0), (64, 5, 2.0)], r"point \(64, 5\) lies outside of the photo, which is 64 x 48"),
        ([(3, 0, 9.0), (5, 48, 2.0)], r"point \(5, 48\) lies outside"),
        ([(3, -0.5, 9.0), (5, 5, 2.0)], r"point \(3, -0.5\) lies outside"),
        ([(math.nan, 0, 9.0), (5, 5, 2.0)], r"point \(nan, 0\) lies outside"),
        ([(3, 0, 9.0), (5, 5, 0)], r"distance at \(5, 5\) is 0 metres. It must be a finite number above 0"),
        ([(3, 0, -1), (5, 5, 2.0)], r"distance at \(3, 0\) is -1 metres"),
        ([(3, 0, math.inf), (5, 5, 2.0)], r"distance at \(3, 0\) is inf metres"),
        ([(3, 0, math.nan), (5, 5, 2.0)], r"distance at \(3, 0\) is nan metres"),
        ([(3, 7, 2.0), (50, 7, 5.0)], r"All 2 known points lie at \(nearly\) the same depth"),
        ([(3, 7, 2.0), (3, 7.0001, 5.0), (4, 7, 6.0)], r"All 3 known points lie at \(nearly\) the same depth"),
        (
            [(3, 0, 2.0), (3, 47, 9.0)],
            r"contradict.*\(3, 47\) is given as 9 m and \(3, 0\) as 2 m, but .* first is nearer",
        ),
        ([(3, 0, 4.0), (3, 47, 4.0)], "All 2 known points are given as 4 m, but lie at different depths"),
        ([(3, 0, 0.1), (3, 20, 0.1), (3, 47, 0.1)], "All 3 known points are given as 0.1 m"),
        ([(3, 0, 5.0), (3, 10, 5.1), (3, 30, 5.2), (3, 47, 1.0), (3, 1, 0.3)], r"contradict.*and \(3, 1\) as 0.3 m"),
    ],
)
def test_points_from_which_nothing_follows(known: object, reason: str) -> None:
    with pytest.raises(MetricFitError, match=reason) as caught:
        depth_map(relative(scene(), 1, 0)).to_metric(known)  # type: ignore[arg-type]
    assert isinstance(caught.value, UsageError)
    assert caught.value.hint


def test_of_a_contradiction_two_points_are_named_that_contradict() -> None:
    generator = np.random.default_rng(0)
    depth = depth_map(generator.random((HEIGHT, WIDTH)).astype(np.float32))
    named = re.compile(r"\((\d+), (\d+)\) is given as (\S+) m and \((\d+), (\d+)\) as (\S+) m")
    refused = 0
    for _ in range(40):
        points = np.stack(
            [generator.permutation(WIDTH)[:6], generator.permutation(HEIGHT)[:6], generator.random(6) + 1]
        )
        try:
            depth.to_metric(points.T)
        except MetricFitError as error:
            refused += 1
            found = named.search(str(error))
            assert found
            x, y, metres, other_x, other_y, other_metres = map(float, found.groups())
            assert depth.depth[int(y), int(x)] > depth.depth[int(other_y), int(other_x)]
            assert metres > other_metres
    assert refused


def test_a_flat_map_has_no_metres() -> None:
    with pytest.raises(MetricFitError, match="nearly"):
        depth_map(np.full((HEIGHT, WIDTH), 7, np.float32)).to_metric([(0, 0, 1.0), (60, 40, 2.0)])


@pytest.mark.parametrize("value", [0, -1, math.inf, math.nan, True, "8"])
def test_bounds_that_are_none(value: float) -> None:
    metres = scene()
    depth = depth_map(relative(metres, 1, 0))
    known = known_at(metres, (3, 0), (12, 22))
    with pytest.raises(OptionError, match=r"max_metres is .*number of metres above 0"):
        depth.to_metric(known, max_metres=value)
    with pytest.raises(OptionError, match="max_metres is"):
        depth.to_metric(known).point_cloud(fov=60, max_metres=value)


@pytest.mark.parametrize("ending", [".tif", ".pfm"])
def test_save_metres(tmp_path: Path, ending: str) -> None:
    fit = depth_map(np.array([[0, 1, 2, 3]], np.float32), (4, 1)).to_metric([(2, 0, 10.0), (3, 0, 2.0)])
    fit.save(tmp_path / f"metres{ending}")
    saved = cv2.imread(str(tmp_path / f"metres{ending}"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(saved, fit.depth)
    assert np.isinf(saved[0, 0])


def test_save_millimetres(tmp_path: Path) -> None:
    # 1 / metres: below 0, 0.001 (beyond 65.535 m), 0.5, 0.8, 3000 (a third of a millimetre), and no number.
    inverse = np.array([[-1, 0.001, 0.5, 0.8, 3000, np.nan]], np.float32)
    fit = depth_map(inverse, (6, 1)).to_metric([(2, 0, 2.0), (4, 0, 1 / 3000)])
    fit.save(tmp_path / "millimetres.png")
    saved = cv2.imread(str(tmp_path / "millimetres.png"), cv2.IMREAD_UNCHANGED)
    assert saved.dtype == np.uint16
    assert saved[0].tolist() == [65535, 65535, 2000, 1250, 1, 0]
    with pytest.raises(OptionError, match=r"as '.jpg'. Allowed: \.png, \.npy"):
        fit.save(tmp_path / "metres.jpg")
