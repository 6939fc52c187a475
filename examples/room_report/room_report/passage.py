"""Whether a piece of furniture gets in: through a door, and round the corner of a corridor."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np

HANDS = 0.02
"""Metres that must be left on either side of a piece that is carried through."""


@dataclass(frozen=True)
class Way:
    """The way in, in metres; None for what is not known or not there.

    Attributes:
        door: clear width and height of the narrowest door.
        corridor: widths of the corridor before and behind its corner.
        ceiling: height of the corridor.
    """

    door: tuple[float, float] | None = None
    corridor: tuple[float, float] | None = None
    ceiling: float = 2.3


def gets_in(size: tuple[float, float, float], way: Way) -> bool:
    """Whether a box of that width, depth and height can be carried in, with one of its sides upright."""
    return any(_carried(long, short, high, way) for long, short, high in permutations(size) if long >= short)


def _carried(long: float, short: float, high: float, way: Way) -> bool:
    if way.door and not (short + 2 * HANDS <= way.door[0] and high + HANDS <= way.door[1]):
        return False
    if way.corridor is None:
        return True
    return high + HANDS <= way.ceiling and short + HANDS <= room_at_corner(long, *way.corridor)


def room_at_corner(long: float, first: float, second: float) -> float:
    """How deep a piece of that length may be to turn from one corridor into another at a right angle; may be below 0.

    With its outer long side touching both outer walls at an angle, it has the distance of that side from the inner
    corner: first * cos + second * sin - long * sin * cos. The smallest over all angles counts.
    """
    angle = np.linspace(0, np.pi / 2, 181)
    room = first * np.cos(angle) + second * np.sin(angle) - long * np.sin(angle) * np.cos(angle)
    return float(room.min())
