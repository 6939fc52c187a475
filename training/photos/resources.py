"""Reading Qt resource collections (`.rcc`), in which some Debian packages keep their pictures.

Such a file is a header of five big-endian words (`qres`, version, offsets of the tree, the data and the names), a tree
of nodes, names as length, hash and UTF-16, and data as length and bytes, deflated where bit 0 of the node's flags is
set.
"""

import struct
import zlib

DEFLATED, FOLDER = 1, 2


class ResourceError(ValueError):
    """The bytes are no resource collection, or it does not hold the file."""


def read_resource(collection: bytes, path: str) -> bytes:
    """The file at `path` (such as "/pictures/cat.webp") of a collection.

    Raises:
        ResourceError: this is no such collection, the file is not in it, or is packed in another way than with zlib.
    """
    magic, version, tree, data, names = struct.unpack_from(">4sIIII", collection)
    if magic != b"qres":
        raise ResourceError("this is no Qt resource collection: it must begin with qres")
    size = 14 if version < 2 else 22

    def name_of(node: int) -> str:
        (at,) = struct.unpack_from(">I", collection, tree + node * size)
        (length,) = struct.unpack_from(">H", collection, names + at)
        return collection[names + at + 6 : names + at + 6 + 2 * length].decode("utf-16-be")

    node = 0
    for part in path.strip("/").split("/"):
        flags, count, first = struct.unpack_from(">HII", collection, tree + node * size + 4)
        children = range(first, first + count) if flags & FOLDER else range(0)
        found = next((child for child in children if name_of(child) == part), None)
        if found is None:
            raise ResourceError(f"the collection holds no {path}")
        node = found
    flags, _, _, at = struct.unpack_from(">HHHI", collection, tree + node * size + 4)
    if flags & FOLDER:
        raise ResourceError(f"{path} is a folder of the collection")
    (length,) = struct.unpack_from(">I", collection, data + at)
    content = collection[data + at + 4 : data + at + 4 + length]
    if flags & ~DEFLATED:
        raise ResourceError(f"{path} is packed in a way that is not supported (flags {flags})")
    return zlib.decompress(content[4:]) if flags & DEFLATED else content
