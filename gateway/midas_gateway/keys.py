"""The file of keys that callers must show. What the gateway keeps of a key is its SHA-256."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

_LINE = re.compile(r"(?P<name>[A-Za-z0-9._-]{1,64})\s+(?P<key>\S{16,256})")


class KeysError(ValueError):
    """A file of keys that cannot be used; the text says why."""


def read_keys(path: Path) -> dict[str, str]:
    """The names of the keys in a file, by the SHA-256 of each key.

    Args:
        path: a line for each key: a name, white space, and the key of at least 16 characters. `#` begins a comment.

    Raises:
        KeysError: it cannot be read, has another line, or no key.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, ValueError) as error:
        raise KeysError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    keys: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        found = _LINE.fullmatch(text)
        if found is None:
            raise KeysError(f"{path}, line {number}: write a name, a space, and a key of 16 to 256 characters")
        keys[digest(found["key"])] = found["name"]
    if not keys:
        raise KeysError(f"{path} has no key: write a line with a name, a space, and a key")
    return keys


def digest(key: str) -> str:
    """SHA-256 of a key, in hexadecimal."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
