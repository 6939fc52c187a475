"""The options of a request: their names and values, checked before anything is sent."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Literal, get_args

from midas_client._colormap import COLORMAPS, Colormap
from midas_client._errors import OptionError

Aspect = Literal["keep", "square"]
OutputSize = Literal["photo", "network"]
Format = Literal["float32", "float16", "png16", "png8", "color_png", "color_jpeg"]
Filter = Literal["none", "guided", "crf", "median", "bilateral"]
Equalize = Literal["none", "global", "clahe"]

PICTURE_FORMATS: tuple[Format, ...] = ("png8", "color_png", "color_jpeg")
"""They are to look at: no depth can be had from them."""
DEPTH_FORMATS: tuple[Format, ...] = tuple(name for name in get_args(Format) if name not in PICTURE_FORMATS)

DEFAULT_MODEL = "midas_tiny_256"
RESOLUTIONS = range(128, 1281, 32)

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "aspect": get_args(Aspect),
    "output_size": get_args(OutputSize),
    "format": get_args(Format),
    "colormap": COLORMAPS,
    "filter": get_args(Filter),
    "equalize": get_args(Equalize),
}

# The smallest and the largest value of each number that belongs to a filter or an equalisation.
SETTINGS: Mapping[str, tuple[int, int] | tuple[float, float]] = {
    "guided_radius": (1, 32),
    "guided_eps": (0.000001, 1.0),
    "crf_radius": (1, 64),
    "crf_contrast": (0.5, 64.0),
    "median_size": (3, 5),
    "bilateral_radius": (1, 8),
    "bilateral_contrast": (0.001, 1.0),
    "clahe_clip": (1.0, 16.0),
    "clahe_tiles": (2, 16),
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
    colormap: Colormap | None = None,
    filter: Filter | None = None,
    equalize: Equalize | None = None,
    settings: Mapping[str, float] | None = None,
) -> dict[str, int | float | str]:
    """The parameters of a request: the options that are not None, in the server's names and types.

    Which options go together is the server's to say.

    Raises OptionError.
    """
    parameters: dict[str, int | float | str] = {}
    if resolution is not None:
        parameters["resolution"] = _check_resolution(resolution)
    choices = {
        "aspect": aspect,
        "output_size": output_size,
        "format": format,
        "colormap": colormap,
        "filter": filter,
        "equalize": equalize,
    }
    for name, value in choices.items():
        if value is not None:
            parameters[name] = _check_choice(name, value)
    for name, number in (settings or {}).items():
        parameters[name] = _check_setting(name, number)
    return parameters


def _check_setting(name: str, value: object) -> int | float:
    if name not in SETTINGS:
        raise OptionError(f"There is no setting {name!r}", hint=f"Allowed: {', '.join(SETTINGS)}")
    low, high = SETTINGS[name]
    whole = isinstance(low, int)
    try:
        # numpy's numbers are welcome; True and "3" are mistakes.
        number: int | float = operator.index(value) if whole else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, (bool, str)) or not low <= number <= high:
        kind = "whole numbers" if whole else "numbers"
        raise OptionError(f"{name} is {value!r}", hint=f"Allowed: {kind} from {low:.7g} to {high:.7g}")
    return number


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
