"""A multipart form, read piece by piece, with a limit on everything in it."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from midas_gateway.problems import Problem

# It warns of each form that it cannot read. The caller is told, and the access log has the answer.
logging.getLogger("python_multipart").setLevel(logging.ERROR)

_FIELD_BYTES = 4096
_HEADER_BYTES = 4096


class Sink(Protocol):
    """What the bytes of a file are written to: a buffer, or a file on disk."""

    def write(self, data: bytes, /) -> object:
        """Take the next bytes."""
        ...


@dataclass(frozen=True)
class FormFile:
    """A file of a form.

    Attributes:
        field: the name of the form's field.
        filename: what the sender calls the file.
        sink: what holds its bytes.
    """

    field: str
    filename: str
    sink: Sink


class Form:
    """The fields and the files of a form.

    Args:
        boundary: from the Content-Type.
        file_bytes: the largest file.
        most_parts: the most fields and files.
        open_sink: makes what the next file is written to.

    Raises:
        Problem: 400, here and in all methods, where it is no form; 413 where something in it is too large.
    """

    def __init__(self, boundary: str, *, file_bytes: int, most_parts: int, open_sink: Callable[[], Sink]) -> None:
        if not 0 < len(boundary) <= 200:
            raise Problem(400, "The Content-Type has no boundary: leave that header to the library that makes the form")
        self._file_bytes, self._most_parts, self._open_sink = file_bytes, most_parts, open_sink
        self._fields: dict[str, str] = {}
        self._files: list[FormFile] = []
        self._parts = 0
        self._ended = False
        self._parser = MultipartParser(
            boundary.encode("latin-1"),
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_part_data": self._data,
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        """Read on.

        Raises:
            Problem: the form cannot be read (400), or one of its parts is refused.
        """
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise Problem(400, f"The form cannot be read: {error}") from None

    def finish(self) -> tuple[dict[str, str], list[FormFile]]:
        """The fields by name, and the files in their order.

        Raises:
            Problem: the form's end is missing (400).
        """
        if not self._ended:
            raise Problem(400, "The form is not complete: it must end with its boundary")
        return self._fields, self._files

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > self._most_parts:
            raise Problem(413, f"The form has more than {self._most_parts} parts")
        self._name, self._value, self._header_size = b"", b"", 0
        self._disposition = b""
        self._size = 0
        self._limit: int | None = None

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._count_header(end - start)
        self._value += data[start:end]

    def _count_header(self, count: int) -> None:
        self._header_size += count
        if self._header_size > _HEADER_BYTES:
            raise Problem(413, "The headers of a part of the form are too long")

    def _header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._limit is None:
            self._open()
        assert self._limit is not None
        self._size += end - start
        if self._size > self._limit:
            raise Problem(413, f"{self._field!r} is larger than {self._limit:,} bytes")
        self._sink.write(data[start:end])

    def _open(self) -> None:
        """Read the headers of the part, which are complete."""
        _, parameters = parse_options_header(self._disposition)
        name = parameters.get(b"name", b"")
        self._field = name.decode("utf-8", "replace")
        # A photo may come without a file name, from programs that make their forms by hand.
        self._is_file = b"filename" in parameters or name in (b"image", b"file")
        self._limit = self._file_bytes if self._is_file else _FIELD_BYTES
        if self._is_file:
            filename = parameters.get(b"filename", b"").decode("utf-8", "replace")
            self._sink = self._open_sink()
            self._files.append(FormFile(self._field, filename, self._sink))
        else:
            self._sink = self._text = io.BytesIO()

    def _end_part(self) -> None:
        if self._limit is None:
            self._open()
        if self._is_file:
            return
        if self._field in self._fields:
            raise Problem(400, f"The form has {self._field!r} twice")
        self._fields[self._field] = self._text.getvalue().decode("utf-8", "replace")

    def _end(self) -> None:
        self._ended = True
