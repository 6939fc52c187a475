"""Reads what a photo's header says, and refuses what would be too expensive to decode.

The headers are read by functions of our own, not by Pillow: it inflates texts and profiles that nobody needs, and takes
half a minute for 32 MB of tiny segments.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from midas_server.errors import InvalidRequest
from midas_server.imaging import jpeg, png, webp
from midas_server.imaging.not_a_photo import describe
from midas_server.imaging.orientation import exif_orientation

TURNED_ORIENTATIONS = (5, 6, 7, 8)

FILE_TYPES = ("JPEG", "PNG", "WEBP")

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
        file_type: `JPEG`, `PNG` or `WEBP`.
        mode: Pillow's name of the stored pixels, such as `RGB`, `L`, `CMYK` or `I;16`; of a WebP `RGB`.
        stored_width, stored_height: pixels as they lie in the file.
        orientation: EXIF orientation, 1 to 8; 1 where it is missing or unreadable.
    """

    file_type: str
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
            f"the photo has {len(data):,} bytes, the limit is {limits.max_bytes:,}{_set_by('max_bytes')}: "
            "send a smaller one"
        )
    header = _read_header(data)
    _check_size(header, limits)
    return header


def _read_header(data: bytes) -> Header:
    if data.startswith(jpeg.SIGNATURE):
        if b"\0" not in data:  # there is one in the length of nearly every segment
            raise InvalidRequest(
                "this is a JPEG without a zero byte, as curl -d makes them: send the file as bytes (curl --data-binary)"
            )
        frame, exif = jpeg.read_header(data)
        return Header("JPEG", frame.mode, frame.width, frame.height, exif_orientation(exif))
    if data.startswith(png.SIGNATURE):
        mode, width, height, exif = png.read_header(data)
        return Header("PNG", mode, width, height, exif_orientation(exif))
    if webp.is_webp(data):
        width, height, exif = webp.read_header(data)
        return Header("WEBP", "RGB", width, height, exif_orientation(exif))
    raise InvalidRequest(
        f"this is not a photo that can be read: expected a JPEG, PNG or WebP file, got {describe(data)}"
    )


def _set_by(limit: str) -> str:
    return f" (the server's {LIMIT_VARIABLES[limit][0]})"


def _check_size(header: Header, limits: Limits) -> None:
    width, height = header.width, header.height
    if width < 1 or height < 1:
        raise InvalidRequest(f"the photo is {width}x{height} pixels: both sides must be at least 1")
    if max(width, height) > limits.max_side:
        raise InvalidRequest(
            f"the photo is {width}x{height} pixels, the longest side allowed is {limits.max_side:,}"
            f"{_set_by('max_side')}: send a smaller one"
        )
    if width * height > limits.max_pixels:
        raise InvalidRequest(
            f"the photo is {width}x{height} = {width * height:,} pixels, the limit is {limits.max_pixels:,}"
            f"{_set_by('max_pixels')}: send a smaller one"
        )
    if max(width, height) > limits.max_ratio * min(width, height):
        raise InvalidRequest(
            f"the photo is {width}x{height} pixels, the sides may differ at most {limits.max_ratio} times"
            f"{_set_by('max_ratio')}: crop it"
        )
