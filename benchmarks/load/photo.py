"""The photo that is sent, the same bytes on every machine with the same libraries."""

import base64
import io
import json
from pathlib import Path

from PIL import Image, ImageOps
from skimage import data

from midas_server.imaging.network_input import network_input
from midas_server.imaging.probe import probe

_QUALITY = 92


def jpeg(width: int, height: int) -> bytes:
    """Return scikit-image's coffee cup (CC0), cropped and enlarged to `width` x `height` pixels, as a JPEG.

    The enlarged picture is smooth, so the file is smaller than a camera's of that size: quality 92 instead of a
    camera's usual 85 to 90 makes up for some of it.
    """
    cup = Image.fromarray(data.coffee())  # type: ignore[no-untyped-call]
    photo = ImageOps.fit(cup, (width, height), Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    photo.save(encoded, "JPEG", quality=_QUALITY)
    return encoded.getvalue()


def write_input_data(photo: bytes, file: Path) -> None:
    """Write perf_analyzer's `--input-data` file: one request whose `IMAGE` is `photo`.

    A BYTES element is preceded by its length in 4 little-endian bytes, inside the base64.
    """
    _write(file, "IMAGE", len(photo).to_bytes(4, "little") + photo, [1])


def write_pixel_data(photo: bytes, size: tuple[int, int], file: Path) -> None:
    """Write perf_analyzer's `--input-data` file for a network step: its `PIXELS` are the photo's, resized.

    Args:
        photo: an encoded photo.
        size: width and height in the network.
        file: where to write.
    """
    pixels, _ = network_input(photo, probe(photo), size)
    _write(file, "PIXELS", pixels.tobytes(), list(pixels.shape))


def _write(file: Path, name: str, content: bytes, shape: list[int]) -> None:
    tensor = {"b64": base64.b64encode(content).decode(), "shape": shape}
    file.write_text(json.dumps({"data": [{name: tensor}]}))
