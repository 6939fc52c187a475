"""What the numbers of a depth map mean, and how a network's map grows to the photo's size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar, get_args

DepthKind = Literal["relative_inverse_depth", "metric_depth"]
Upsampling = Literal["bicubic", "bilinear", "bilinear_corners"]

Unit = Literal["metres", "relative"]
UNITS: Mapping[str, Unit] = {"metric_depth": "metres", "relative_inverse_depth": "relative"}
"""The unit of each kind; relative depth has none."""

KINDS: tuple[DepthKind, ...] = get_args(DepthKind)
UPSAMPLINGS: tuple[Upsampling, ...] = get_args(Upsampling)

Name = TypeVar("Name", bound=str)


def known(value: object, names: tuple[Name, ...]) -> Name:
    """The value as one of the names. Raises ValueError where it is none, as with a newer server."""
    for name in names:
        if value == name:
            return name
    raise ValueError(f"{value!r} is none of {', '.join(names)}")
