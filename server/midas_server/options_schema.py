"""The table of options as a JSON schema, for programs in other languages: docs/options.schema.json.

    python -m midas_server.options_schema > docs/options.schema.json

What only the server can check is not in it: the variant's grid, and the sizes of the photo and the result. JSON has one
kind of number, so the schema takes 256.0 for an integer, which the server does not.
"""

import argparse
import json
from typing import Any

from midas_server.imaging.network_size import MAX_RESOLUTION, MIN_RESOLUTION
from midas_server.options import CHOICES, DESCRIPTIONS, NEEDS_FORMAT, SETTINGS, Setting


def options_schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a request's parameters, whatever the variant."""
    properties: dict[str, dict[str, Any]] = {
        "resolution": {"type": "integer", "minimum": MIN_RESOLUTION, "maximum": MAX_RESOLUTION}
    }
    for name, values in CHOICES.items():
        properties[name] = {"enum": list(values)} | ({} if name == "aspect" else {"default": values[0]})
    properties |= {name: _number(setting) for name, setting in SETTINGS.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Options of a request",
        "description": "The request parameters that a MiDaS ensemble takes. All may be left out.",
        "type": "object",
        "properties": {name: {"description": DESCRIPTIONS[name], **rest} for name, rest in properties.items()},
        "additionalProperties": False,
        "dependentSchemas": {name: _needs(setting.option, [setting.value]) for name, setting in SETTINGS.items()}
        | {"colormap": _needs("format", NEEDS_FORMAT["colormap"])},
        # equalize=none goes with every format
        "if": _needs("equalize", [value for value in CHOICES["equalize"] if value != "none"]),
        "then": _needs("format", NEEDS_FORMAT["equalize"]),
    }


def _number(setting: Setting) -> dict[str, Any]:
    default: dict[str, Any] = {"default": setting.default}
    if setting.step > 1:
        return {"enum": list(range(int(setting.low), int(setting.high) + 1, setting.step)), **default}
    kind = "integer" if setting.whole else "number"
    return {"type": kind, "minimum": setting.low, "maximum": setting.high, **default}


def _needs(option: str, values: list[str] | tuple[str, ...]) -> dict[str, Any]:
    """Schema of the requests that ask for one of these values."""
    return {"properties": {option: {"enum": list(values)}}, "required": [option]}


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m midas_server.options_schema", description=__doc__).parse_args()
    print(json.dumps(options_schema(), indent=2))
