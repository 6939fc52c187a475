"""Photo bytes to an upright RGB array."""

import io
import re
import struct
from collections.abc import Callable

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from midas_server.errors import InvalidRequest
from midas_server.imaging import jpeg, png
from midas_server.imaging.probe import FILE_TYPES, TURNED_ORIENTATIONS, Header

Pixels = NDArray[np.uint8]

# Our own limits are checked by probe; Pillow would print a warning for the operator instead.
Image.MAX_IMAGE_PIXELS = None

END_OF_IMAGE = b"\xff\xd9"
START_OF_SCAN = (0xFF, 0xDA)

# What libjpeg says when it had to invent pixels, or had data left over before a restart marker. Its other remarks are
# about oddities that cost none, such as stray bytes between two segments.
INVENTED = re.compile(
    "premature end|bad huffman code|bad arithmetic code|instead of rst|before marker 0xd[0-7]", re.IGNORECASE
)
ENDS_EARLY = "the JPEG ends early, part of the photo is missing: send the whole file"

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
        uint8 RGB `[height, width, 3]`, contiguous, of the header's upright size, or of a reduced one (rounded up).

    Raises:
        InvalidRequest: the data end early or are damaged.
    """
    size = _stored_size(header, covering)
    if header.file_type == "JPEG":
        _check_scans(data, header)
        stored = _decode_jpeg(data, header, size)
    else:
        stored = _decode_with_pillow(png.pixels_alone(data) if header.file_type == "PNG" else data, size)
    return np.ascontiguousarray(UPRIGHT[header.orientation](stored))


def _stored_size(header: Header, covering: tuple[int, int] | None) -> tuple[int, int]:
    """The (width, height), as in the file, that a JPEG is to be decoded at."""
    size = (header.stored_width, header.stored_height)
    if header.file_type != "JPEG" or covering is None:
        return size
    needed = covering[::-1] if header.orientation in TURNED_ORIENTATIONS else covering
    for reduction in REDUCTIONS:
        reduced = (-(-size[0] // reduction), -(-size[1] // reduction))
        if reduced[0] >= MARGIN * needed[0] and reduced[1] >= MARGIN * needed[1]:
            return reduced
    return size


def _check_scans(data: bytes, header: Header) -> None:
    scans = count_scans(data)
    if scans > SCANS_OF_ANY_SIZE:
        scans = jpeg.read_scans(data).count
    within = MAX_SCANNED_PIXELS // (header.stored_width * header.stored_height)
    allowed = min(MAX_SCANS, max(within, SCANS_OF_ANY_SIZE))
    if scans > allowed:
        raise InvalidRequest(f"the JPEG has {scans:,} scans, the limit at its size is {allowed}: save it again")


def count_scans(data: bytes, piece: int = 1 << 20) -> int:
    """How many scans a JPEG has at most: those of thumbnails and further pictures are included.

    (bytes.count takes seven times as long, 0.4 ms for 1080p.)
    """
    stored = np.frombuffer(data, np.uint8)
    scans = 0
    for start in range(0, len(stored) - 1, piece):
        part = stored[start : start + piece + 1]  # one more: a marker may lie across the cut
        scans += np.count_nonzero((part[:-1] == START_OF_SCAN[0]) & (part[1:] == START_OF_SCAN[1]))
    return scans


def _decode_jpeg(data: bytes, header: Header, size: tuple[int, int]) -> Pixels:
    """Whole or not at all: libjpeg itself fills what is missing or damaged with grey, and goes on."""
    pixels, complaint = _libjpeg(data, header, size)
    if pixels is not None:
        return pixels
    scans = jpeg.read_scans(data)
    # An end marker says that the scans before it are what was meant. Without it they must show that none is missing.
    if not scans.ended and not scans.complete:
        raise InvalidRequest(ENDS_EARLY)
    tidy = jpeg.without_extras(data)
    # The missing end marker alone is harmless; libjpeg says whether pixels are missing too once it is there.
    pixels, complaint = _libjpeg(tidy if scans.ended else tidy + END_OF_IMAGE, header, size)
    if pixels is not None:
        return pixels
    if INVENTED.search(complaint):
        raise InvalidRequest(_damage(tidy, header) if scans.ended else ENDS_EARLY)
    return _decode_with_pillow(tidy, size)


def _libjpeg(data: bytes, header: Header, size: tuple[int, int], strict: bool = True) -> tuple[Pixels | None, str]:
    """The pixels, or None and libjpeg's first complaint."""
    colours = "CMYK" if header.mode == "CMYK" else "RGB"
    try:
        # It takes the smallest scale that is not below these.
        pixels = simplejpeg.decode_jpeg(data, colours, min_width=size[0], min_height=size[1], strict=strict)
    except ValueError as error:
        return None, str(error)
    if header.mode == "CMYK":  # stored inverted, as Adobe does it
        pixels = np.asarray(Image.frombuffer("CMYK", pixels.shape[1::-1], pixels, "raw", "CMYK;I", 0, 1).convert("RGB"))
    return np.asarray(pixels, np.uint8), ""


def _damage(data: bytes, header: Header) -> str:
    """Say how much of a JPEG is lost, if it is the end: libjpeg fills that with rows of one colour."""
    eighth = (-(-header.stored_width // 8), -(-header.stored_height // 8))
    pixels, _ = _libjpeg(data, header, eighth, strict=False)
    lost = "part"
    if pixels is not None:
        flat = (pixels == pixels[:, :1]).all(axis=(1, 2))
        rows = int(np.argmin(flat[::-1])) if not flat.all() else len(flat)
        lost = f"about {max(rows / len(flat), 0.01):.0%}" if rows else lost
    return (
        f"the JPEG is damaged, {lost} of the picture cannot be decoded: send an intact copy, "
        "or open it in a viewer and save what is left of it"
    )


def _decode_with_pillow(data: bytes, size: tuple[int, int]) -> Pixels:
    try:
        with Image.open(io.BytesIO(data), formats=FILE_TYPES) as image:
            image.draft(None, size)  # does something for a JPEG only
            image.load()
            if image.mode.startswith("I"):  # 16-bit grey
                grey = (np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)
                return np.repeat(grey[:, :, None], 3, axis=2)
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, struct.error, EOFError, OverflowError) as error:
        # Pillow names the object that it was given, which is nothing to a caller.
        reason = "" if isinstance(error, UnidentifiedImageError) else f" ({error})"
        raise InvalidRequest(f"the photo ends early or is damaged{reason}: send an intact file") from None
