"""The size at which a photo enters a network: one function for the server, export and TensorRT's profiles."""

import math
from typing import Literal

from typing_extensions import assert_never

ResizeRule = Literal["minimal", "upper_bound", "lower_bound", "square"]

MULTIPLE = 32
"""The grid of MiDaS: both sides of the input are multiples of it. Other networks have other grids."""


def network_size(width: int, height: int, side: int, rule: ResizeRule, multiple: int = MULTIPLE) -> tuple[int, int]:
    """The size at which a photo enters the network.

    This is the `Resize` transform of the official code (isl-org/MiDaS, `midas/transforms.py`) with
    `ensure_multiple_of=multiple`: `minimal` scales both sides by the factor that is nearer to 1, so that (of a photo
    larger than the network) the shorter side becomes `side`; `upper_bound` scales so that the longer side does, and
    `lower_bound` so that the shorter one does, whatever the photo's size; `square` gives up the aspect ratio. Where
    the official code would round a side of a very long photo to nothing, it is `multiple` here.

    Args:
        width: of the upright photo, in pixels.
        height: of the same.
        side: side of the square that the rule is given, a multiple of `multiple`.
        rule: one of the four above.
        multiple: the network's grid.

    Returns:
        `(width, height)`, each a multiple of `multiple`.
    """
    scale_x, scale_y = side / width, side / height
    match rule:
        case "square":
            return side, side
        case "upper_bound":
            scale = min(scale_x, scale_y)
        case "lower_bound":
            scale = max(scale_x, scale_y)
        case "minimal":
            scale = scale_x if abs(1 - scale_x) < abs(1 - scale_y) else scale_y
        case _:
            assert_never(rule)
    sides = []
    for length in (width * scale, height * scale):
        steps = round(length / multiple)
        if rule == "upper_bound" and steps * multiple > side:
            steps = math.floor(length / multiple)
        elif rule == "lower_bound" and steps * multiple < side:
            steps = math.ceil(length / multiple)
        sides.append(max(steps, 1) * multiple)
    return sides[0], sides[1]


MIN_RESOLUTION = 128
MAX_RESOLUTION = 1280


def resolutions_on(multiple: int) -> range:
    """The resolutions that a network may be asked for whose grid is `multiple`."""
    return range(-(-MIN_RESOLUTION // multiple) * multiple, MAX_RESOLUTION + 1, multiple)
