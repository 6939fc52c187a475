"""Encoded results decode to what went in."""

import cv2
import numpy as np
import pytest

from midas_client._colormap import COLORMAPS as CLIENT_COLORMAPS
from midas_client._colormap import colour_table as client_table
from midas_server.errors import InvalidRequest
from midas_server.imaging.colormaps import COLORMAPS, colour_table
from midas_server.imaging.encode import encode_colour_jpeg, encode_colour_png, encode_float16, encode_png
from midas_server.imaging.geometry import resize_depth
from midas_server.imaging.surface import Surface

LEVELS = np.arange(256, dtype=np.uint8).repeat(4).reshape(16, 64)


def decoded(encoded: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED))


def test_grey_png_is_lossless() -> None:
    np.testing.assert_array_equal(decoded(encode_png(LEVELS)), LEVELS)
    wide = (LEVELS.astype(np.uint16) * 257).astype(np.uint16)
    np.testing.assert_array_equal(decoded(encode_png(wide)), wide)


@pytest.mark.parametrize("name", COLORMAPS)
def test_colours_are_those_of_the_table(name: str) -> None:
    expected = colour_table(name)[LEVELS]
    np.testing.assert_array_equal(decoded(encode_colour_png(LEVELS, name))[:, :, ::-1], expected)
    jpeg = decoded(encode_colour_jpeg(LEVELS, name))[:, :, ::-1]
    assert np.abs(jpeg.astype(int) - expected).mean() < 8


def test_server_and_client_have_the_same_colour_maps() -> None:
    assert COLORMAPS == CLIENT_COLORMAPS
    for name in COLORMAPS:
        np.testing.assert_array_equal(colour_table(name), client_table(name))


def test_float16_is_that_of_numpy() -> None:
    depth = np.random.default_rng(0).normal(0, 3000, (20, 30)).astype(np.float32)
    expected = resize_depth(depth, (97, 61)).astype("<f2")
    assert encode_float16(Surface(depth, (97, 61))) == expected.tobytes()


@pytest.mark.parametrize("value", [65520.0, -70000.0])
def test_float16_refuses_what_it_cannot_hold(value: float) -> None:
    depth = np.zeros((4, 4), np.float32)
    depth[1, 1] = value
    with pytest.raises(InvalidRequest, match=r"holds values up to 65504.*use format=float32 or png16"):
        encode_float16(Surface(depth, (4, 4)))
