"""The options of a request: their names and values, checked before anything is sent."""

from __future__ import annotations

import difflib
import math
import operator
from collections.abc import Mapping
from typing import Any, Literal, TypedDict, get_args

from midas_client._colormap import COLORMAPS, Colormap
from midas_client._errors import OptionError

Aspect = Literal["keep", "square"]
OutputSize = Literal["photo", "network"]
Format = Literal["float32", "float16", "png16", "png8", "color_png", "color_jpeg"]
Filter = Literal["none", "guided", "crf", "median", "bilateral"]
Equalize = Literal["none", "global", "clahe"]


class Options(TypedDict, total=False):
    """What a caller may choose for a photo, all as keywords. What is left out, or None, is the server's default.

    Attributes:
        resolution: side of the square that the variant's resize rule aims at, from 128 to 1280 on the variant's grid
            (32 for MiDaS), which the server knows; by default the variant's own.
        aspect: "keep" or "square"; by default the variant's rule.
        output_size: "photo" (default) or "network", the size of the result.
        format: "float32" (default), exact; "float16", 11 bits of precision in half of the bytes; "png16", 65536 steps
            in less than half of the bytes. Or a picture, made by the server, that is in `DepthMap.encoded` while
            `DepthMap.depth` is zero-size: "png8" (grey), "color_png", "color_jpeg".
        colormap: of a colour picture; "inferno" by default.
        filter: "guided" or "crf" move the edges of the depth to those of the photo, "median" or "bilateral" take
            speckles away; "none" (default).
        equalize: "global" or "clahe", more contrast for a picture; "none" (default).
        settings: numbers for the filter or the equalisation, such as {"crf_radius": 12}.
    """

    resolution: int | None
    aspect: Aspect | None
    output_size: OutputSize | None
    format: Format | None
    colormap: Colormap | None
    filter: Filter | None
    equalize: Equalize | None
    settings: Mapping[str, float] | None


PICTURE_FORMATS: tuple[Format, ...] = ("png8", "color_png", "color_jpeg")
"""They are to look at: no depth can be had from them."""
DEPTH_FORMATS: tuple[Format, ...] = tuple(name for name in get_args(Format) if name not in PICTURE_FORMATS)

DEFAULT_MODEL = "default"
"""What a server of this project calls the network that it serves by default, whichever that is."""

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "aspect": get_args(Aspect),
    "output_size": get_args(OutputSize),
    "format": get_args(Format),
    "colormap": COLORMAPS,
    "filter": get_args(Filter),
    "equalize": get_args(Equalize),
}

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
"""The smallest and the largest value of each number that belongs to a filter or an equalisation; whole numbers where
these are."""


def check_model(model: str) -> str:
    """The name itself.

    Raises:
        OptionError: it is not a text that could be a name.
    """
    if not isinstance(model, str) or not model.strip() or not model.isprintable():
        raise OptionError(f"The model is {model!r}", hint=f"It must be a model's name, such as {DEFAULT_MODEL!r}")
    return model


def request_parameters(options: Mapping[str, Any]) -> dict[str, int | float | str]:
    """The parameters of a request: the Options that are not None, in the server's names and types.

    Which options go together is the server's to say.

    Raises:
        OptionError: an option, or a value of one, is not allowed.
    """
    parameters: dict[str, int | float | str] = {}
    for name, value in options.items():
        if name not in Options.__annotations__:
            raise OptionError(f"There is no option {name!r}", hint=_suggestion(name))
        if value is None:
            continue
        if name == "resolution":
            parameters[name] = _check_resolution(value)
        elif name == "settings":
            parameters.update({setting: _check_setting(setting, number) for setting, number in value.items()})
        else:
            parameters[name] = _check_choice(name, value)
    return parameters


def _suggestion(name: str) -> str:
    allowed = list(Options.__annotations__)
    close = difflib.get_close_matches(name, allowed, 1)
    return f"Did you mean {close[0]!r}?" if close else f"Allowed: {', '.join(allowed)}"


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
    """Any whole number that travels: which of them a model takes is the server's to say."""
    try:
        # An index rather than an int: numpy's integers are welcome; 256.0, "256" and True are mistakes.
        number = 0 if isinstance(resolution, bool) else operator.index(resolution)  # type: ignore[arg-type]
    except TypeError:
        number = 0
    if not 0 < number < 1 << 31:
        raise OptionError(f"resolution is {resolution!r}", hint="It must be a whole number of pixels, such as 384")
    return number


def _check_choice(name: str, value: str) -> str:
    if value not in _CHOICES[name]:
        raise OptionError(f"{name} is {value!r}", hint=f"Allowed: {', '.join(_CHOICES[name])}")
    return value
