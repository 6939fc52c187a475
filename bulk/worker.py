"""One share of the photos, from reading to the journal: what an actor does."""

import errno
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bulk.answering import Answer, answering
from bulk.errors import BulkError
from bulk.inputs import AHEAD, Photo, Reader
from bulk.request import Request
from bulk.results import ENDINGS, MOST_STARTS, Journal, Outcome, Results, failure, output_name, share_name
from midas_server.imaging.probe import Limits

_TABLE_BYTES = 32 << 20
"""So many bytes of results are held before they are written into a Parquet file."""

_EVERY_PHOTO = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)
"""What keeps every result from being written."""


class Worker:
    """Computes shares of the photos, one at a time.

    Args:
        request: what is asked for.
        folder: of the results.

    Raises:
        BulkError: the network cannot be opened.
    """

    def __init__(self, request: Request, folder: Path) -> None:
        self._request = request
        self._results = Results(folder)
        self._results.join()
        self._answering = answering(request)
        self._reader = Reader(Limits.from_environment(os.environ).max_bytes)
        self._format = str(request.parameters.get("format", "float32"))

    def compute(self, photos: Sequence[Photo]) -> tuple[int, int]:
        """Compute the photos of a share that are not done.

        Returns:
            How many photos it has, and how many of them failed.

        Raises:
            BulkError: the others would fail in the same way.
        """
        share = share_name(photos)
        with self._results.journal(share) as journal:
            left = [photo for photo in photos if photo.name not in journal.done]
            try:
                if self._request.store == "parquet":
                    self._to_table(left, share, journal)
                else:
                    self._to_files(left, journal)
            except OSError as error:
                raise BulkError(f"{self._results.folder} cannot be written: {error.strerror}") from None
            failed = sum(outcome["status"] == "failed" for outcome in journal.done.values())
        return len(photos), failed

    def _to_files(self, photos: Sequence[Photo], journal: Journal) -> None:
        for photo, answer in self._answers(photos, journal):
            outcome = failure(photo.name, answer) if isinstance(answer, BulkError) else self._file(photo, answer)
            journal.finished([outcome])

    def _file(self, photo: Photo, answer: Answer) -> Outcome:
        name = output_name(photo.name, ENDINGS[self._format])
        try:
            self._results.write(name, answer.data)
        except OSError as error:
            if error.errno in _EVERY_PHOTO:
                raise
            return failure(photo.name, f"{name} cannot be written: {error.strerror}")
        return _success(photo, answer, name)

    def _to_table(self, photos: Sequence[Photo], share: str, journal: Journal) -> None:
        """All results of the share in one Parquet file, which gets its name before the journal gets its lines."""
        import pyarrow as pa  # noqa: PLC0415 - only Parquet needs it
        import pyarrow.parquet as pq  # noqa: PLC0415

        columns = {"photo": pa.string(), "depth": pa.binary(), "format": pa.string()}
        numbers = {"width": pa.int32(), "height": pa.int32(), "low": pa.float32(), "high": pa.float32()}
        schema = pa.schema({**columns, **numbers})
        name = f"depth/{share}.parquet"
        outcomes: list[Outcome] = []
        rows: list[dict[str, Any]] = []
        part = self._results.part()
        with pq.ParquetWriter(part, schema, compression="none") as table:  # PNG and noise do not get smaller
            for photo, answer in self._answers(photos, journal):
                if isinstance(answer, BulkError):
                    outcomes.append(failure(photo.name, answer))
                    continue
                outcomes.append(_success(photo, answer, name))
                (width, height), (low, high) = answer.output, answer.range
                row = {"photo": photo.name, "depth": answer.data, "format": self._format}
                rows.append({**row, "width": width, "height": height, "low": low, "high": high})
                if sum(len(row["depth"]) for row in rows) > _TABLE_BYTES:
                    table.write_table(pa.Table.from_pylist(rows, schema))
                    rows.clear()
            if rows:
                table.write_table(pa.Table.from_pylist(rows, schema))
        if any(outcome["output"] for outcome in outcomes):
            self._results.take(part, self._results.folder / name)
        else:
            part.unlink()
        if outcomes:
            journal.finished(outcomes)

    def _answers(self, photos: Sequence[Photo], journal: Journal) -> Iterator[tuple[Photo, Answer | BulkError]]:
        """What came of each photo; those that cannot be read stand where they were found to be so."""
        sent: deque[Photo] = deque()
        unread: deque[tuple[Photo, BulkError]] = deque()

        def readable() -> Iterator[bytes]:
            for photo, data in self._read(photos):
                if isinstance(data, BulkError):
                    unread.append((photo, data))
                elif journal.starts.get(photo.name, 0) >= MOST_STARTS:
                    words = f"the worker died {MOST_STARTS} times while it computed this photo"
                    unread.append((photo, BulkError(words)))
                else:
                    journal.started(photo.name)
                    sent.append(photo)
                    yield data

        for answer in self._answering(readable()):
            while unread:
                yield unread.popleft()
            yield sent.popleft(), answer
        yield from unread

    def _read(self, photos: Sequence[Photo]) -> Iterator[tuple[Photo, bytes | BulkError]]:
        """The bytes of each photo, read a few photos ahead."""
        under_way: deque[tuple[Photo, Callable[[], bytes]]] = deque()
        for photo in photos:
            under_way.append((photo, self._reader.ahead(photo)))
            if len(under_way) > AHEAD:
                first, data = under_way.popleft()
                yield first, _bytes(data)
        for first, data in under_way:
            yield first, _bytes(data)


def _bytes(read: Callable[[], bytes]) -> bytes | BulkError:
    try:
        return read() or BulkError("the photo is empty: 0 bytes")
    except BulkError as error:
        return error


def _success(photo: Photo, answer: Answer, output: str) -> Outcome:
    return {
        "photo": photo.name,
        "status": "ok",
        "error": None,
        "output": output,
        "photo_size": answer.photo,
        "network_size": answer.network,
        "output_size": answer.output,
        "range": answer.range,
        "milliseconds": round(answer.milliseconds, 2),
        "finished": round(time.time(), 3),
    }
