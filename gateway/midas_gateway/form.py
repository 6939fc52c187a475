"""A multipart form, read piece by piece, with a limit on everything in it."""

from __future__ import annotations

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from midas_gateway.problems import Problem

_MOST_PARTS = 64
_FIELD_BYTES = 4096
_HEADER_BYTES = 4096


class Form:
    """The fields and the files of a form.

    Args:
        boundary: from the Content-Type.
        file_bytes: the largest file.

    Raises:
        Problem: 400, here and in all methods, where it is no form; 413 where something in it is too large.
    """

    def __init__(self, boundary: str, *, file_bytes: int) -> None:
        if not 0 < len(boundary) <= 200:
            raise Problem(400, "The Content-Type has no boundary: leave that header to the library that makes the form")
        self._file_bytes = file_bytes
        self._fields: dict[str, str] = {}
        self._files: dict[str, bytes] = {}
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
        """Read on."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise Problem(400, f"The form cannot be read: {error}") from None

    def finish(self) -> tuple[dict[str, str], dict[str, bytes]]:
        """The fields and the files, by name."""
        if not self._ended:
            raise Problem(400, "The form is not complete: it must end with its boundary")
        return self._fields, self._files

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise Problem(413, f"The form has more than {_MOST_PARTS} parts")
        self._name, self._value, self._header_size = b"", b"", 0
        self._disposition = b""
        self._content = bytearray()
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
        if len(self._content) + end - start > self._limit:
            raise Problem(413, f"{self._field!r} is larger than {self._limit:,} bytes")
        self._content += data[start:end]

    def _open(self) -> None:
        """Read the headers of the part, which are complete."""
        _, parameters = parse_options_header(self._disposition)
        name = parameters.get(b"name", b"")
        self._field = name.decode("utf-8", "replace")
        # A photo may come without a file name, from programs that make their forms by hand.
        self._is_file = b"filename" in parameters or name in (b"image", b"file")
        self._limit = self._file_bytes if self._is_file else _FIELD_BYTES

    def _end_part(self) -> None:
        if self._limit is None:
            self._open()
        if self._field in self._fields or self._field in self._files:
            raise Problem(400, f"The form has {self._field!r} twice")
        if self._is_file:
            self._files[self._field] = bytes(self._content)
        else:
            self._fields[self._field] = self._content.decode("utf-8", "replace")
        self._content = bytearray()

    def _end(self) -> None:
        self._ended = True
