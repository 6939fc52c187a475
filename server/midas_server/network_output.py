"""What a network's output means, and how it is brought to the photo's size. Names only, no arrays."""

from collections.abc import Mapping
from typing import Literal, get_args

Kind = Literal["relative_inverse_depth", "metric_depth"]
"""Larger is nearer in the first, farther in the second."""

KINDS: tuple[Kind, ...] = get_args(Kind)

UNITS: Mapping[Kind, str] = {"relative_inverse_depth": "relative", "metric_depth": "metres"}
"""The unit of DEPTH. Relative inverse depth has no unit and no zero point: only comparisons within a photo count."""

Upsampling = Literal["bicubic", "bilinear", "bilinear_corners"]
"""What the official code does; see `midas_server.imaging.geometry.resize_depth`."""

UPSAMPLINGS: tuple[Upsampling, ...] = get_args(Upsampling)
