"""JSON read into dataclasses, checked against their type hints, and the JSON schema that says the same."""

import contextlib
import dataclasses
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_NAMES: Mapping[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


class NotOfType(ValueError):  # noqa: N818 - said of a value
    """A JSON value is not what the type hints say; the text names the place in it, such as ``rows[3].load``."""


def read_as(kind: type[T], value: object, place: str = "") -> T:
    """Read parsed JSON as an instance of the dataclass ``kind``.

    A field with a default may be missing; a field that ``kind`` does not know is refused, since it would be lost.
    Fields may be of the types str, int, float, bool, None, Literal, ``Mapping[str, X]``, ``tuple[X, ...]``, other
    dataclasses, and unions of those. An integer is taken where a float is asked for.

    Args:
        kind: a dataclass.
        value: what ``json.loads`` gave.
        place: where ``value`` was found, for the message.

    Raises:
        NotOfType: something is missing, unknown or of another type.
    """
    made: T = _read(kind, value, place)
    return made


def schema_of(kind: type, title: str) -> dict[str, object]:
    """Return the JSON schema (draft 2020-12) of the dataclass ``kind``; texts in ``Annotated`` are descriptions."""
    definitions: dict[str, object] = {}
    top = _schema(kind, definitions)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **top, "$defs": definitions}


def _read(kind: Any, value: object, place: str) -> Any:
    if get_origin(kind) is not None:
        return _read_generic(kind, value, place)
    if dataclasses.is_dataclass(kind):
        return _read_object(kind, value, place)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise _wrong(place, value, _NAMES[kind])
    return value


def _read_generic(kind: Any, value: object, place: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    read: Any
    if origin is Annotated:
        read = _read(arguments[0], value, place)
    elif origin in (Union, UnionType):
        read = _read_union(arguments, value, place)
    elif origin is Literal:
        if value not in arguments:
            raise _wrong(place, value, " or ".join(map(repr, arguments)))
        read = value
    elif origin is tuple:
        if not isinstance(value, list):
            raise _wrong(place, value, "array")
        read = tuple(_read(arguments[0], each, f"{place}[{index}]") for index, each in enumerate(value))
    else:
        if not isinstance(value, dict):
            raise _wrong(place, value, "object")
        read = {name: _read(arguments[1], each, f"{place}.{name}") for name, each in value.items()}
    return read


def _read_union(kinds: tuple[Any, ...], value: object, place: str) -> Any:
    """Read as the first of ``kinds`` that fits; several dataclasses are told apart by their fields ``kind``."""
    objects = {_tag(kind): kind for kind in kinds if dataclasses.is_dataclass(kind)}
    if isinstance(value, dict) and objects:
        if len(objects) == 1:
            return _read_object(next(iter(objects.values())), value, place)
        tag = value.get("kind")
        if tag not in objects:
            raise NotOfType(f"{place}.kind is {tag!r}: it should be {' or '.join(map(repr, objects))}")
        return _read_object(objects[tag], value, place)
    for kind in kinds:
        if not dataclasses.is_dataclass(kind):
            with contextlib.suppress(NotOfType):
                return _read(kind, value, place)
    raise _wrong(place, value, " or ".join(_NAMES.get(kind, "object") for kind in kinds))


def _tag(kind: Any) -> object:
    """The one value that the field ``kind`` of a dataclass has; None where there is no such field."""
    hint = get_type_hints(kind).get("kind")
    return get_args(hint)[0] if get_origin(hint) is Literal else None


def _read_object(kind: Any, value: object, place: str) -> Any:
    if not isinstance(value, dict):
        raise _wrong(place, value, "object")
    hints = get_type_hints(kind, include_extras=True)
    before = f"{place}." if place else ""
    unknown = [name for name in value if name not in hints]
    if unknown:
        raise NotOfType(f"{before}{unknown[0]} is not known: it should be one of {', '.join(hints)}")
    missing = [field.name for field in dataclasses.fields(kind) if field.name not in value and not _has_default(field)]
    if missing:
        raise NotOfType(f"{before}{missing[0]} is missing")
    return kind(**{name: _read(hints[name], each, f"{before}{name}") for name, each in value.items()})


def _wrong(place: str, value: object, wanted: str) -> NotOfType:
    return NotOfType(f"{place or 'the whole'} is {repr(value)[:40]}: it should be {wanted}")


def _has_default(field: "dataclasses.Field[Any]") -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _schema(kind: Any, definitions: dict[str, object]) -> dict[str, object]:
    origin, arguments = get_origin(kind), get_args(kind)
    made: dict[str, object]
    if origin is Annotated:
        made = {**_schema(arguments[0], definitions), "description": arguments[1]}
    elif origin in (Union, UnionType):
        made = {"anyOf": [_schema(each, definitions) for each in arguments]}
    elif origin is Literal:
        made = {"enum": list(arguments)}
    elif origin is tuple:
        made = {"type": "array", "items": _schema(arguments[0], definitions)}
    elif origin is not None:
        made = {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    elif dataclasses.is_dataclass(kind):
        made = _schema_of_object(kind, definitions)
    else:
        made = {"type": _NAMES[kind]}
    return made


def _schema_of_object(kind: Any, definitions: dict[str, object]) -> dict[str, object]:
    if kind.__name__ not in definitions:
        hints = get_type_hints(kind, include_extras=True)
        definitions[kind.__name__] = {
            "type": "object",
            "description": " ".join((kind.__doc__ or "").split()),
            "properties": {field.name: _schema(hints[field.name], definitions) for field in dataclasses.fields(kind)},
            "required": [field.name for field in dataclasses.fields(kind) if not _has_default(field)],
            "additionalProperties": False,
        }
    return {"$ref": f"#/$defs/{kind.__name__}"}
