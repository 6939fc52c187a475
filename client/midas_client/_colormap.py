"""Colour maps: one table of names here, one table of colours in the `cmap` package."""

from __future__ import annotations

from functools import cache
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from midas_client._errors import OptionError

Colormap = Literal["inferno", "magma", "plasma", "viridis", "cividis", "turbo", "spectral_r", "gray"]

COLORMAPS: tuple[str, ...] = get_args(Colormap)


def check_colormap(name: str) -> str:
    """The name itself.

    Raises:
        OptionError: there is no such colour map; names those that there are.
    """
    if name not in COLORMAPS:
        raise OptionError(f"colormap is {name!r}", hint=f"Allowed: {', '.join(COLORMAPS)}")
    return name


@cache
def colour_table(name: str) -> npt.NDArray[np.uint8]:
    """uint8 RGB [256, 3] of a colour map: row 0 for the farthest, row 255 for the nearest.

    Raises:
        OptionError: there is no such colour map.
    """
    from cmap import Colormap as Table  # noqa: PLC0415 - slow to import, and only colour needs it

    table: npt.NDArray[np.float64] = Table(check_colormap(name)).lut(256)
    colours: npt.NDArray[np.uint8] = np.rint(table[:, :3] * 255.0).astype(np.uint8)
    colours.setflags(write=False)
    return colours
