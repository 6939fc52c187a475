"""How a photo must be turned, as its EXIF says it.

Only EXIF proper counts: the APP1 segment of a JPEG, the eXIf chunk of a PNG, the EXIF chunk of a WebP. What stands in
XMP or in a PNG's text ("Raw profile type exif") is ignored, as browsers ignore it.
"""

import struct

EXIF_PREFIX = b"Exif\0\0"
BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
ORIENTATION_TAG = 0x0112
# By TIFF's type: BYTE, SHORT, LONG. EXIF asks for SHORT; a few programs write the others.
NUMBERS = {1: "B", 3: "H", 4: "I"}


def exif_orientation(exif: bytes) -> int:
    """The orientation in a block of EXIF, 1 to 8; 1 where it is missing or the block is broken.

    It is read by hand because a general reader copies what all tags point to, up to the whole block for each of them.
    """
    exif = exif.removeprefix(EXIF_PREFIX)
    order = BYTE_ORDERS.get(exif[:4])
    if order is None:
        return 1
    try:
        (directory,) = struct.unpack_from(order + "I", exif, 4)
        (entries,) = struct.unpack_from(order + "H", exif, directory)
        for entry in range(directory + 2, directory + 2 + 12 * entries, 12):
            tag, kind, count = struct.unpack_from(order + "HHI", exif, entry)
            if tag == ORIENTATION_TAG and kind in NUMBERS and count == 1:
                (value,) = struct.unpack_from(order + NUMBERS[kind], exif, entry + 8)
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass  # broken EXIF must not cost a photo that is fine otherwise
    return 1
