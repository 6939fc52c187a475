"""Whatever reads a photo turns it as the server does: by EXIF proper, and by nothing else."""

import base64
import io
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from accuracy.pair import decode_photo
from benchmarks.load.photo import write_pixel_data
from demo.picture import upright
from midas_client import upright_rgb
from midas_client._photo import encoded_photo
from midas_client._scene_cuts import photo_thumbnail
from midas_server.imaging.decode import decode
from midas_server.imaging.probe import probe

STORED = np.repeat(np.arange(0, 240, 5, dtype=np.uint8).reshape(6, 8, 1), 3, axis=2)
TURNED = np.rot90(STORED, -1)
EXIF = b"II*\0" + struct.pack("<IHHHIHxxI", 8, 1, 0x0112, 3, 1, 6, 0)  # turn by 90 degrees, clockwise
XMP = b'<x:xmpmeta><rdf:RDF xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></x:xmpmeta>'


def png(name: bytes, body: bytes, *, behind_pixels: bool = False) -> bytes:
    file = io.BytesIO()
    Image.fromarray(STORED).save(file, "PNG")
    data = file.getvalue()
    place = data.index(b"IEND" if behind_pixels else b"IDAT") - 4
    return (
        data[:place]
        + struct.pack(">I", len(body))
        + name
        + body
        + struct.pack(">I", zlib.crc32(name + body))
        + data[place:]
    )


PHOTOS: dict[str, tuple[bytes, NDArray[np.uint8]]] = {
    "EXIF": (png(b"eXIf", EXIF), TURNED),
    "EXIF behind the pixels": (png(b"eXIf", EXIF, behind_pixels=True), TURNED),
    "XMP": (png(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP), STORED),
    "text": (
        png(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n      26\n" + EXIF.hex().encode())),
        STORED,
    ),
}


def by_the_benchmarks(path: Path) -> NDArray[np.uint8]:
    file = path.with_suffix(".json")
    with Image.open(path) as image:
        turned = image.size if PHOTOS[path.stem][1] is STORED else image.size[::-1]
    write_pixel_data(path.read_bytes(), turned, file)
    tensor = json.loads(file.read_text())["data"][0]["PIXELS"]
    return np.frombuffer(base64.b64decode(tensor["b64"]), np.uint8).reshape(tensor["shape"])


def as_the_client_sends_it(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        sent = encoded_photo(picture)
    return decode(sent, probe(sent))


def by_the_client_from_a_picture(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        return upright_rgb(picture)


READERS = [
    decode_photo,
    lambda path: np.asarray(upright(path)),
    by_the_benchmarks,
    as_the_client_sends_it,
    by_the_client_from_a_picture,
    upright_rgb,
    lambda path: upright_rgb(path.read_bytes()),
    lambda path: upright_rgb(io.BytesIO(path.read_bytes())),
]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("name", PHOTOS)
def test_one_rule_for_all(tmp_path: Path, name: str, read: Callable[[Path], NDArray[np.uint8]]) -> None:
    data, expected = PHOTOS[name]
    path = tmp_path / f"{name}.png"
    path.write_bytes(data)
    np.testing.assert_array_equal(read(path), expected)


@pytest.mark.parametrize("name", PHOTOS)
def test_frames_of_a_video_too(name: str) -> None:
    data, expected = PHOTOS[name]
    right = photo_thumbnail(expected)
    np.testing.assert_array_equal(photo_thumbnail(data), right)
    with Image.open(io.BytesIO(data)) as picture:
        np.testing.assert_array_equal(photo_thumbnail(picture), right)
