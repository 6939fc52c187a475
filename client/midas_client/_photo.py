"""From what a caller has to the encoded bytes that the server takes."""

from __future__ import annotations

import functools
import io
import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Union

import numpy as np
import numpy.typing as npt

from midas_client._errors import PhotoError

if TYPE_CHECKING:
    import PIL.Image

Photo = Union[str, "os.PathLike[str]", bytes, IO[bytes], npt.NDArray[np.uint8], "PIL.Image.Image"]

# One request of either protocol ends at 2 GiB. A file above half of that is not a photo, and need not be read to say
# so.
MAX_BYTES = 2**30

_KINDS = (
    "A photo is a path, the bytes of a JPEG, PNG or WebP file, a file object, a numpy array uint8 [H, W, 3] in RGB "
    "order, or a PIL image"
)
_ORIENTATION = 0x0112
# What undoes each EXIF orientation but 1. (EXIF 2.32, table 4.6.4: tag Orientation)
_TURNS: dict[object, str] = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
_URL = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]+://|data:)")


def encoded_photo(photo: Photo) -> bytes:
    """The photo as an encoded file.

    A path (a str is always one) and a file object are read, bytes are sent as they are; a uint8 array [H, W, 3] (RGB)
    and a PIL image are encoded as PNG: without loss, at the fastest compression level (150 ms and a third of the size
    for 1080p). A PIL image is turned upright by its EXIF alone, and 16 bits become the upper 8, as the server does it.

    Raises:
        PhotoError: it is none of these, cannot be read, is empty, or is too large to be a photo.
    """
    return _encoded(photo, _png)


@functools.cache
def probe_photo() -> bytes:
    """A small grey photo, to ask a model whether it answers, and what it says of itself in INFO."""
    return encoded_photo(np.full((64, 64, 3), 90, np.uint8))


def encoded_frame(frame: Photo) -> bytes:
    """As encoded_photo(), but that an array or a PIL image becomes a JPEG of quality 95, in a tenth of the time."""
    return _encoded(frame, _jpeg)


def _encoded(photo: Photo, encode: Callable[[PIL.Image.Image], bytes]) -> bytes:
    if isinstance(photo, (bytes, bytearray, memoryview)):
        data = bytes(photo)
        if not data:
            raise PhotoError("The photo is empty: 0 bytes", hint=_KINDS)
        if len(data) > MAX_BYTES:
            raise PhotoError(f"The photo has {len(data):,} bytes", hint=f"At most {MAX_BYTES:,} can be sent")
        return data
    if isinstance(photo, np.ndarray):
        return encode(_picture(photo))
    if isinstance(photo, (str, os.PathLike)):
        return _file(photo)
    if is_picture(photo):
        return encode(upright_picture(photo))
    if hasattr(photo, "read"):
        return _read(photo, f"The file object {getattr(photo, 'name', photo)!r}")
    raise PhotoError(f"The photo is a {type(photo).__module__}.{type(photo).__qualname__}", hint=_KINDS)


def _file(photo: str | os.PathLike[str]) -> bytes:
    name = os.fspath(photo)
    if _URL.match(name):
        raise PhotoError(
            f"{name!r} is a URL, and a text is always taken for a path: nothing is fetched from the network",
            hint="Download the photo and give its bytes",
        )
    path = Path(name)
    try:
        if path.is_dir():
            raise PhotoError(f"{name!r} is a folder", hint="Give the photos in it one by one")
        with path.open("rb") as file:
            return _read(file, repr(name))
    except (OSError, ValueError) as error:
        if isinstance(error, PhotoError):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PhotoError(f"{name!r} cannot be read: {reason}") from error


def _read(file: Any, name: str) -> bytes:
    """All that is left in a file object.

    Raises:
        OSError, ValueError: as its read() does.
    """
    # The size is not asked for beforehand: a pipe or a device has none, and may never end.
    data = file.read(MAX_BYTES + 1)
    if not isinstance(data, bytes):
        raise PhotoError(f"{name} gives {type(data).__name__} instead of bytes", hint='Open it with mode "rb"')
    if not data:
        raise PhotoError(f"{name} is empty", hint=_KINDS)
    if len(data) > MAX_BYTES:
        raise PhotoError(f"{name} has more than {MAX_BYTES:,} bytes", hint="Is it a photo?")
    return data


def _picture(array: npt.NDArray[np.uint8]) -> PIL.Image.Image:
    from PIL import Image  # noqa: PLC0415 - not needed by who sends files

    if array.dtype != np.uint8:
        how = {
            "f": "It must be uint8, 0 to 255; from floats between 0 and 1: "
            "(array.clip(0, 1) * 255).round().astype(numpy.uint8)",
            "u": "It must be uint8, 0 to 255; from 16 bits: (array >> 8).astype(numpy.uint8)",
        }
        raise PhotoError(
            f"The array is of type {array.dtype}", hint=how.get(array.dtype.kind, "It must be uint8, 0 to 255")
        )
    if array.ndim != 3 or array.shape[2] != 3 or array.size == 0:
        raise PhotoError(
            f"The array has shape {list(array.shape)}",
            hint="It must be [H, W, 3] in RGB order; from grey: numpy.stack([grey] * 3, axis=2), "
            "from RGBA: array[..., :3]",
        )
    return Image.fromarray(np.ascontiguousarray(array))


def is_picture(photo: object) -> bool:
    """Whether it is a PIL image, without importing PIL for it."""
    return any(kind.__module__ == "PIL.Image" for kind in type(photo).__mro__)


def upright_rgb(photo: Photo) -> npt.NDArray[np.uint8]:
    """The photo's pixels as the server sees them, such as for the colours of a point cloud.

    Args:
        photo: what predict() takes.

    Returns:
        uint8 RGB [H, W, 3], upright: turned by the photo's EXIF, and by nothing else. XMP does not count, nor do the
        old texts of PNG, for which PIL.ImageOps.exif_transpose() would turn it.

    Raises:
        PhotoError: it cannot be read.

    >>> width, height = client.predict("photo.jpg").photo_size
    >>> upright_rgb("photo.jpg").shape == (height, width, 3)
    True
    """
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415

    if isinstance(photo, np.ndarray):
        return np.asarray(_picture(photo))
    if is_picture(photo):
        return np.asarray(upright_picture(photo))
    file = encoded_photo(photo)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(with_end_marker(file))) as picture:
                return np.asarray(upright_picture(picture))
    except PhotoError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        # Pillow would name an object in memory
        reason = f"it begins with {file[:12]!r}" if isinstance(error, UnidentifiedImageError) else error
        raise PhotoError(f"The photo cannot be read: {reason}", hint="Is it JPEG, PNG or WebP?") from error


def with_end_marker(file: bytes) -> bytes:
    """The server takes a JPEG without its end marker, and Pillow does not. A second marker does no harm."""
    return file + b"\xff\xd9" if file[:2] == b"\xff\xd8" else file


def upright_picture(picture: Any) -> PIL.Image.Image:
    """A PIL image as RGB, upright by EXIF alone, as the server would make it of the picture's file.

    Raises:
        PhotoError: it has no pixels, holds floats, or cannot be decoded.
    """
    from PIL import Image  # noqa: PLC0415

    if 0 in picture.size:
        raise PhotoError(f"The PIL image is {picture.width} x {picture.height} pixels", hint="Both must be at least 1")
    if picture.mode == "F":
        raise PhotoError(
            "The PIL image is of mode F, floats whose range nobody knows",
            hint="Make it 8 bits; from floats between 0 and 1: "
            "Image.fromarray((numpy.asarray(picture).clip(0, 1) * 255).round().astype(numpy.uint8))",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as "Palette images with Transparency": it is dropped anyway
            picture.load()
            rgb = _upper_bits(picture) if picture.mode.startswith("I") else _rgb(picture)
            turn = _TURNS.get(_orientation(picture))
            return rgb if turn is None else rgb.transpose(Image.Transpose[turn])
    except PhotoError:
        raise
    except Exception as error:
        # Pillow reads a file when its pixels are first wanted, and has many ways to say that it is broken.
        raise PhotoError(
            f"The PIL image cannot be read: {error}", hint="Is its file complete, and still open?"
        ) from error


def _rgb(picture: Any) -> PIL.Image.Image:
    """Transparency is dropped. Pillow converts some modes to RGB by way of another only."""
    by_way_of = {"La": "LA", "RGBa": "RGBA"}.get(picture.mode)
    rgb: PIL.Image.Image = (picture if by_way_of is None else picture.convert(by_way_of)).convert("RGB")
    return rgb


def _upper_bits(picture: Any) -> PIL.Image.Image:
    """16-bit grey by its upper 8 bits."""
    from PIL import Image  # noqa: PLC0415

    values = np.asarray(picture)
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise PhotoError(
            f"The PIL image of mode {picture.mode} has values from {low} to {high}", hint="Allowed: 16 bits, 0 to 65535"
        )
    return Image.fromarray((values.astype(np.uint32) >> 8).astype(np.uint8)).convert("RGB")


def _orientation(picture: Any) -> object:
    """By EXIF alone, as the server and browsers have it: not getexif(), which falls back on XMP and old texts."""
    from PIL import Image  # noqa: PLC0415

    exif = Image.Exif()
    try:
        if "exif" in picture.info:
            exif.load(picture.info["exif"])
        # What a program has set on the picture by getexif()[0x0112] = ... does not count: it is not in the file.
        return exif.get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - broken EXIF must not cost a photo that is fine otherwise
        return 1


def _png(picture: PIL.Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _jpeg(picture: PIL.Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=95)
    return file.getvalue()
