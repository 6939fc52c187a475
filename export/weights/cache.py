"""Where downloaded checkpoints are kept: one folder for all checkouts of a user.

Beside each file lies its digest at the first download. Where the official digest is not known, it is what a later
download is compared with.
"""

import os
from pathlib import Path


def folder() -> Path:
    """Return `$XDG_CACHE_HOME/midas-triton`, by default in `~/.cache`; it may not exist yet."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "midas-triton"


def remembered(path: Path) -> str | None:
    """Return the SHA-256 that the checkpoint at `path` had when it was first downloaded; None if it never was."""
    try:
        return _note(path).read_text().strip() or None
    except OSError:
        return None


def remember(path: Path, digest: str) -> None:
    """Note the digest of the checkpoint at `path`."""
    _note(path).write_text(f"{digest}\n")


def forget(path: Path) -> None:
    """Remove the checkpoint at `path`, and what was noted."""
    path.unlink(missing_ok=True)
    _note(path).unlink(missing_ok=True)


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")
