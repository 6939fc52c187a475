"""Photos come out upright, in RGB, and whole or not at all."""

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from midas_server.errors import InvalidRequest
from midas_server.imaging.decode import MAX_SCANS, count_scans, decode
from midas_server.imaging.network_input import network_input
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


@pytest.mark.parametrize(
    ("covering", "expected"),
    [
        ((80, 40), (160, 120)),
        ((40, 30), (80, 60)),
        ((41, 30), (160, 120)),
        ((40, 31), (160, 120)),
        ((80, 120), (320, 240)),
        ((161, 100), (640, 480)),
    ],
)
def test_a_jpeg_is_reduced_as_far_as_twice_the_network_allows(
    covering: tuple[int, int], expected: tuple[int, int]
) -> None:
    data = encoded(Image.fromarray(scene(480, 640)), "JPEG", quality=95)
    width, height = expected
    pixels = decode(data, probe(data), covering)
    assert pixels.shape == (height, width, 3)
    reference = cv2.resize(decoded(data), (width, height), interpolation=cv2.INTER_AREA)
    assert np.abs(pixels.astype(int) - reference).mean() < 2


def test_odd_sizes_are_rounded_up() -> None:
    data = encoded(Image.fromarray(scene(483, 645)), "JPEG")
    assert decode(data, probe(data), (80, 60)).shape == (121, 162, 3)
    assert decode(data, probe(data), (40, 30)).shape == (61, 81, 3)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_are_reduced_too(mode: str) -> None:
    data = encoded(Image.fromarray(scene(480, 640)).convert(mode), "JPEG", quality=95)
    assert decode(data, probe(data), (80, 60)).shape == (120, 160, 3)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_other_formats_are_not_reduced(kind: str) -> None:
    data = encoded(Image.fromarray(scene()), kind, lossless=True)
    np.testing.assert_array_equal(decode(data, probe(data), (8, 8)), scene())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_reduced_photo_is_upright_and_covers(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(scene(240, 640)), "JPEG", exif=exif, quality=95)
    header = probe(data)
    full = decode(data, header)
    # A network's input as long as the photo, which must not be mistaken for one across it.
    network = (80, 30) if header.width > header.height else (30, 80)
    reduced = decode(data, header, network)
    assert reduced.shape[:2] == (full.shape[0] // 4, full.shape[1] // 4)
    reference = cv2.resize(full, reduced.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(reduced.astype(int) - reference).mean() < 3


def test_a_truncated_photo_is_refused_at_any_size() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 600, 3), np.uint8)
    data = encoded(Image.fromarray(noise), "JPEG")
    with pytest.raises(InvalidRequest, match="ends early"):
        decode(data[: len(data) // 2], probe(data), (32, 32))
    whole = decode(data, probe(data), (32, 32))
    np.testing.assert_array_equal(decode(data[:-2], probe(data), (32, 32)), whole)


def test_a_jpeg_with_too_many_scans_is_refused() -> None:
    data = encoded(Image.fromarray(scene()), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    assert decoded(data[:-2] + scan + data[-2:]).shape == scene().shape
    with pytest.raises(InvalidRequest, match=f"scans, the limit at its size is {MAX_SCANS}: save"):
        decoded(data[:-2] + MAX_SCANS * scan + data[-2:])
    large = replace(probe(data), stored_width=8000, stored_height=8000)
    with pytest.raises(InvalidRequest, match="scans, the limit at its size is 16: save it again"):
        decode(data[:-2] + 10 * scan + data[-2:], large)


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 64])
def test_scans_are_counted_across_the_pieces(piece: int) -> None:
    data = b"\xff\xda\xff\xff\xda\xda\xff\x00\xda\xff\xda\xff"
    assert count_scans(data, piece) == data.count(b"\xff\xda") == 3
    assert count_scans(b"", piece) == count_scans(b"\xff", piece) == 0


def test_the_photo_is_decoded_for_who_needs_it() -> None:
    data = encoded(Image.fromarray(scene(480, 640)), "JPEG", quality=95)
    header = probe(data)
    pixels, guide = network_input(data, header, (64, 32))
    assert (pixels.shape, guide) == ((32, 64, 3), None)
    pixels, guide = network_input(data, header, (64, 32), (640, 480))
    assert pixels.shape == (32, 64, 3)
    assert guide is not None
    np.testing.assert_array_equal(guide, decoded(data))
    pixels, guide = network_input(data, header, (64, 32), (64, 32))
    assert guide is pixels
