"""Photo bytes to an upright RGB array."""

import io
import struct
from collections.abc import Callable

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from midas_server.errors import InvalidRequest
from midas_server.imaging.probe import ACCEPTED_FORMATS, TURNED_ORIENTATIONS, Header

Pixels = NDArray[np.uint8]

END_OF_IMAGE = b"\xff\xd9"
START_OF_SCAN = (0xFF, 0xDA)

# The scales at which libjpeg-turbo has fast inverse transforms. The ones between, such as 3/8 and 3/4, take longer than
# the next larger of these: 13.8 ms against 6.5 ms in full, for 1080p.
REDUCTIONS = (8, 4, 2)
# A reduced photo is at least this many times as large as the network's input on both sides. Networks are trained on
# photos that cubic interpolation has reduced from the full size, which leaves them sharp; at once the size of the
# input they would be soft, and depth worse (AbsRel +3 %; at twice the size +0.7 %). See docs/postprocessing.md.
MARGIN = 2

# Every scan of a progressive JPEG costs a pass over all pixels, and needs but a few bytes: 100 scans of 64 megapixels,
# in a file of 400 kB, would take a minute. Encoders write about ten. (libjpeg-turbo's tools have such a limit too.)
MAX_SCANS = 100
MAX_SCANNED_PIXELS = 640_000_000
SCANS_OF_ANY_SIZE = 16

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


def decode(data: bytes, header: Header, covering: tuple[int, int] | None = None) -> Pixels:
    """Decode a photo as people see it.

    Grey becomes RGB with equal channels, 16 bits become the upper 8, transparency is dropped (as the official code
    does), CMYK is converted, of an animation the first frame is taken, and the EXIF orientation is applied.

    Args:
        data: the file whose `header` was probed.
        header: what `probe` returned for it.
        covering: (width, height) of the network's input, upright, where the photo is for nothing else: a JPEG is then
            decoded at a half, a quarter or an eighth if that is still at least twice as large on both sides.

    Returns:
        uint8 RGB ``[height, width, 3]``, contiguous, of the header's upright size, or of a reduced one (rounded up).

    Raises:
        InvalidRequest: the data end early or are damaged.
    """
    size = _stored_size(header, covering)
    if header.format == "JPEG":
        _check_scans(data, header)
    if header.format == "JPEG" and header.mode in ("RGB", "L"):
        stored = _decode_jpeg(data, size)
    else:
        stored = _decode_with_pillow(data, size)
    return np.ascontiguousarray(UPRIGHT[header.orientation](stored))


def _stored_size(header: Header, covering: tuple[int, int] | None) -> tuple[int, int]:
    """The (width, height), as in the file, that a JPEG is to be decoded at."""
    size = (header.stored_width, header.stored_height)
    if header.format != "JPEG" or covering is None:
        return size
    needed = covering[::-1] if header.orientation in TURNED_ORIENTATIONS else covering
    for reduction in REDUCTIONS:
        reduced = (-(-size[0] // reduction), -(-size[1] // reduction))
        if reduced[0] >= MARGIN * needed[0] and reduced[1] >= MARGIN * needed[1]:
            return reduced
    return size


def _check_scans(data: bytes, header: Header) -> None:
    scans = count_scans(data)
    within = MAX_SCANNED_PIXELS // (header.stored_width * header.stored_height)
    allowed = min(MAX_SCANS, max(within, SCANS_OF_ANY_SIZE))
    if scans > allowed:
        raise InvalidRequest(f"the JPEG has {scans:,} scans, the limit at its size is {allowed}: save it again")


def count_scans(data: bytes, piece: int = 1 << 20) -> int:
    """How many scans a JPEG has, thumbnails' included. (bytes.count takes seven times as long, 0.4 ms for 1080p.)"""
    stored = np.frombuffer(data, np.uint8)
    scans = 0
    for start in range(0, len(stored) - 1, piece):
        part = stored[start : start + piece + 1]  # one more: a marker may lie across the cut
        scans += np.count_nonzero((part[:-1] == START_OF_SCAN[0]) & (part[1:] == START_OF_SCAN[1]))
    return scans


def _decode_jpeg(data: bytes, size: tuple[int, int]) -> Pixels:
    try:
        return _libjpeg(data, size)
    except ValueError as error:
        complaint = str(error).lower()
    # The missing end marker alone is harmless; libjpeg says whether pixels are missing too once it is there.
    if "premature end of jpeg file" in complaint:
        data = data + END_OF_IMAGE
        try:
            return _libjpeg(data, size)
        except ValueError as error:
            complaint = str(error).lower()
    if "premature end" in complaint:
        raise InvalidRequest("the JPEG ends early, part of the photo is missing: send the whole file")
    # What is left are oddities that every viewer tolerates, such as stray bytes between two markers; Pillow does too.
    return _decode_with_pillow(data, size)


def _libjpeg(data: bytes, size: tuple[int, int]) -> Pixels:
    # It takes the smallest scale that is not below these.
    pixels = simplejpeg.decode_jpeg(data, "RGB", min_width=size[0], min_height=size[1], strict=True)
    return np.asarray(pixels, np.uint8)


def _decode_with_pillow(data: bytes, size: tuple[int, int]) -> Pixels:
    try:
        with Image.open(io.BytesIO(data), formats=ACCEPTED_FORMATS) as image:
            image.draft(None, size)  # does something for a JPEG only
            image.load()
            if image.mode.startswith("I"):  # 16-bit grey
                grey = (np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)
                return np.repeat(grey[:, :, None], 3, axis=2)
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, struct.error, EOFError, OverflowError) as error:
        raise InvalidRequest(f"the photo ends early or is damaged ({error}): send an intact file") from None
