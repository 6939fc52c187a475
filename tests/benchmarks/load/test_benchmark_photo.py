"""The photo and perf_analyzer's input file."""

import base64
import io
import json
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.load.photo import jpeg, write_input_data, write_pixel_data


@pytest.mark.parametrize("size", [(1920, 1080), (640, 480), (300, 900)])
def test_photo_is_a_jpeg_of_that_size(size: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(jpeg(*size))) as photo:
        assert (photo.format, photo.mode, photo.size) == ("JPEG", "RGB", size)


def test_photo_is_the_same_each_time() -> None:
    assert jpeg(640, 480) == jpeg(640, 480)


def test_input_data_is_one_request_with_a_length_before_the_bytes(tmp_path: Path) -> None:
    file = tmp_path / "photo.json"
    write_input_data(b"photo", file)
    ((name, tensor),) = json.loads(file.read_text())["data"][0].items()
    assert (name, tensor["shape"]) == ("IMAGE", [1])
    assert base64.b64decode(tensor["b64"]) == b"\x05\x00\x00\x00photo"


def test_pixels_for_a_network_are_the_photos(tmp_path: Path) -> None:
    file = tmp_path / "pixels.json"
    write_pixel_data(jpeg(640, 480), (64, 48), file)
    ((name, tensor),) = json.loads(file.read_text())["data"][0].items()
    pixels = base64.b64decode(tensor["b64"])
    assert (name, tensor["shape"], len(pixels)) == ("PIXELS", [48, 64, 3], 48 * 64 * 3)
    with Image.open(io.BytesIO(jpeg(640, 480))) as photo:
        small = photo.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(small, tuple)
    for channel in range(3):
        assert sum(pixels[channel::3]) / (48 * 64) == pytest.approx(small[channel], abs=2)
