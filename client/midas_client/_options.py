"""The options of a request: their names and values, checked before anything is sent."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Literal, get_args

from midas_client._errors import OptionError

Aspect = Literal["keep", "square"]
OutputSize = Literal["photo", "network"]
Format = Literal["float32", "png16"]

DEFAULT_MODEL = "midas_tiny_256"
RESOLUTIONS = range(128, 1281, 32)

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "aspect": get_args(Aspect),
    "output_size": get_args(OutputSize),
    "format": get_args(Format),
}


def check_model(model: str) -> str:
    """The name itself. Raises OptionError unless it is a text that could be one."""
    if not isinstance(model, str) or not model.strip() or not model.isprintable():
        raise OptionError(f"The model is {model!r}", hint=f"It must be a model's name, for instance {DEFAULT_MODEL!r}")
    return model


def request_parameters(
    *,
    resolution: int | None,
    aspect: Aspect | None,
    output_size: OutputSize | None,
    format: Format | None,
) -> dict[str, int | str]:
    """The parameters of a request: the options that are not None, in the server's names and types.

    Raises OptionError.
    """
    parameters: dict[str, int | str] = {}
    if resolution is not None:
        parameters["resolution"] = _check_resolution(resolution)
    for name, value in (("aspect", aspect), ("output_size", output_size), ("format", format)):
        if value is not None:
            parameters[name] = _check_choice(name, value)
    return parameters


def _check_resolution(resolution: object) -> int:
    allowed = f"Allowed: {RESOLUTIONS.start} to {RESOLUTIONS[-1]} in steps of {RESOLUTIONS.step}"
    try:
        # An index rather than an int: numpy's integers are welcome; 256.0, "256" and True are mistakes.
        number = 0 if isinstance(resolution, bool) else operator.index(resolution)  # type: ignore[arg-type]
    except TypeError:
        number = 0
    if number not in RESOLUTIONS:
        raise OptionError(f"resolution is {resolution!r}", hint=allowed)
    return number


def _check_choice(name: str, value: str) -> str:
    if value not in _CHOICES[name]:
        raise OptionError(f"{name} is {value!r}", hint=f"Allowed: {', '.join(_CHOICES[name])}")
    return value
