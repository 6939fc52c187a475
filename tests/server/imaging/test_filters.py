"""Filters put edges where the photo has them, take speckles away, and leave alone what is even."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from midas_server.imaging.filters.crf import crf
from midas_server.imaging.filters.guided import guided
from midas_server.imaging.filters.speckle import bilateral, median
from midas_server.imaging.geometry import resize_depth

Map = NDArray[np.float32]
SIZE = (320, 240)
EDGE = 133


def photo() -> NDArray[np.uint8]:
    """Two surfaces of different colours with a little noise, that meet at column 133."""
    picture = np.empty((SIZE[1], SIZE[0], 3), np.uint8)
    picture[:, :EDGE] = (60, 90, 120)
    picture[:, EDGE:] = (200, 150, 90)
    noise = np.random.default_rng(0).integers(-3, 4, picture.shape)
    return np.asarray(np.clip(picture + noise, 0, 255), np.uint8)


def scene() -> tuple[Map, Map]:
    """True depth at the photo's size, and what a network of a tenth of it sees: blurred."""
    true = np.full((SIZE[1], SIZE[0]), 200, np.float32)
    true[:, EDGE:] = 1000
    small = cv2.GaussianBlur(true, (0, 0), 12)
    return true, np.asarray(cv2.resize(small, (32, 24), interpolation=cv2.INTER_AREA), np.float32)


def error(depth: Map, true: Map) -> float:
    return float(np.abs(depth - true).mean())


def test_edges_move_to_those_of_the_photo() -> None:
    true, depth = scene()
    plain = error(resize_depth(depth, SIZE), true)
    for result, share in (
        (guided(depth, photo(), radius=2, eps=0.0001), 0.85),
        (crf(depth, photo(), radius=8, contrast=8.0), 0.5),
    ):
        assert result.dtype == np.float32
        assert result.shape == true.shape
        assert error(result, true) < share * plain


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("offset", [0.0, 5.0])
def test_scale_and_offset_of_the_depth_do_not_matter(scale: float, offset: float) -> None:
    depth = scene()[1]
    other = (depth * np.float32(scale) + np.float32(offset * scale * 1000)).astype(np.float32)

    def check(one: Map, two: Map) -> None:
        back = two / np.float32(scale) - np.float32(offset * 1000)
        np.testing.assert_allclose(back, one, atol=0.01 * float(np.ptp(one)))

    check(guided(depth, photo(), radius=2, eps=0.001), guided(other, photo(), radius=2, eps=0.001))
    check(crf(depth, photo(), radius=4, contrast=4.0), crf(other, photo(), radius=4, contrast=4.0))
    check(bilateral(depth, radius=3, contrast=0.05), bilateral(other, radius=3, contrast=0.05))
    check(median(depth, size=5), median(other, size=5))


def test_the_model_of_the_guided_filter_is_that_of_the_paper() -> None:
    """Against the definition, a least squares problem with a penalty for each window, at the size of the guide."""
    random = np.random.default_rng(1)
    guide = random.integers(0, 256, (9, 11, 3), np.uint8)
    depth = random.random((9, 11)).astype(np.float32)
    radius, eps = 1, 0.02
    colours = np.pad(guide / 255, ((2, 2), (2, 2), (0, 0)), "symmetric")
    values = np.pad(depth.astype(np.float64), 2, "symmetric")
    slopes = np.empty((11, 13, 3))
    offsets = np.empty((11, 13))
    for row in range(11):
        for column in range(13):
            window = np.s_[row : row + 3, column : column + 3]
            c, v = colours[window].reshape(-1, 3), values[window].reshape(-1)
            covariance = np.cov(c.T, bias=True) + eps * np.eye(3)
            slope = np.linalg.solve(covariance, (c * v[:, None]).mean(0) - c.mean(0) * v.mean())
            slopes[row, column], offsets[row, column] = slope, v.mean() - slope @ c.mean(0)
    expected = np.empty((9, 11))
    # The windows that hold a pixel are averaged; those beyond the border mirror those within.
    slopes = np.pad(slopes[1:-1, 1:-1], ((1, 1), (1, 1), (0, 0)), "symmetric")
    offsets = np.pad(offsets[1:-1, 1:-1], 1, "symmetric")
    for row in range(9):
        for column in range(11):
            window = np.s_[row : row + 3, column : column + 3]
            slope, offset = slopes[window].reshape(-1, 3).mean(0), offsets[window].mean()
            expected[row, column] = slope @ (guide[row, column] / 255) + offset
    np.testing.assert_allclose(guided(depth, guide, radius=radius, eps=eps), expected, atol=1e-4)


def test_even_depth_stays_even() -> None:
    flat = np.full((24, 32), 7, np.float32)
    for result in (
        guided(flat, photo(), radius=2, eps=0.0001),
        crf(flat, photo(), radius=8, contrast=3.0),
        median(flat, size=3),
        bilateral(flat, radius=3, contrast=0.05),
    ):
        np.testing.assert_allclose(result, 7, rtol=1e-4)


def test_speckles_vanish_and_edges_stay() -> None:
    depth = np.full((24, 32), 100, np.float32)
    depth[:, 16:] = 900
    speckled = depth.copy()
    speckled[4::6, 3::6] += 40
    np.testing.assert_array_equal(median(speckled, size=3), depth)
    smooth = bilateral(speckled, radius=3, contrast=0.1)
    assert np.abs(smooth - depth).max() < 0.25 * 40
    assert np.ptp(smooth[:, :16]) < 0.25 * 40
    assert smooth[:, 16:].min() > 890


def test_a_guide_smaller_than_the_depth_is_no_trouble() -> None:
    depth = scene()[1]
    for size in ((16, 12), (1, 1), (3, 50)):
        guide = np.asarray(cv2.resize(photo(), size), np.uint8)
        assert guided(depth, guide, radius=32, eps=0.0001).shape == size[::-1]
        assert crf(depth, guide, radius=64, contrast=3.0).shape == size[::-1]
