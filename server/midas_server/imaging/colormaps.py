"""Colour maps: the names that there are here, their colours in the `cmap` package, as for the client.

The names are had without numpy: the table of options has them.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Colormap = Literal["inferno", "magma", "plasma", "viridis", "cividis", "turbo", "spectral_r", "gray"]

COLORMAPS: tuple[str, ...] = get_args(Colormap)


@cache
def colour_table(name: str) -> NDArray[np.uint8]:
    """uint8 RGB `[256, 3]` of one of `COLORMAPS`: row 0 for the farthest, row 255 for the nearest."""
    import numpy as np  # noqa: PLC0415
    from cmap import Colormap as Table  # noqa: PLC0415  (slow to import; what asks for no colours does without)

    colours: NDArray[np.uint8] = np.rint(np.asarray(Table(name).lut(256))[:, :3] * 255).astype(np.uint8)
    colours.setflags(write=False)
    return colours
