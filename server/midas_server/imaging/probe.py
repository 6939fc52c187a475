"""Reads what a photo's header says, and refuses what would be too expensive to decode."""

import io
import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from midas_server.errors import InvalidRequest

# Our own limits are checked below, with messages for the caller; Pillow would print a warning for the operator instead.
Image.MAX_IMAGE_PIXELS = None

ORIENTATION_TAG = 0x0112
TURNED_ORIENTATIONS = (5, 6, 7, 8)

ACCEPTED_FORMATS = ("JPEG", "PNG", "WEBP")

# What people send by mistake, told from the first bytes, so that the answer can name it.
KNOWN_SIGNATURES = (
    (0, b"GIF8", "a GIF"),
    (0, b"BM", "a BMP"),
    (0, b"II*\0", "a TIFF"),
    (0, b"MM\0*", "a TIFF"),
    (0, b"%PDF", "a PDF"),
    (4, b"ftypheic", "a HEIC photo"),
    (4, b"ftypheix", "a HEIC photo"),
    (4, b"ftypmif1", "a HEIF photo"),
    (4, b"ftypavif", "an AVIF photo"),
)


# The operator's variable for each limit, and the largest value that makes sense: a BYTES tensor counts its bytes with
# 32 bits, and no JPEG has a longer side.
LIMIT_VARIABLES = {
    "max_bytes": ("MIDAS_MAX_BYTES", 2**31 - 1),
    "max_pixels": ("MIDAS_MAX_PIXELS", 1_000_000_000),
    "max_side": ("MIDAS_MAX_SIDE", 65_535),
    "max_ratio": ("MIDAS_MAX_RATIO", 65_535),
}


@dataclass(frozen=True)
class Limits:
    """What a photo may measure, checked from its header alone.

    Attributes:
        max_bytes: of the file.
        max_pixels: width times height.
        max_side: the longer side, in pixels.
        max_ratio: the longer side divided by the shorter.
    """

    max_bytes: int = 32_000_000
    max_pixels: int = 64_000_000
    max_side: int = 16_384
    max_ratio: int = 20

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Limits":
        """The defaults above, but for those that the operator set with a variable of `LIMIT_VARIABLES`.

        An empty variable counts as unset, as docker compose makes them.

        Raises:
            ValueError: a variable is not a whole number in its range.
        """
        chosen: dict[str, int] = {}
        for limit, (variable, largest) in LIMIT_VARIABLES.items():
            text = environment.get(variable, "").strip().replace("_", "")
            if not text:
                continue
            if not (text.isascii() and text.isdigit() and 1 <= int(text) <= largest):
                raise ValueError(f"{variable} is {text!r}: it must be a whole number from 1 to {largest:,}, or unset")
            chosen[limit] = int(text)
        return cls(**chosen)


@dataclass(frozen=True)
class Header:
    """What the header of a photo says.

    Attributes:
        format: ``JPEG``, ``PNG`` or ``WEBP``.
        mode: Pillow's name of the stored pixels: ``RGB``, ``L``, ``CMYK``, ``I;16``, ...
        stored_width, stored_height: pixels as they lie in the file.
        orientation: EXIF orientation, 1 to 8; 1 where it is missing or unreadable.
    """

    format: str
    mode: str
    stored_width: int
    stored_height: int
    orientation: int

    @property
    def width(self) -> int:
        """Width of the photo as people see it, after its EXIF orientation."""
        return self.stored_height if self.orientation in TURNED_ORIENTATIONS else self.stored_width

    @property
    def height(self) -> int:
        """Height of the photo as people see it, after its EXIF orientation."""
        return self.stored_width if self.orientation in TURNED_ORIENTATIONS else self.stored_height


def probe(data: bytes, limits: Limits = Limits()) -> Header:
    """Read the header of an encoded photo without decoding a pixel.

    Args:
        data: a whole JPEG, PNG or WebP file.
        limits: what is accepted.

    Raises:
        InvalidRequest: the data are empty, no such photo, or beyond the limits.
    """
    if not data:
        raise InvalidRequest("the photo is empty (0 bytes): send the bytes of a JPEG, PNG or WebP file")
    if len(data) > limits.max_bytes:
        raise InvalidRequest(
            f"the photo has {len(data):,} bytes, the limit is {limits.max_bytes:,}: send a smaller one"
        )
    # Pillow's remarks on odd EXIF are for nobody here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = _read_header(data)
    _check_size(header, limits)
    return header


def _read_header(data: bytes) -> Header:
    try:
        image = Image.open(io.BytesIO(data), formats=ACCEPTED_FORMATS)
    except UnidentifiedImageError:
        raise InvalidRequest(
            f"this is not a photo that can be read: expected a JPEG, PNG or WebP file, got {_describe(data)}"
        ) from None
    except (OSError, SyntaxError, ValueError, struct.error, OverflowError) as error:
        raise InvalidRequest(f"the photo ends early or its header is damaged ({error}): send an intact file") from None
    with image:
        # Pillow calls a JPEG with several pictures in it (many phones write them) MPO; its first picture is the photo.
        return Header(
            format="JPEG" if image.format == "MPO" else str(image.format),
            mode=image.mode,
            stored_width=image.width,
            stored_height=image.height,
            orientation=_orientation(image),
        )


def _check_size(header: Header, limits: Limits) -> None:
    width, height = header.width, header.height
    if width < 1 or height < 1:
        raise InvalidRequest(f"the photo is {width}x{height} pixels: both sides must be at least 1")
    if max(width, height) > limits.max_side:
        raise InvalidRequest(
            f"the photo is {width}x{height} pixels, the longest side allowed is {limits.max_side:,}: send a smaller one"
        )
    if width * height > limits.max_pixels:
        raise InvalidRequest(
            f"the photo is {width}x{height} = {width * height:,} pixels, the limit is {limits.max_pixels:,}: "
            "send a smaller one"
        )
    if max(width, height) > limits.max_ratio * min(width, height):
        raise InvalidRequest(
            f"the photo is {width}x{height} pixels, the sides may differ at most {limits.max_ratio} times: crop it"
        )


def _orientation(image: Image.Image) -> int:
    # Not image.getexif(): for a PNG without EXIF it decodes the pixels, to look for EXIF behind them.
    exif = Image.Exif()
    try:
        exif.load(image.info.get("exif", b""))
        orientation = exif.get(ORIENTATION_TAG, 1)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, struct.error, OverflowError):
        return 1  # broken EXIF must not cost a photo that is fine otherwise
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def _describe(data: bytes) -> str:
    for offset, signature, name in KNOWN_SIGNATURES:
        if data[offset : offset + len(signature)] == signature:
            return f"{name}; convert it first"
    start = data[:64].lstrip().lower()
    if start.startswith((b"<svg", b"<?xml")):
        return "an SVG or XML file"
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    if all(byte >= 0x20 or byte in b"\t\r\n" for byte in data[:64]):
        return f"text that begins with {data[:24].decode('utf-8', 'replace')!r}"
    return f"{len(data):,} bytes of another kind"
