"""The chunks of a PNG: its header, its EXIF, and what a decoder needs of it (W3C PNG, third edition)."""

import struct
import zlib
from collections.abc import Iterator

from midas_server.errors import DamagedHeader, InvalidRequest

SIGNATURE = b"\x89PNG\r\n\x1a\n"

# Pillow's names, by colour type and bits.
MODES = {
    **dict.fromkeys([(0, 1), (0, 2), (0, 4), (0, 8)], "L"),
    (0, 16): "I;16",
    **dict.fromkeys([(2, 8), (2, 16)], "RGB"),
    **dict.fromkeys([(3, 1), (3, 2), (3, 4), (3, 8)], "P"),
    **dict.fromkeys([(4, 8), (4, 16)], "LA"),
    **dict.fromkeys([(6, 8), (6, 16)], "RGBA"),
}

# At the usual 8 kB each, 32 MB of pixels are 4,000 chunks. Millions of empty ones take seconds to step over.
MOST_CHUNKS = 100_000


def read_header(data: bytes) -> tuple[str, int, int, bytes]:
    """Mode, width, height, and the EXIF block (empty where there is none), which may stand behind the pixels.

    Raises:
        InvalidRequest: the header is cut or damaged.
    """
    first, exif, pixels = b"", b"", False
    for name, start, end in _chunks(data):
        if not first:
            first = name
            if name == b"CgBI":
                raise InvalidRequest(
                    "this is a PNG of an iPhone app (CgBI), which cannot be read: save it as an ordinary PNG"
                )
            if name != b"IHDR" or end - start != 13 or not _intact(data, start, end):
                raise DamagedHeader("it does not begin with an intact IHDR")
        elif name == b"eXIf" and not exif and _intact(data, start, end):
            exif = data[start:end]
        elif name == b"IDAT":
            pixels = True
    if not pixels:
        raise DamagedHeader("the data end before the pixels")
    width, height, bits, colours = struct.unpack_from(">IIBB", data, 16)
    if (colours, bits) not in MODES:
        raise DamagedHeader(f"there is no colour type {colours} of {bits} bits")
    return MODES[colours, bits], width, height, exif


def pixels_alone(data: bytes) -> bytes:
    """The PNG with nothing but what its colours need: header, palette and pixels, those in one chunk.

    Text and profiles are of no interest and would be inflated by a decoder, or damaged; transparency is dropped anyway.

    Raises:
        InvalidRequest: the pixels are cut, or a checksum shows that they are damaged.
    """
    kept: dict[bytes, list[bytes]] = {b"IHDR": [], b"PLTE": [], b"IDAT": []}
    for name, start, end in _chunks(data):
        if name not in kept:
            continue
        if end > len(data):
            raise InvalidRequest("the PNG ends early or is damaged, part of the photo is missing: send the whole file")
        # A checksum that is cut off takes no pixel along.
        if end + 4 <= len(data) and not _intact(data, start, end):
            raise InvalidRequest(
                f"the PNG is damaged (wrong checksum of {name.decode()} at byte {start:,}): send an intact copy"
            )
        kept[name].append(data[start:end])
    chunks = [(name, b"".join(kept[name])) for name in kept if kept[name]]
    return SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in [*chunks, (b"IEND", b"")]
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Each chunk's name, and where its content starts and ends, which may be beyond the data; up to IEND."""
    position = len(SIGNATURE)
    for _ in range(MOST_CHUNKS):
        if position + 8 > len(data):
            return
        length, name = struct.unpack_from(">I4s", data, position)
        if name == b"IEND":
            return
        yield name, position + 8, position + 8 + length
        position += length + 12
    raise DamagedHeader(f"it has more than {MOST_CHUNKS:,} chunks")


def _intact(data: bytes, start: int, end: int) -> bool:
    return data[end : end + 4] == struct.pack(">I", zlib.crc32(memoryview(data)[start - 4 : end]))
