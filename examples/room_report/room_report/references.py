"""What is known of a room before it is measured: a door's size, distances, lengths, the camera's height.

Each reference is checked when it is made: what cannot be right is refused with the reason, never repaired in silence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from room_report.errors import BadReferenceError

Floats = npt.NDArray[np.float64]
Pixel = tuple[float, float]

KNOWN_SIZES: dict[str, tuple[float, float, float]] = {
    "a4": (0.210, 0.297, 0.001),
    "letter": (0.2159, 0.2794, 0.001),
    "card": (0.0856, 0.05398, 0.0002),
}
"""Width, height and half-width of the uncertainty (95 %) in metres of things whose size is the same everywhere."""

TAPE = 0.005
"""Half-width (95 %) in metres of a length that was taken with a tape."""
_CLOSE = 2.0
_DOOR = 1.8
_FLAT_CORNER = 0.05


def length_in_metres(value: float, what: str) -> float:
    """The value itself.

    Raises:
        BadReferenceError: it is not a finite number above 0.
    """
    if not (math.isfinite(value) and value > 0):
        raise BadReferenceError(f"The {what} is {value:g} m. It must be a number of metres above 0.")
    return float(value)


@dataclass(frozen=True)
class KnownRectangle:
    """A flat rectangle of known size, marked by its corners: a door, a sheet of paper, a tile.

    Attributes:
        corners: (x, y) in pixels: top left, top right, bottom right, bottom left, as they lie in the photo.
        width, height: in metres, of the top side and of the left side.
        tolerance: half-width (95 %) in metres of either.
        upright: whether it hangs or stands on its bottom side, as a door does.
    """

    corners: tuple[Pixel, Pixel, Pixel, Pixel]
    width: float
    height: float
    tolerance: float = TAPE
    upright: bool = True

    def __post_init__(self) -> None:
        length_in_metres(self.width, "rectangle's width")
        length_in_metres(self.height, "rectangle's height")
        length_in_metres(self.tolerance, "rectangle's tolerance")
        points = np.asarray(self.corners, dtype=np.float64)
        if points.shape != (4, 2) or not np.isfinite(points).all():
            raise BadReferenceError("A rectangle needs four corners, each x and y in pixels.")
        for i in range(4):
            for j in range(i):
                if np.linalg.norm(points[i] - points[j]) < _CLOSE:
                    raise BadReferenceError(
                        f"Two corners are the same point: ({points[i, 0]:g}, {points[i, 1]:g}). Mark four different "
                        "corners."
                    )
        turns = [_turn(points[i - 1], points[i], points[(i + 1) % 4]) for i in range(4)]
        flat = int(np.argmin(np.abs(turns)))
        if abs(turns[flat]) < _FLAT_CORNER:
            raise BadReferenceError(
                f"Three corners lie on a line, about ({points[flat, 0]:g}, {points[flat, 1]:g}). Mark the four corners "
                "of the rectangle; it must not be seen from the edge."
            )
        if max(turns) < 0:
            raise BadReferenceError(
                "The corners run anticlockwise: the rectangle is mirrored. Mark them clockwise from the top left: top "
                "left, top right, bottom right, bottom left."
            )
        if min(turns) < 0:
            raise BadReferenceError(
                "The sides of the rectangle cross. Mark the corners in turn: top left, top right, bottom right, bottom "
                "left."
            )
        if self.upright and not points[:2, 1].mean() < points[2:, 1].mean():
            raise BadReferenceError(
                "The top corners lie below the bottom ones. Mark the corners in turn: top left, top right, bottom "
                "right, bottom left."
            )

    @property
    def is_door(self) -> bool:
        """Whether it is as tall as a door, which stands on the floor."""
        return self.upright and self.height >= _DOOR

    def shape(self) -> Floats:
        """The corners float64 [4,2] in the rectangle's own plane, in metres from its middle, y down."""
        x, y = self.width / 2, self.height / 2
        return np.array([[-x, -y], [x, -y], [x, y], [-x, y]])


def _turn(before: Floats, corner: Floats, after: Floats) -> float:
    """The sine of the turn at a corner; above 0 for a clockwise one as the photo shows it."""
    a, b = corner - before, after - corner
    return float((a[0] * b[1] - a[1] * b[0]) / (np.linalg.norm(a) * np.linalg.norm(b)))


@dataclass(frozen=True)
class KnownDistance:
    """The distance of a point from the camera, along the camera's axis.

    Attributes:
        pixel: (x, y).
        metres: as measured.
        tolerance: half-width (95 %) in metres.
    """

    pixel: Pixel
    metres: float
    tolerance: float = 0.02

    def __post_init__(self) -> None:
        length_in_metres(self.metres, f"distance at ({self.pixel[0]:g}, {self.pixel[1]:g})")
        length_in_metres(self.tolerance, "distance's tolerance")


@dataclass(frozen=True)
class KnownLength:
    """The length between two points that the photo shows.

    Attributes:
        start, end: (x, y).
        metres: as measured.
        tolerance: half-width (95 %) in metres.
    """

    start: Pixel
    end: Pixel
    metres: float
    tolerance: float = TAPE

    def __post_init__(self) -> None:
        length_in_metres(self.metres, "length")
        length_in_metres(self.tolerance, "length's tolerance")
        if math.dist(self.start, self.end) < _CLOSE:
            raise BadReferenceError(
                f"Both ends of the length are the same point: ({self.start[0]:g}, {self.start[1]:g}). Mark two points "
                "that are apart."
            )


@dataclass(frozen=True)
class CameraHeight:
    """The height of the camera above the floor.

    Attributes:
        metres: as measured.
        tolerance: half-width (95 %) in metres.
    """

    metres: float
    tolerance: float = 0.03

    def __post_init__(self) -> None:
        length_in_metres(self.metres, "camera's height")
        length_in_metres(self.tolerance, "height's tolerance")


Reference = KnownRectangle | KnownDistance | KnownLength | CameraHeight


def pixels_of(reference: Reference) -> Floats:
    """The pixels [N,2] that were clicked for a reference."""
    if isinstance(reference, KnownRectangle):
        return np.array(reference.corners, dtype=np.float64)
    if isinstance(reference, KnownDistance):
        return np.array([reference.pixel], dtype=np.float64)
    if isinstance(reference, KnownLength):
        return np.array([reference.start, reference.end], dtype=np.float64)
    return np.zeros((0, 2))


def check_inside(references: list[Reference], size: tuple[int, int]) -> None:
    """Refuse points outside of the photo, and two distances at one point.

    Raises:
        BadReferenceError: with the point.
    """
    for reference in references:
        for x, y in pixels_of(reference):
            if not (-0.5 <= x <= size[0] - 0.5 and -0.5 <= y <= size[1] - 0.5):
                raise BadReferenceError(
                    f"The point ({x:g}, {y:g}) lies outside of the photo, which is {size[0]} x {size[1]}."
                )
    points = [reference.pixel for reference in references if isinstance(reference, KnownDistance)]
    for i, one in enumerate(points):
        for other in points[:i]:
            if math.dist(one, other) < _CLOSE:
                raise BadReferenceError(
                    f"Two distances are given for the same point: ({one[0]:g}, {one[1]:g}). Mark points that are apart."
                )
