"""The chunks of a WebP: its size and its EXIF (RFC 9649)."""

import struct
from collections.abc import Iterator

from midas_server.errors import DamagedHeader

# Of an animation each frame is a chunk or two.
MOST_CHUNKS = 100_000


def is_webp(data: bytes) -> bool:
    """Whether the data begin as a WebP does."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def read_header(data: bytes) -> tuple[int, int, bytes]:
    """Width, height, and the EXIF block (empty where there is none).

    Raises:
        InvalidRequest: the header is cut or damaged.
    """
    size, exif = None, b""
    for name, start, end in _chunks(data):
        if size is None:
            size = _size(name, data[start : start + 10])
        if name == b"EXIF" and not exif and end <= len(data):
            exif = data[start:end]
    if size is None:
        raise DamagedHeader("there is no picture in it")
    return *size, exif


def _size(name: bytes, content: bytes) -> tuple[int, int]:
    if name == b"VP8X" and len(content) == 10:
        return int.from_bytes(content[4:7], "little") + 1, int.from_bytes(content[7:10], "little") + 1
    if name == b"VP8L" and len(content) >= 5 and content[0] == 0x2F:
        bits = int.from_bytes(content[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if name == b"VP8 " and len(content) == 10 and content[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", content, 6)
        return width & 0x3FFF, height & 0x3FFF
    raise DamagedHeader("its first chunk is no picture's")


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Each chunk's name, and where its content starts and ends, which may be beyond the data."""
    position = 12
    for _ in range(MOST_CHUNKS):
        if position + 8 > len(data):
            return
        name, length = struct.unpack_from("<4sI", data, position)
        yield name, position + 8, position + 8 + length
        position += 8 + length + length % 2
    raise DamagedHeader(f"it has more than {MOST_CHUNKS:,} chunks")
