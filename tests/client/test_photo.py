"""What counts as a photo, and what is sent for it."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from midas_client import PhotoError
from midas_client._photo import encoded_frame, encoded_photo


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
