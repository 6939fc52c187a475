"""The options of a photo, as texts or as JSON has them: read by the published schema, the one that the server made.

`options.schema.json` is a copy of `docs/options.schema.json`; a test holds them equal. Which options go together is
left to the server, as in the client SDK.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, cast

from starlette.datastructures import QueryParams

from midas_client import SETTINGS, Options
from midas_gateway.problems import Problem

SCHEMA: Mapping[str, Any] = json.loads((files("midas_gateway") / "options.schema.json").read_text())
PROPERTIES: Mapping[str, Mapping[str, Any]] = SCHEMA["properties"]
"""The schema of each option, by its name."""


def fields_of(query: QueryParams, body: Mapping[str, object]) -> dict[str, object]:
    """What the address and the body of a request name; where both name the same, the body has the last word.

    Raises:
        Problem: 422, the address has a name twice: no value could be preferred without a guess.
    """
    for name in query:
        if len(query.getlist(name)) > 1:
            raise Problem(422, f"The address has {_shown(name)} twice. Give it once")
    return {**query, **body}


def read_options(given: Mapping[str, object]) -> Options:
    """The options as the client SDK takes them.

    Args:
        given: values by name; numbers may be texts, as forms and queries have them. An empty text is the default.

    Raises:
        Problem: 422, an option or a value that there is not.
    """
    options: dict[str, Any] = {}
    settings: dict[str, float] = {}
    for name, value in given.items():
        if name not in PROPERTIES:
            raise _unknown(name)
        if value in ("", None):
            continue
        checked = _checked(name, value)
        if name in SETTINGS:
            settings[name] = checked
        else:
            options[name] = checked
    if settings:
        options["settings"] = settings
    return cast("Options", options)


def read_model(value: object) -> str | None:
    """The name of a model, None for the server's own choice. Raises Problem (422)."""
    if value in (None, ""):
        return None
    if not isinstance(value, str) or not value.isprintable() or not value.strip():
        raise Problem(422, "model must be the name of a model: GET /models has those that there are")
    return value


def _unknown(name: str) -> Problem:
    names = ["image", "model", "include", *PROPERTIES]
    close = difflib.get_close_matches(name, names, 1)
    # All names would be a long sentence; the answer has them beside it.
    hint = f". Did you mean {close[0]!r}?" if close else ""
    return Problem(422, f"There is no option {_shown(name)}{hint}", allowed=names)


def _checked(name: str, value: object) -> Any:
    rule = PROPERTIES[name]
    allowed: list[object] = list(rule.get("enum", ()))
    numeric = rule.get("type") in ("integer", "number") or any(isinstance(each, int) for each in allowed)
    known = _number(value) if numeric else value
    if allowed:
        if known in allowed and not isinstance(known, bool):
            return known
        choices = ", ".join(map(str, allowed))
        raise Problem(422, f"{name} is {_shown(value)}. It must be one of {choices}", allowed=allowed)
    low, high = rule["minimum"], rule["maximum"]
    whole = rule["type"] == "integer"
    if isinstance(known, float) and whole and known.is_integer():
        known = int(known)
    if not isinstance(known, (int, float)) or (whole and isinstance(known, float)) or not low <= known <= high:
        kind = "a whole number" if whole else "a number"
        raise Problem(
            422, f"{name} is {_shown(value)}. It must be {kind} from {low:g} to {high:g}", allowed=[low, high]
        )
    return known


def _number(value: object) -> object:
    """The number that a text is; everything else as it is, but that true and false are no numbers."""
    if isinstance(value, bool):
        return None
    if not isinstance(value, str):
        return value
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
