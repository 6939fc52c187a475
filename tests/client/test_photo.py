"""What counts as a photo, and what is sent for it."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from midas_client import PhotoError, upright_rgb
from midas_client._photo import encoded_frame, encoded_photo
from midas_server.imaging.decode import decode
from midas_server.imaging.probe import probe


def test_paths_and_bytes_are_sent_as_they_are(tmp_path: Path, photo: bytes) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo)
    assert encoded_photo(photo) == photo
    assert encoded_photo(path) == photo
    assert encoded_photo(str(path)) == photo
    assert encoded_photo(os.fspath(path)) == photo
    assert encoded_photo(memoryview(photo)) == photo  # type: ignore[arg-type]


@pytest.mark.parametrize("layout", ["plain", "flipped", "slice", "one pixel"])
def test_arrays_are_sent_without_loss(layout: str) -> None:
    array = np.random.default_rng(0).integers(0, 256, (31, 47, 3), dtype=np.uint8)
    array = {"plain": array, "flipped": array[::-1, :, ::-1], "slice": array[3:9, ::2], "one pixel": array[:1, :1]}[
        layout
    ]
    encoded = encoded_photo(array)
    with Image.open(io.BytesIO(encoded)) as picture:
        assert picture.format == "PNG"
        assert picture.mode == "RGB"
        assert np.array_equal(np.asarray(picture), array)


def test_file_objects_are_read_from_where_they_are(tmp_path: Path, photo: bytes) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo)
    with path.open("rb") as file:
        assert encoded_photo(file) == photo
    assert encoded_photo(io.BytesIO(photo)) == photo
    half = io.BytesIO(photo)
    half.seek(100)
    assert encoded_photo(half) == photo[100:]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK", "1"])
def test_pil_images_are_sent_as_rgb(mode: str) -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (31, 47, 3), dtype=np.uint8)).convert(mode)
    with Image.open(io.BytesIO(encoded_photo(picture))) as sent:
        assert (sent.format, sent.mode) == ("PNG", "RGB")
        assert np.array_equal(np.asarray(sent), np.asarray(picture.convert("RGB")))


def test_pil_images_are_turned_upright(photo: bytes) -> None:
    with Image.open(io.BytesIO(photo)) as picture:
        exif = picture.getexif()
        exif[0x0112] = 6  # to be turned by a quarter
        turned = io.BytesIO()
        picture.save(turned, "JPEG", exif=exif)
        size = picture.size
    with Image.open(turned) as picture, Image.open(io.BytesIO(encoded_photo(picture))) as sent:
        assert sent.size == size[::-1]


def test_pil_image_of_a_broken_file(photo: bytes) -> None:
    with (
        Image.open(io.BytesIO(photo[: len(photo) // 2])) as picture,
        pytest.raises(PhotoError, match=r"PIL image cannot be read.*Is its file complete"),
    ):
        encoded_photo(picture)


def test_frames_are_sent_as_jpeg(photo: bytes) -> None:
    """Not without loss, but in a tenth of the time."""
    with Image.open(io.BytesIO(photo)) as picture:
        array = np.asarray(picture)
    with Image.open(io.BytesIO(encoded_frame(array))) as sent:
        assert sent.format == "JPEG"
        assert np.abs(np.asarray(sent).astype(int) - array).mean() < 2
    assert encoded_frame(photo) == photo


@pytest.mark.parametrize(
    ("photo", "reason"),
    [
        (b"", "0 bytes"),
        (np.zeros((4, 4, 3), np.float32), "type float32. It must be uint8"),
        (np.zeros((4, 4), np.uint8), r"shape \[4, 4\].*numpy.stack"),
        (np.zeros((4, 4, 4), np.uint8), r"shape \[4, 4, 4\]"),
        (np.zeros((1, 4, 4, 3), np.uint8), r"shape \[1, 4, 4, 3\]"),
        (np.zeros((0, 4, 3), np.uint8), r"shape \[0, 4, 3\]"),
        (None, "NoneType. A photo is a path"),
        (io.StringIO("text"), "gives str instead of bytes. Open it with mode"),
        (io.BytesIO(b""), "is empty"),
        ("https://example.org/photo.jpg", "is a URL.*give its bytes"),
        ("data:image/png;base64,AAAA", "is a URL"),
        ("no such photo.jpg", "cannot be read: No such file"),
        ("nul\0byte.jpg", "cannot be read"),
        (".", "is a folder"),
    ],
)
def test_not_photos(photo: Any, reason: str) -> None:
    with pytest.raises(PhotoError, match=reason) as caught:
        encoded_photo(photo)
    assert isinstance(caught.value, ValueError)


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.jpg"
    path.touch()
    with pytest.raises(PhotoError, match="is empty"):
        encoded_photo(path)


def test_endless_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device has no end; reading stops at the limit."""
    monkeypatch.setattr("midas_client._photo.MAX_BYTES", 1000)
    with pytest.raises(PhotoError, match="more than 1,000 bytes"):
        encoded_photo("/dev/zero")
    with pytest.raises(PhotoError, match="has 1,001 bytes"):
        encoded_photo(bytes(1001))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_pil_images_are_what_the_server_makes_of_their_file(mode: str) -> None:
    noise = np.random.default_rng(0).integers(0, 65536, (31, 47, 3), dtype=np.uint16)
    grey = Image.fromarray(noise[:, :, 0])
    picture = grey if mode == "I;16" else Image.fromarray((noise >> 8).astype(np.uint8)).convert(mode)
    file = io.BytesIO()
    picture.save(file, "PNG")
    right = decode(file.getvalue(), probe(file.getvalue()))
    for given in (picture, Image.open(file)):
        sent = encoded_photo(given)
        assert np.array_equal(decode(sent, probe(sent)), right)


@pytest.mark.parametrize("mode", ["I", "I;16", "I;16L", "I;16B"])
def test_16_bits_become_the_upper_8(mode: str) -> None:
    with Image.open(io.BytesIO(encoded_photo(Image.new(mode, (3, 2), 0x1234)))) as sent:
        assert np.array_equal(np.asarray(sent), np.full((2, 3, 3), 0x12, np.uint8))


@pytest.mark.parametrize("mode", ["La", "PA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"])
def test_modes_that_no_photo_file_has(mode: str) -> None:
    with Image.open(io.BytesIO(encoded_photo(Image.new(mode, (3, 2))))) as sent:
        assert (sent.mode, sent.size) == ("RGB", (3, 2))


@pytest.mark.parametrize("mode", ["LAB", "HSV", "YCbCr", "RGBX", "La", "RGBa", "PA", "CMYK"])
def test_pixels_of_modes_that_no_photo_file_has(mode: str) -> None:
    """As Pillow itself has their colours; transparency is dropped."""
    noise = np.random.default_rng(0).integers(0, 256, (31, 47, 3), dtype=np.uint8)
    picture, way = Image.fromarray(noise), {"LAB": None, "La": "LA", "RGBa": "RGBA"}.get(mode, mode)
    if mode == "LAB":
        picture = Image.frombytes("LAB", (47, 31), noise.tobytes())
    elif mode == "PA":
        picture = picture.convert("P").convert("PA")
    else:
        picture = picture.convert(way).convert(mode) if way != mode else picture.convert(mode)
    assert picture.mode == mode
    right = (picture.convert(way) if mode in ("La", "RGBa") else picture).convert("RGB")
    with Image.open(io.BytesIO(encoded_photo(picture))) as sent:
        assert np.array_equal(np.asarray(sent), np.asarray(right))
        assert np.asarray(sent).std() > 20


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg_of_any_mode_is_what_the_server_makes_of_it(mode: str, photo: bytes) -> None:
    file = io.BytesIO()
    with Image.open(io.BytesIO(photo)) as picture:
        picture.resize((160, 107)).convert(mode).save(file, "JPEG", quality=95)
    right = decode(file.getvalue(), probe(file.getvalue()))
    with Image.open(file) as picture:
        assert picture.mode == mode
        sent = encoded_photo(picture)
    # Two decoders of JPEG may differ by a level or two.
    assert np.abs(decode(sent, probe(sent)).astype(int) - right).max() <= 8


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (Image.new("F", (3, 2)), "mode F, floats"),
        (Image.new("I", (3, 2), 70_000), "values from 70000 to 70000.*0 to 65535"),
        (Image.new("RGB", (0, 0)), "0 x 0 pixels"),
        (Image.new("RGB", (3, 0)), "3 x 0 pixels"),
        *(
            (np.zeros((4, 4, 3), kind), f"type {kind}.*uint8")
            for kind in ("bool", "int8", "uint16", "int64", "float64")
        ),
    ],
)
def test_pixels_whose_range_is_unknown_are_refused(picture: Any, reason: str) -> None:
    with pytest.raises(PhotoError, match=reason):
        encoded_photo(picture)


def test_16_bits_with_a_transparent_value() -> None:
    file = io.BytesIO()
    Image.new("I;16", (3, 2), 0x1234).save(file, "PNG", transparency=0x1234)
    with Image.open(file) as picture, Image.open(io.BytesIO(encoded_photo(picture))) as sent:
        assert np.unique(np.asarray(sent)).tolist() == [0x12]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_orientation_is_the_servers(format: str, orientation: int, photo: bytes) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    with Image.open(io.BytesIO(photo)) as picture:
        lossless = {"lossless": True} if format == "WEBP" else {}
        picture.resize((64, 40)).save(file, format, exif=exif, **lossless)
    right = decode(file.getvalue(), probe(file.getvalue()))
    with Image.open(file) as picture:
        sent = encoded_photo(picture)
    # Two decoders of JPEG may differ by a level or two.
    assert np.abs(decode(sent, probe(sent)).astype(int) - right).max() <= (8 if format == "JPEG" else 0)


def test_orientation_in_xmp_does_not_count() -> None:
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", '<x tiff:Orientation="6"/>')
    file = io.BytesIO()
    Image.new("RGB", (3, 2)).save(file, "PNG", pnginfo=info)
    with Image.open(file) as picture, Image.open(io.BytesIO(encoded_photo(picture))) as sent:
        assert sent.size == (3, 2)


def test_pixels_of_what_is_no_photo_are_refused_with_how_it_begins(tmp_path: Path) -> None:
    file = tmp_path / "text.jpg"
    file.write_bytes(b"hello, this is text")
    for photo in (file, file.read_bytes()):
        with pytest.raises(
            PhotoError, match=r"cannot be read: it begins with b'hello, this '. Is it JPEG, PNG or WebP"
        ):
            upright_rgb(photo)
