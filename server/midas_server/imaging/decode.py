"""Photo bytes to an upright RGB array."""

import io
import struct
from collections.abc import Callable

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from midas_server.errors import InvalidRequest
from midas_server.imaging.probe import ACCEPTED_FORMATS, Header

Pixels = NDArray[np.uint8]

END_OF_IMAGE = b"\xff\xd9"

# What undoes each EXIF orientation, as numpy views of [H, W, 3]. (EXIF 2.32, table 4.6.4: tag Orientation)
UPRIGHT: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: p.swapaxes(0, 1)[:, ::-1],
    7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
    8: lambda p: p.swapaxes(0, 1)[::-1],
}


def decode(data: bytes, header: Header) -> Pixels:
    """Decode a photo as people see it.

    Grey becomes RGB with equal channels, 16 bits become the upper 8, transparency is dropped (as the official code
    does), CMYK is converted, of an animation the first frame is taken, and the EXIF orientation is applied.

    Args:
        data: the file whose `header` was probed.
        header: what `probe` returned for it.

    Returns:
        uint8 RGB ``[height, width, 3]``, contiguous, of the header's upright size.

    Raises:
        InvalidRequest: the data end early or are damaged.
    """
    if header.format == "JPEG" and header.mode in ("RGB", "L"):
        stored = _decode_jpeg(data)
    else:
        stored = _decode_with_pillow(data)
    return np.ascontiguousarray(UPRIGHT[header.orientation](stored))


def _decode_jpeg(data: bytes) -> Pixels:
    try:
        return _libjpeg(data)
    except ValueError as error:
        complaint = str(error).lower()
    # The missing end marker alone is harmless; libjpeg says whether pixels are missing too once it is there.
    if "premature end of jpeg file" in complaint:
        data = data + END_OF_IMAGE
        try:
            return _libjpeg(data)
        except ValueError as error:
            complaint = str(error).lower()
    if "premature end" in complaint:
        raise InvalidRequest("the JPEG ends early, part of the photo is missing: send the whole file")
    # What is left are oddities that every viewer tolerates, such as stray bytes between two markers; Pillow does too.
    return _decode_with_pillow(data)


def _libjpeg(data: bytes) -> Pixels:
    return np.asarray(simplejpeg.decode_jpeg(data, "RGB", strict=True), np.uint8)


def _decode_with_pillow(data: bytes) -> Pixels:
    try:
        with Image.open(io.BytesIO(data), formats=ACCEPTED_FORMATS) as image:
            image.load()
            if image.mode.startswith("I"):  # 16-bit grey
                grey = (np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)
                return np.repeat(grey[:, :, None], 3, axis=2)
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, struct.error, EOFError, OverflowError) as error:
        raise InvalidRequest(f"the photo ends early or is damaged ({error}): send an intact file") from None
