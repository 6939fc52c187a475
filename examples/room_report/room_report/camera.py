"""The camera that took the photo: its focal length, how sure that is, and the rays of its pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image

from room_report.errors import FocalLengthError

Floats = npt.NDArray[np.float64]
FocalSource = Literal["exif", "field of view", "vanishing points", "assumed"]

EXIF_SPREAD, VIEW_SPREAD, ASSUMED_SPREAD = 0.015, 0.02, 0.1
ASSUMED_VIEW = 67.0
"""Degrees across the longer side: a phone's main camera has 60 to 75."""

_FILM_DIAGONAL = math.hypot(36, 24)
_SENSOR_SHAPES = (4 / 3, 3 / 2, 16 / 9, 1.0)


@dataclass(frozen=True)
class Camera:
    """A pinhole camera whose axis goes through the photo's middle.

    Attributes:
        focal: focal length in pixels of the photo.
        size: (width, height) of the upright photo in pixels.
        spread: standard deviation of the focal length as a share of it.
        source: where the focal length comes from.
    """

    focal: float
    size: tuple[int, int]
    spread: float = 0.0
    source: FocalSource = "field of view"

    @property
    def centre(self) -> Floats:
        """(x, y) of the axis; (0, 0) is the centre of the top left pixel."""
        return np.array([(self.size[0] - 1) / 2, (self.size[1] - 1) / 2])

    def rays(self, pixels: npt.ArrayLike) -> Floats:
        """Directions float64 [..., 3] of pixels [..., 2], with z = 1: x to the right, y down, z forward."""
        flat = (np.asarray(pixels, dtype=np.float64) - self.centre) / self.focal
        return np.concatenate([flat, np.ones((*flat.shape[:-1], 1))], axis=-1)

    def pixels(self, points: Floats) -> Floats:
        """Where points [..., 3] in front of the camera are seen: [..., 2]."""
        return np.asarray(points[..., :2] / points[..., 2:] * self.focal + self.centre)

    def nudged(self, deviations: float) -> Camera:
        """The camera with a focal length that many standard deviations longer."""
        return replace(self, focal=self.focal * (1 + deviations * self.spread))


def from_view(degrees: float, size: tuple[int, int]) -> Camera:
    """The camera with a horizontal field of view, which is taken to be known within ± 4 %.

    Raises:
        FocalLengthError: the angle is not above 0 and below 180 degrees.
    """
    if not (math.isfinite(degrees) and 0 < degrees < 180):
        raise FocalLengthError(
            f"A field of view of {degrees:g} degrees is not possible. Give degrees across the photo's width, above 0 "
            "and below 180."
        )
    return Camera(size[0] / 2 / math.tan(math.radians(degrees) / 2), size, VIEW_SPREAD, "field of view")


def assumed(size: tuple[int, int]) -> Camera:
    """A phone's usual camera, where nothing is known: ± 20 %."""
    return Camera(max(size) / 2 / math.tan(math.radians(ASSUMED_VIEW) / 2), size, ASSUMED_SPREAD, "assumed")


def from_exif(photo: Path) -> Camera:
    """The camera by the EXIF tag FocalLengthIn35mmFilm, within ± 3 %.

    That tag compares the diagonals of sensor and film (CIPA DCG-001), which differ from their widths where the sensor
    is not 3:2: by 4 % for a phone's 4:3.

    Args:
        photo: a file with EXIF data.

    Returns:
        The camera of the upright photo.

    Raises:
        FocalLengthError: the tag is missing, or the photo was cropped after it was taken: the tag is for the whole.
    """
    ask = "Give the field of view instead (--fov), or take the original file."
    with Image.open(photo) as image:
        exif = image.getexif()
        width, height = image.size
    details = exif.get_ifd(ExifTags.IFD.Exif)
    equivalent = float(details.get(ExifTags.Base.FocalLengthIn35mmFilm, 0) or 0)
    if not equivalent > 0:
        raise FocalLengthError(f"{photo.name} does not say its focal length (no FocalLengthIn35mmFilm). {ask}")
    taken = (details.get(ExifTags.Base.ExifImageWidth), details.get(ExifTags.Base.ExifImageHeight))
    if not all(isinstance(side, int) and side > 0 for side in taken):
        raise FocalLengthError(f"{photo.name} does not say the size it was taken at, so it may be cropped. {ask}")
    shape, shape_taken = max(width, height) / min(width, height), max(taken) / min(taken)
    if abs(shape / shape_taken - 1) > 0.01:
        raise FocalLengthError(
            f"{photo.name} was cropped: it was taken at {taken[0]} x {taken[1]} and is {width} x {height}. Its focal "
            f"length holds for the whole photo only. {ask}"
        )
    if min(abs(shape / known - 1) for known in _SENSOR_SHAPES) > 0.015:
        raise FocalLengthError(
            f"{photo.name} has the unusual shape {width} x {height}, so it was probably cropped. Its focal length "
            f"holds for the whole photo only. {ask}"
        )
    if exif.get(ExifTags.Base.Orientation, 1) >= 5:
        width, height = height, width
    focal = equivalent / _FILM_DIAGONAL * math.hypot(width, height)
    return Camera(focal, (width, height), EXIF_SPREAD, "exif")
