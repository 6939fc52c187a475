"""The same lengths without a depth map: from lines that are parallel in the room, and one length that is known.

Parallel lines meet in a point of the photo, their vanishing point, which gives their direction. With the direction of
the upright ones, a thing of known height that stands on the floor gives the camera's height; then every point of the
floor has a place, and everything that stands on it a height (Criminisi, Reid, Zisserman: Single View Metrology, 2000).
It needs no network, so it checks what the depth map says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from room_report.camera import VIEW_SPREAD, Camera
from room_report.errors import BadReferenceError, FocalLengthError
from room_report.note import Note
from room_report.references import TAPE, Pixel, length_in_metres
from room_report.scale import Source
from room_report.uncertainty import COVER, Value

Floats = npt.NDArray[np.float64]
Segment = tuple[Pixel, Pixel]

_PARALLEL = 0.01


def vanishing_direction(camera: Camera, lines: tuple[Segment, ...]) -> Floats:
    """The direction [3] in the camera's axes of lines that are parallel in the room; its sign is open.

    Args:
        camera: with its focal length.
        lines: two or more, each by two points on it; long ones count more.

    Raises:
        BadReferenceError: fewer than two lines, or all on one line of the photo.
    """
    if len(lines) < 2:
        raise BadReferenceError("A vanishing point needs two parallel lines or more. Mark another one.")
    # the direction lies in the plane of the camera and each line, so it is square to all of their normals
    normals = np.array([np.cross(*camera.rays(line)) for line in lines])
    _, strengths, directions = np.linalg.svd(normals)
    if strengths[1] < _PARALLEL * strengths[0]:
        raise BadReferenceError("The lines lie on one line of the photo. Mark parallel lines that are apart.")
    return np.asarray(directions[2])


def focal_from_lines(one: tuple[Segment, ...], other: tuple[Segment, ...], size: tuple[int, int]) -> Camera:
    """The camera by the vanishing points of two directions that are square to each other in the room.

    Args:
        one: two lines or more of the first direction.
        other: two lines or more of the second.
        size: (width, height) of the photo in pixels.

    Raises:
        BadReferenceError: too few lines.
        FocalLengthError: the directions do not give one, as where lines are parallel in the photo too.
    """
    flat = Camera(float(max(size)), size)
    a, b = (vanishing_direction(flat, lines) for lines in (one, other))
    # (v1 - c) · (v2 - c) + f² = 0, with both vanishing points in units of the trial focal length
    with np.errstate(divide="ignore", invalid="ignore"):
        square = -(a[0] * b[0] + a[1] * b[1]) / (a[2] * b[2])
    if not (np.isfinite(square) and 0.3**2 < square < 5**2):
        raise FocalLengthError(
            "The lines do not give a focal length: one direction is parallel to the photo, or they are not square to "
            "each other. Give the field of view (--fov), or mark lines that run towards two corners of the room."
        )
    return Camera(flat.focal * float(np.sqrt(square)), size, VIEW_SPREAD, "vanishing points")


@dataclass(frozen=True)
class Upright:
    """A thing of known height that stands upright on the floor: the side of a door, say.

    Attributes:
        base, top: (x, y) of its ends.
        metres: its height.
        tolerance: half-width (95 %) in metres.
    """

    base: Pixel
    top: Pixel
    metres: float
    tolerance: float = TAPE

    def __post_init__(self) -> None:
        length_in_metres(self.metres, "height of the reference")
        length_in_metres(self.tolerance, "tolerance")
        if not self.base[1] > self.top[1] + 2:
            raise BadReferenceError("The base must lie below the top in the photo. Mark the base first.")


@dataclass(frozen=True)
class SingleView:
    """What was marked in a photo.

    Attributes:
        camera: with its focal length.
        uprights: lines that are upright in the room, two or more.
        reference: something upright of known height.
        click: standard deviation in pixels of each coordinate of a marked point.
    """

    camera: Camera
    uprights: tuple[Segment, ...]
    reference: Upright
    click: float = 1.0

    def up(self) -> Floats:
        """The direction [3] away from the floor."""
        found = vanishing_direction(self.camera, self.uprights)
        return -found if found[1] > 0 else found

    def camera_height(self) -> float:
        """Metres from the floor to the camera."""
        up = self.up()
        base, top = self.camera.rays([self.reference.base, self.reference.top])
        foot = _foot(base, up)
        # where the top's ray passes the upright over the base, which is `camera height` * foot
        across = np.cross(top, foot)
        return float(-self.reference.metres * (np.cross(top, up) @ across) / (across @ across))

    def floor_point(self, pixel: Pixel) -> Floats:
        """The point [3] of the floor that a pixel shows.

        Raises:
            BadReferenceError: it lies above the horizon.
        """
        return np.asarray(self.camera_height() * _foot(self.camera.rays(pixel), self.up()))

    def length(self, start: Pixel, end: Pixel) -> float:
        """Metres between two points of the floor."""
        return float(np.linalg.norm(self.floor_point(start) - self.floor_point(end)))

    def height(self, base: Pixel, top: Pixel) -> float:
        """The height in metres of something that stands on the floor at `base`."""
        up = self.up()
        ray, foot = self.camera.rays(top), _foot(self.camera.rays(base), up)
        across = np.cross(ray, up)
        return float(-self.camera_height() * (np.cross(ray, foot) @ across) / (across @ across))

    def valued(self, measure: Callable[[SingleView, tuple[Pixel, ...]], float], *pixels: Pixel) -> Value:
        """A measure with its uncertainty, by a nudge of all that is uncertain.

        Args:
            measure: takes a view and pixels, as `lambda view, p: view.length(*p)` does.
            pixels: what is measured.
        """
        middle = measure(self, pixels)
        squares: dict[Source, float] = {}
        for source, view, moved in self._nudged(pixels):
            squares[source] = squares.get(source, 0.0) + (measure(view, moved) - middle) ** 2
        parts = {source: float(np.sqrt(square)) for source, square in squares.items()}
        return Value(middle, float(np.sqrt(sum(squares.values()))), parts, "measured")

    def _nudged(self, pixels: tuple[Pixel, ...]) -> Iterator[tuple[Source, SingleView, tuple[Pixel, ...]]]:
        yield "focal length", replace(self, camera=self.camera.nudged(1.0)), pixels
        known = self.reference
        yield "reference", replace(self, reference=replace(known, metres=known.metres + known.tolerance / 2)), pixels
        for dx, dy in ((self.click, 0.0), (0.0, self.click)):

            def moved(pixel: Pixel, dx: float = dx, dy: float = dy) -> Pixel:
                return pixel[0] + dx, pixel[1] + dy

            yield "clicks", replace(self, reference=replace(known, base=moved(known.base))), pixels
            yield "clicks", replace(self, reference=replace(known, top=moved(known.top))), pixels
            for i, (start, end) in enumerate(self.uprights):
                for line in ((moved(start), end), (start, moved(end))):
                    uprights = (*self.uprights[:i], line, *self.uprights[i + 1 :])
                    yield "gravity", replace(self, uprights=uprights), pixels
            for i, pixel in enumerate(pixels):
                yield "clicks", self, (*pixels[:i], moved(pixel), *pixels[i + 1 :])


def _foot(ray: Floats, up: Floats) -> Floats:
    """The point [3] of the floor on a ray, for a camera one metre above it."""
    down = -float(ray @ up)
    if down < 1e-3 * float(np.linalg.norm(ray)):
        raise BadReferenceError("A point of the floor lies above the horizon. Mark points on the floor.")
    return np.asarray(ray / down)


def reconciled(one: Value, other: Value) -> tuple[Value, Note | None]:
    """A measure that was taken in two ways: the surer one, widened where they differ by more than they should.

    Returns:
        The value, and what the report says of it; None where both agree.
    """
    surer = min(one, other, key=lambda value: value.spread)
    off = abs(one.value - other.value)
    if off <= COVER * float(np.hypot(one.spread, other.spread)):
        return surer, None
    less_sure = other if surer is one else one
    return surer.widened(less_sure.value), Note("ways_differ", (one, other))
