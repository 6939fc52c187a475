"""Which photos there are, and the bytes of each.

An input is a folder, a zip archive, a Parquet file or a folder of them, a list of paths (.csv, .txt), or one photo.
Each may be an address that fsspec knows, such as s3://bucket/photos.
"""

import csv
import os
import posixpath
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from bulk.errors import BulkError, WrongUse

ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp")
"""What is taken from folders and archives."""
_LISTS = (".csv", ".txt")
_PARQUET = ".parquet"
_COLUMNS = ("image", "photo", "bytes", "path", "file", "filename", "url")
"""What the column of a table may be called where nobody names it, the first that is there."""

AHEAD = 4
"""Photos that are read while one is computed."""

_PACKAGE = "make bulk-setup installs it into .venv-bulk"


@dataclass(frozen=True)
class Photo:
    """Where a photo is.

    Attributes:
        name: unique in a run; names the photo in the manifest, and its result.
        place: a path, or an address for fsspec, of the photo or of what holds it.
        inside: the member of a zip archive, or "column:row" of a Parquet file; empty for a file of its own.
    """

    name: str
    place: str
    inside: str = ""


def find_photos(given: str, column: str | None = None) -> list[Photo]:
    """Return the photos of an input in a fixed order, each name once.

    Args:
        given: the input.
        column: of a table that holds bytes or paths; None looks for a usual name.

    Raises:
        BulkError: there is none, or the input cannot be read.
        WrongUse: the table has no such column.
    """
    try:
        once = {photo.name: photo for photo in _photos(given, column)}
    except (OSError, ValueError, ImportError, zipfile.BadZipFile, csv.Error) as error:
        raise BulkError(f"{given} cannot be read: {_reason(error)}") from None
    if not once:
        raise BulkError(f"there is no photo in {given}: taken are {', '.join(ENDINGS)}")
    return list(once.values())


def _photos(given: str, column: str | None) -> Iterator[Photo]:
    ending = posixpath.splitext(given)[1].lower()
    if _is_folder(given):
        yield from _folder(given, column)
    elif ending == ".zip":
        with _open(given) as file, zipfile.ZipFile(file) as archive:
            names = sorted(each.filename for each in archive.infolist() if not each.is_dir())
        yield from (Photo(name, given, name) for name in names if _is_photo(name))
    elif ending == _PARQUET:
        yield from _parquet(given, posixpath.basename(given), column)
    elif ending in _LISTS:
        yield from _list(given, column)
    else:
        with _open(given):
            yield Photo(posixpath.basename(given), given)


def _is_photo(name: str) -> bool:
    parts = name.split("/")
    return parts[-1].lower().endswith(ENDINGS) and not any(part.startswith((".", "__MACOSX")) for part in parts)


def _is_folder(given: str) -> bool:
    if "://" not in given:
        return Path(given).is_dir()
    system, path = _store(given)
    return bool(system.isdir(path))


def _folder(given: str, column: str | None) -> Iterator[Photo]:
    """The photos below a folder, or where there is none the rows of its Parquet files."""
    base = given.rstrip("/")
    if "://" in given:
        system, path = _store(given)
        root = path.rstrip("/")
        below = sorted(found.removeprefix(root).lstrip("/") for found in system.find(path))
    else:
        top = Path(given)
        below = sorted(file.relative_to(top).as_posix() for file in top.rglob("*") if file.is_file())
    photos = [name for name in below if _is_photo(name)]
    for name in photos:
        yield Photo(name, f"{base}/{name}")
    for name in below if not photos else []:
        if name.endswith(_PARQUET):
            yield from _parquet(f"{base}/{name}", name, column)


def _list(given: str, column: str | None) -> Iterator[Photo]:
    with _open(given) as file:
        lines = file.read().decode("utf-8-sig").splitlines()
    if given.lower().endswith(".csv"):
        table = csv.DictReader(lines)
        chosen = _column(table.fieldnames or [], column, given)
        paths = [row[chosen] or "" for row in table]
    else:
        paths = [line.strip() for line in lines]
    yield from (Photo(path, _beside(given, path)) for path in paths if path)


def _parquet(given: str, name: str, column: str | None) -> Iterator[Photo]:
    """A photo for each row: bytes (also as Hugging Face's {bytes, path}), or paths, relative to the file."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - only Parquet needs it

    with _open(given) as source, pq.ParquetFile(source) as file:
        schema = file.schema_arrow
        chosen = _column(schema.names, column, given)
        kind = str(schema.field(chosen).type)
        if kind in ("string", "large_string"):
            for path in (path for batch in file.iter_batches(columns=[chosen]) for path in batch.column(0).to_pylist()):
                if path:
                    yield Photo(path, _beside(given, path))
        elif "binary" in kind:
            yield from (Photo(f"{name}/{row:09}", given, f"{chosen}:{row}") for row in range(file.metadata.num_rows))
        else:
            raise WrongUse(f"column {chosen} of {given} holds {kind}: expected are bytes or paths")


def _column(there: Any, column: str | None, given: str) -> str:
    wanted = [column] if column else [name for name in _COLUMNS if name in there]
    if not wanted or wanted[0] not in there:
        missing = f"no column {column}" if column else f"none of the columns {', '.join(_COLUMNS)}"
        raise WrongUse(f"{given} has {missing}; it has {', '.join(there) or 'none'}: name one with --column")
    return wanted[0]


def _beside(given: str, path: str) -> str:
    """A path of a list: relative ones start at the list's folder."""
    return path if "://" in path or path.startswith("/") else posixpath.join(posixpath.dirname(given), path)


class Reader:
    """Reads photos, also from several threads; what holds several photos stays open between them.

    Args:
        most: bytes of a photo that are read; one more is returned of a larger photo, so that its size is refused.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._threads = ThreadPoolExecutor(AHEAD)
        self._lock = threading.Lock()
        self._held: tuple[str, Any] = ("", None)
        self._rows: tuple[Any, list[Any]] = (None, [])

    def ahead(self, photo: Photo) -> Callable[[], bytes]:
        """Begin to read a photo that is wanted soon.

        A file is left to the kernel, which fetches it where it is not in memory yet. With a thread of ours that reads
        it, a photo took 0.3 ms more of the processor. What takes longer, such as a store, has threads.

        Returns:
            What gives the bytes, or raises `BulkError`, as `read` does.
        """
        if photo.inside or "://" in photo.place:
            return self._threads.submit(self.read, photo).result
        try:
            file = os.open(photo.place, os.O_RDONLY | os.O_NONBLOCK)  # a pipe would be waited for
        except OSError:
            return partial(self.read, photo)  # which says why
        try:
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_WILLNEED)
        except OSError:  # not of a file system that reads ahead
            pass
        finally:
            os.close(file)
        return partial(self.read, photo)

    def read(self, photo: Photo) -> bytes:
        """Return the bytes of a photo.

        Raises:
            BulkError: it cannot be read.
        """
        try:
            if not photo.inside:
                with _open(photo.place) as file:
                    return file.read(self._room(photo.place) + 1)
            with self._lock:  # archives and tables are read by one thread at a time
                return self._inside(photo)
        except Exception as error:  # noqa: BLE001 - each store and format has errors of its own
            raise BulkError(f"the photo cannot be read: {_reason(error)}") from None

    def _room(self, place: str) -> int:
        """How many bytes are to be read at most: room for all that are allowed, 32 MB, costs time in each photo."""
        size = 0 if "://" in place else Path(place).stat().st_size
        return min(size, self._most) if size else self._most

    def _inside(self, photo: Photo) -> bytes:
        if photo.place.lower().endswith(".zip"):
            archive = self._opened(photo.place, zipfile.ZipFile)
            with archive.open(photo.inside) as member:
                return bytes(member.read(self._most + 1))
        import pyarrow.parquet as pq  # noqa: PLC0415 - only Parquet needs it

        column, _, number = photo.inside.rpartition(":")
        row = int(number)
        file = self._opened(photo.place, pq.ParquetFile)
        group = 0
        while row >= file.metadata.row_group(group).num_rows:
            row -= file.metadata.row_group(group).num_rows
            group += 1
        key = (photo.place, column, group)
        if self._rows[0] != key:
            self._rows = (None, [])  # the old group goes before the new one comes
            self._rows = (key, file.read_row_group(group, columns=[column]).column(0))
        value = self._rows[1][row].as_py()
        data = value["bytes"] if isinstance(value, dict) else value
        if not data:
            raise BulkError("the row is empty")
        return bytes(data)

    def _opened(self, place: str, kind: Callable[[IO[bytes]], Any]) -> Any:
        if self._held[0] != place:
            if self._held[1] is not None:
                self._held[1].close()
            self._held = (place, kind(_open(place).__enter__()))
        return self._held[1]


def _open(place: str) -> AbstractContextManager[IO[bytes]]:
    if "://" not in place:
        return Path(place).open("rb")
    fsspec: Any = _fsspec()
    opened: AbstractContextManager[IO[bytes]] = fsspec.open(place, "rb")
    return opened


def _store(given: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it."""
    fsspec: Any = _fsspec()
    system, path = fsspec.core.url_to_fs(given)
    return system, path


def _fsspec() -> Any:
    try:
        import fsspec  # noqa: PLC0415 - only addresses need it
    except ImportError:
        raise BulkError(f"addresses need the package fsspec: {_PACKAGE}") from None
    return fsspec


def _reason(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"the package {error.name} is missing: {_PACKAGE}"
    return str(getattr(error, "strerror", None) or error) or type(error).__name__
