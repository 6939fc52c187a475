"""The segments of a JPEG: its frame, its EXIF, and whether all of its scans are there (ITU-T T.81, annex B)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from midas_server.errors import DamagedHeader, InvalidRequest
from midas_server.imaging.orientation import EXIF_PREFIX

SIGNATURE = b"\xff\xd8\xff"

START_OF_IMAGE, END_OF_IMAGE, START_OF_SCAN = 0xD8, 0xD9, 0xDA
APP0, APP1, APP14, APP15, COMMENT = 0xE0, 0xE1, 0xEE, 0xEF, 0xFE
# Kinds of frames, from SOF0 on, and what must not reach a decoder: libjpeg-turbo 3 knows lossless ones, but when it is
# to decode them at a reduced size it writes beyond its buffer.
FRAMES = (0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7)
PROGRESSIVE = (0xC2, 0xCA)
ARITHMETIC = (0xC9, 0xCA)
UNREADABLE = {
    0xC3: "a lossless JPEG",
    **dict.fromkeys((0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF), "a hierarchical JPEG"),
    0xCB: "an arithmetic-coded lossless JPEG",
    0xF7: "a JPEG-LS",
}
MODES = {1: "L", 3: "RGB", 4: "CMYK"}

# The next marker that has a segment: not a stuffed zero, a fill byte or one of those that stand alone (TEM, RST0 to 7).
NEXT_MARKER = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")
# A large ICC profile takes 60 segments. Millions of empty ones, which 32 MB can hold, take seconds to step over.
MOST_SEGMENTS = 10_000
# Between two segments of the header. There should be none, and viewers tolerate some.
MOST_STRAY_BYTES = 65_536


@dataclass(frozen=True)
class Frame:
    """What the frame header says.

    Attributes:
        marker: the kind of frame, 0xC0 for SOF0.
        width, height: in pixels.
        components: the ids of its channels.
    """

    marker: int
    width: int
    height: int
    components: tuple[int, ...]

    @property
    def mode(self) -> str:
        """Pillow's name of the pixels: `L`, `RGB` or `CMYK`."""
        return MODES[len(self.components)]


@dataclass(frozen=True)
class Scans:
    """What a JPEG's scan headers say.

    Attributes:
        count: how many scans there are, thumbnails' and further pictures' not included.
        ended: the end marker is there.
        complete: the scans that have begun hold every channel, and of a progressive JPEG every coefficient to its last
            bit. Of an arithmetic-coded one that is never known: its data may stop anywhere.
    """

    count: int
    ended: bool
    complete: bool


def read_header(data: bytes) -> tuple[Frame, bytes]:
    """The frame header, and the EXIF block (empty where there is none).

    Raises:
        InvalidRequest: the header is cut or damaged, or of a kind that cannot be decoded.
    """
    frame, exif = None, b""
    for marker, start, end in _segments(data):
        if end > len(data):
            break
        if marker in FRAMES:
            frame = _frame(data, marker, start, end)
        elif marker == APP1 and not exif and data.startswith(EXIF_PREFIX, start):
            exif = data[start:end]
        elif marker == START_OF_SCAN:
            if frame is None:
                raise DamagedHeader("there is no frame header")
            return frame, exif
        elif marker == END_OF_IMAGE:
            raise DamagedHeader("there is no picture in it")
    raise DamagedHeader("the data end within it")


def read_scans(data: bytes) -> Scans:
    """Look at the scan headers. It steps over the data, at some 500 MB a second.

    Raises:
        InvalidRequest: there are more segments than any encoder writes.
    """
    frame: Frame | None = None
    # By channel, the lowest bit that each of its 64 coefficients is known to; sequential JPEGs bring all at once.
    known: dict[int, list[int | None]] = {}
    count, ended = 0, False
    for marker, start, end in _segments(data):
        if end > len(data) or marker == START_OF_IMAGE:
            break
        if marker in FRAMES:
            frame = _frame(data, marker, start, end)
            known = {component: [None] * 64 for component in frame.components}
        elif marker == END_OF_IMAGE:
            ended = True
        elif marker == START_OF_SCAN and frame is not None and end - start >= 4:
            count += 1
            components = data[start + 1 : end - 3 : 2]
            first, last, low = 0, 63, 0
            if frame.marker in PROGRESSIVE:
                first, last, low = data[end - 3], min(data[end - 2], 63), data[end - 1] & 15
            for component in components:
                if component in known:
                    known[component][first : last + 1] = [low] * (last + 1 - first)
    complete = frame is not None and frame.marker not in ARITHMETIC
    complete = complete and all(low == 0 for bits in known.values() for low in bits)
    return Scans(count, ended, complete)


def without_extras(data: bytes) -> bytes:
    """The JPEG without what does not belong to its pixels: metadata, and stray bytes in its header."""
    kept = [data[:2]]
    for marker, start, end in _segments(data):
        if marker == START_OF_SCAN:
            return b"".join([*kept, data[start - 4 :]])
        if marker in (APP0, APP14) or not (APP0 <= marker <= APP15 or marker == COMMENT):
            kept.append(data[start - 4 : end])
    return data


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Each segment's marker, and where its content starts and ends, which may be beyond the data; up to the end marker.

    Entropy-coded data are stepped over.
    """
    position, stray = 2, MOST_STRAY_BYTES
    for _ in range(MOST_SEGMENTS):
        found = NEXT_MARKER.search(data, position, position + stray)
        if found is None:
            return
        marker, position = data[found.start() + 1], found.end()
        if marker in (START_OF_IMAGE, END_OF_IMAGE):
            yield marker, position, position
            if marker == END_OF_IMAGE:
                return
            continue
        # A length that is cut off, or below its own two bytes, leads nowhere.
        length = int.from_bytes(data[position : position + 2], "big")
        end = position + length if length >= 2 else len(data) + 1
        yield marker, position + 2, end
        position = end
        if marker == START_OF_SCAN:
            stray = len(data)
    raise DamagedHeader(f"it has more than {MOST_SEGMENTS:,} segments")


def _frame(data: bytes, marker: int, start: int, end: int) -> Frame:
    header = data[start:end]
    if len(header) < 6 or len(header) < 6 + 3 * header[5]:
        raise DamagedHeader("its frame header is too short")
    if marker in UNREADABLE:
        raise InvalidRequest(
            f"this is {UNREADABLE[marker]}, which cannot be read: save it as an ordinary JPEG or a PNG"
        )
    if header[0] != 8:
        raise InvalidRequest(
            f"the JPEG has {header[0]} bits a channel, which cannot be read: save it with 8, or as a PNG"
        )
    if header[5] not in MODES:
        raise InvalidRequest(f"the JPEG has {header[5]} channels: save it as RGB, grey or CMYK")
    height, width = int.from_bytes(header[1:3], "big"), int.from_bytes(header[3:5], "big")
    return Frame(marker, width, height, tuple(header[6 : 6 + 3 * header[5] : 3]))
