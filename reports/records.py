"""Records: what was measured, as JSON that pydantic reads, checks and describes."""

import json
import os
import re
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema

T = TypeVar("T")

STRICT = ConfigDict(extra="forbid", strict=True)
"""For the dataclasses of a record: a field that is not known would be lost, and "3" is not a number."""

_SAID = {"missing": "is missing", "unexpected_keyword_argument": "is not known", "extra_forbidden": "is not known"}


def says(description: str) -> Any:
    """Return a description for the schema; it stands in the field's annotation, beside the type."""
    return Field(description=description)


class RecordError(Exception):
    """A record that cannot be read or written; its text says which, where in it, and why, in one line."""


def read_record(kind: type[T], file: Path) -> T:
    """Read a file that `write_record` wrote, or another program by `schema`.

    Args:
        kind: a dataclass of pydantic.
        file: JSON.

    Raises:
        RecordError: there is no such file, it is not JSON, or not of this kind; with the place in it.
    """
    try:
        return TypeAdapter(kind).validate_json(file.read_bytes())
    except OSError as error:
        raise RecordError(f"cannot read {file}: {error.strerror}") from error
    except ValidationError as error:
        raise RecordError(f"{file} {_told(error, kind)}") from error


def write_record(file: Path, record: object) -> None:
    """Write a record to `file`, whose folder is made; a reader sees the old file or the new one, never a part.

    Raises:
        RecordError: the file cannot be written.
    """
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(TypeAdapter(type(record)).dump_json(record, indent=1) + b"\n")
        unfinished.replace(file)
    except OSError as error:
        raise RecordError(f"cannot write {file}: {error.strerror}") from error


def schema(kind: type, title: str) -> str:
    """Return the JSON schema (draft 2020-12) of a record, as the text of a file."""
    made = TypeAdapter(kind).json_schema(schema_generator=_WithoutTitles)
    text = json.dumps({"$schema": GenerateJsonSchema.schema_dialect, **made, "title": title}, indent=1)
    return re.sub(r"(\\n\s*)+", " ", text) + "\n"  # the lines of docstrings


class _WithoutTitles(GenerateJsonSchema):
    """Leaves out the titles of fields, which are their names once more."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _told(error: ValidationError, kind: type) -> str:
    first = error.errors(include_url=False)[0]
    if first["type"] == "json_invalid":
        return f"is not JSON: {first['msg'].removeprefix('Invalid JSON: ')}"
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    said = _SAID.get(first["type"]) or f"is {repr(first['input'])[:40]}: {first['msg'].replace('Input', 'it', 1)}"
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind.__name__).lower()
    return f"is not {'an' if name[0] in 'aeiou' else 'a'} {name}: {place or 'the whole'} {said}"
