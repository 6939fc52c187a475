"""Replace folders all at once: a reader sees the old folder or the new one, never half of either."""

import ctypes
import errno
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from export.errors import RepositoryWriteError

LOCK_SECONDS = 120.0
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_NO_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)


@contextmanager
def locked(folder: Path, wait_seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold `folder` (it must exist) against other exports; the lock ends with the process, whatever kills it.

    Raises:
        RepositoryWriteError: another export held it for `wait_seconds`.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise RepositoryWriteError(
                        f"another export has been writing into {folder} for {wait_seconds:.0f} s: "
                        "wait for it, or end it"
                    ) from None
                time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)


def replace_folders(
    staged: Path, target: Path, names: Sequence[str], swap: Callable[[Path, Path], None] | None = None
) -> None:
    """Put the folders `names` of `staged` into `target`, in that order; those they replace end up in `staged`.

    All or nothing: if one cannot be put in its place, the ones before it are taken back out. `swap(a, b)` exchanges two
    folders and is `exchange` by default.
    """
    swap = swap or exchange
    before: dict[str, int | None] = {}
    try:
        for name in names:
            before[name] = _inode(target / name)
            if before[name] is None:
                (staged / name).rename(target / name)
            else:
                swap(staged / name, target / name)
    except BaseException:
        for name, inode in reversed(before.items()):
            if _inode(target / name) == inode:
                continue  # it was not replaced any more
            if inode is None:
                (target / name).rename(staged / name)
            else:
                swap(staged / name, target / name)
        raise


def _inode(path: Path) -> int | None:
    return path.stat().st_ino if path.exists() else None


def exchange(a: Path, b: Path) -> None:
    """Exchange two folders in one step; on a file system that cannot, in three renames.

    Raises:
        OSError: they could not be exchanged, and are as they were.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    renameat2 = getattr(libc, "renameat2", None)
    if renameat2 is not None:
        if renameat2(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE) == 0:
            return
        code = ctypes.get_errno()
        if code not in _NO_EXCHANGE:
            raise OSError(code, os.strerror(code), str(b))
    exchange_by_renames(a, b)


def exchange_by_renames(a: Path, b: Path) -> None:
    """Exchange two folders in three renames; between the first and the second, `b` is missing."""
    aside = a.with_name(a.name + ".aside")
    b.rename(aside)
    try:
        a.rename(b)
    except BaseException:
        aside.rename(b)
        raise
    aside.rename(a)


def remove(folder: Path) -> None:
    """Delete a folder and everything in it, if it is there."""
    if folder.exists():
        shutil.rmtree(folder)
