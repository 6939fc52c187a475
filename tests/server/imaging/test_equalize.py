"""Equalisation keeps order and spreads the levels."""

import numpy as np
import pytest

from midas_server.imaging.equalize import equalize_clahe, equalize_global


def test_global_follows_the_formula() -> None:
    levels = np.array([[5, 5, 5, 70], [70, 70, 60000, 60001]], np.uint16)
    # 3 of 8 pixels are at the smallest level; of the other 5, 3, 4 and 5 are at or below each of the next
    expected = np.rint(np.array([[0, 0, 0, 3], [3, 3, 4, 5]]) / 5 * 255)
    np.testing.assert_array_equal(equalize_global(levels), expected)


def test_global_makes_every_grey_about_equally_frequent() -> None:
    skewed = (np.random.default_rng(0).random((200, 300)) ** 8 * 65535).astype(np.uint16)
    counts = np.histogram(equalize_global(skewed), 16, (0, 256))[0]
    # The lowest level alone, which many values were rounded to, is one grey.
    assert counts[8:].max() < 1.1 * skewed.size / 16
    assert counts[8:].min() > 0.7 * skewed.size / 16


@pytest.mark.parametrize("value", [0, 300, 65535])
def test_one_level_stays_one(value: int) -> None:
    assert not equalize_global(np.full((4, 5), value, np.uint16)).any()


def test_clahe_raises_contrast_where_there_is_little() -> None:
    rows, columns = np.mgrid[0:160, 0:160]
    faint = (100 + 4 * ((rows // 10 + columns // 10) % 2)).astype(np.uint8)
    faint[:, 80:] //= 4
    strong = equalize_clahe(faint, clip=4.0, tiles=4)
    assert strong.dtype == np.uint8
    assert np.ptp(strong[:, :70]) > 1.5 * np.ptp(faint[:, :70])
    weak = equalize_clahe(faint, clip=1.0, tiles=4)
    assert np.ptp(weak[:, :70]) < np.ptp(strong[:, :70])
