"""SHA-256 of a file, however large."""

import hashlib
from pathlib import Path


def sha256_of(path: Path) -> str:
    """Return the digest of the file at `path`, 64 hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
