"""What someone marked in a photo, as a JSON file: the command reads it.

Points are (x, y) in pixels of the upright photo, (0, 0) the centre of the top left one; lengths are metres.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from room_report.errors import BadReferenceError
from room_report.references import TAPE, CameraHeight, KnownDistance, KnownLength, KnownRectangle, Reference

Point = tuple[float, float]
Metres = Annotated[float, Field(allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MarkedRectangle(_Strict):
    """A door, or a sheet or card, by its corners: top left, top right, bottom right, bottom left."""

    kind: Literal["door", "sheet"] = "door"
    corners: tuple[Point, Point, Point, Point]
    width: Metres
    height: Metres
    tolerance: Metres = 0.01


class MarkedLength(_Strict):
    """Two points with the length between them."""

    start: Point
    end: Point
    metres: Metres
    tolerance: Metres = TAPE


class MarkedDistance(_Strict):
    """A point with its distance from the camera."""

    point: Point
    metres: Metres


class Asked(_Strict):
    """Two points between which to measure."""

    start: Point
    end: Point


class Marks(_Strict):
    """All that is marked in one photo.

    Attributes:
        photo: the file's name.
        size: (width, height) of the upright photo in pixels; None where it was not looked at.
    """

    photo: str = ""
    size: tuple[int, int] | None = None
    rectangles: list[MarkedRectangle] = []
    lengths: list[MarkedLength] = []
    distances: list[MarkedDistance] = []
    camera_height: Metres | None = None
    measure: list[Asked] = []

    def references(self) -> list[Reference]:
        """What is known, checked.

        Raises:
            BadReferenceError: something of it cannot be right.
        """
        found: list[Reference] = [
            KnownRectangle(each.corners, each.width, each.height, each.tolerance, upright=each.kind == "door")
            for each in self.rectangles
        ]
        found += [KnownLength(each.start, each.end, each.metres, each.tolerance) for each in self.lengths]
        found += [KnownDistance(each.point, each.metres) for each in self.distances]
        if self.camera_height is not None:
            found.append(CameraHeight(self.camera_height))
        return found

    def joined(self, other: Marks) -> Marks:
        """These marks and another's."""
        height = self.camera_height if other.camera_height is None else other.camera_height
        return self.model_copy(
            update={
                "rectangles": [*self.rectangles, *other.rectangles],
                "lengths": [*self.lengths, *other.lengths],
                "distances": [*self.distances, *other.distances],
                "camera_height": height,
                "measure": [*self.measure, *other.measure],
            }
        )

    def check_size(self, size: tuple[int, int]) -> None:
        """Refuse marks that were made in the photo at another size.

        Raises:
            BadReferenceError: with both sizes.
        """
        if self.size is not None and self.size != size:
            raise BadReferenceError(
                f"The marks were made in a photo of {self.size[0]} x {self.size[1]} pixels, and this one has {size[0]} "
                f"x {size[1]}. Mark it anew."
            )


def beside(photo: Path) -> Path:
    """Where the marks of a photo are looked for: room.jpg has room.marks.json."""
    return photo.with_suffix(".marks.json")


def read_marks(file: Path) -> Marks:
    """The marks of a file.

    Raises:
        BadReferenceError: it is not one of marks; with the place in it.
    """
    try:
        return Marks.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise BadReferenceError(
            f"{file} is not a file of marks: {where}: {first['msg']}. README.md shows one."
        ) from None
