"""Photos come out upright, in RGB, and whole or not at all."""

import io

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from midas_server.errors import InvalidRequest
from midas_server.imaging.decode import decode
from midas_server.imaging.probe import probe


def scene(height: int = 60, width: int = 80) -> NDArray[np.uint8]:
    """A smooth picture without any symmetry: red grows to the right, green downwards, blue marks a corner."""
    rows, columns = np.mgrid[0:height, 0:width]
    picture = np.stack([columns * 255 // width, rows * 255 // height, 200 * (rows + columns < 30)], axis=-1)
    return np.asarray(picture, np.uint8)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def decoded(data: bytes) -> NDArray[np.uint8]:
    pixels = decode(data, probe(data))
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.flags.c_contiguous
    return pixels


def test_jpeg_pixels_are_those_of_opencv() -> None:
    for options in ({}, {"progressive": True}, {"subsampling": 0}):
        data = encoded(Image.fromarray(scene()), "JPEG", quality=90, **options)
        expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
        np.testing.assert_array_equal(decoded(data), expected)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_lossless_formats_come_back_exactly(kind: str) -> None:
    np.testing.assert_array_equal(decoded(encoded(Image.fromarray(scene()), kind, lossless=True)), scene())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_applied(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(scene())
    # what a camera held in that way stores, so that the upright photo is the scene again
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    if orientation in undo:
        stored = stored.transpose(Image.Transpose(undo[orientation]))
    pixels = decoded(encoded(stored, kind, exif=exif, quality=95, lossless=True))
    assert pixels.shape == scene().shape
    assert np.abs(pixels.astype(int) - scene()).mean() < 4


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (Image.fromarray(scene()[:, :, 0]), "PNG"),
        (Image.fromarray(scene()[:, :, 0]), "JPEG"),
        (Image.fromarray(scene()[:, :, 0].astype(np.uint16) * 257), "PNG"),
    ],
    ids=["8-bit png", "jpeg", "16-bit png"],
)
def test_grey_becomes_three_equal_channels(image: Image.Image, kind: str) -> None:
    pixels = decoded(encoded(image, kind))
    np.testing.assert_array_equal(pixels[:, :, 0], pixels[:, :, 2])
    assert np.abs(pixels[:, :, 0].astype(int) - scene()[:, :, 0]).mean() < 2


def test_16_bit_colour_keeps_the_upper_8_bits() -> None:
    wide = scene().astype(np.uint16) * 256 + 77
    data = cv2.imencode(".png", wide[:, :, ::-1])[1].tobytes()
    np.testing.assert_array_equal(decoded(data), scene())


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_is_dropped(kind: str) -> None:
    transparent = np.dstack([scene(), np.full(scene().shape[:2], 128, np.uint8)])
    data = encoded(Image.fromarray(transparent), kind, lossless=True, exact=True)
    np.testing.assert_array_equal(decoded(data), scene())


def test_palette_and_cmyk_become_rgb() -> None:
    palette = decoded(encoded(Image.fromarray(scene()).quantize(256), "PNG"))
    assert np.abs(palette.astype(int) - scene()).mean() < 8
    cmyk = decoded(encoded(Image.fromarray(scene()).convert("CMYK"), "JPEG", quality=95))
    assert np.abs(cmyk.astype(int) - scene()).mean() < 8


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [Image.fromarray(scene()), Image.fromarray(255 - scene())]
    for kind in ("PNG", "WEBP"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
        np.testing.assert_array_equal(decoded(data), scene())


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_without_its_end_marker_is_accepted(progressive: bool) -> None:
    data = encoded(Image.fromarray(scene()), "JPEG", progressive=progressive)
    np.testing.assert_array_equal(decoded(data[:-2]), decoded(data))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_truncated_photo_is_refused(kind: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(InvalidRequest, match="ends early"):
        decoded(data[: int(len(data) * share)])


def test_stray_bytes_in_a_jpeg_are_tolerated() -> None:
    data = encoded(Image.fromarray(scene()), "JPEG", quality=90)
    start_of_tables = data.index(b"\xff\xdb")
    np.testing.assert_array_equal(decoded(data[:start_of_tables] + b"\0\0" + data[start_of_tables:]), decoded(data))
