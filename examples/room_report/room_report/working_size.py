"""A large photo at a size that is measured in seconds: a network's map holds no more detail than that anyway.

Everything that is given in pixels is brought along; what comes out is in pixels of the smaller photo. Draw it on that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from room_report.camera import Camera
from room_report.depth import NearnessMap
from room_report.measures import Pixel
from room_report.references import KnownDistance, KnownLength, KnownRectangle, Reference
from room_report.regions import Region

LONGEST = 800
"""Pixels of the longer side."""


@dataclass(frozen=True, eq=False)
class Reduced:
    """The arguments of `survey` for a photo that was made smaller.

    Attributes:
        step: how many times smaller: its pixel p shows what the photo's pixel `step * p + (step - 1) // 2` does.
        nearness, camera, references, distances, regions: as of the smaller photo.
        click: the standard deviation in pixels of a marked point.
    """

    step: int
    nearness: NearnessMap
    camera: Camera
    references: tuple[Reference, ...]
    distances: tuple[tuple[Pixel, Pixel], ...]
    regions: tuple[Region, ...]
    click: float


def reduced(
    nearness: NearnessMap,
    camera: Camera,
    references: Sequence[Reference] = (),
    *,
    distances: Sequence[tuple[Pixel, Pixel]] = (),
    regions: Sequence[Region] = (),
    click: float = 1.0,
) -> Reduced:
    """Take every n-th pixel, so that the longer side has `LONGEST` at most; a small photo stays as it is.

    Args:
        nearness: at the photo's size.
        camera: of the photo.
        references: what is known.
        distances: pairs of pixels between which to measure.
        regions: labelled boxes and masks.
        click: standard deviation in pixels of a marked point.
    """
    step = max(1, -(-max(nearness.size) // LONGEST))
    width, height = (side // step for side in nearness.size)
    rows = slice((step - 1) // 2, (step - 1) // 2 + step * (height - 1) + 1, step)
    columns = slice((step - 1) // 2, (step - 1) // 2 + step * (width - 1) + 1, step)

    def moved(pixel: Pixel) -> Pixel:
        return (pixel[0] - (step - 1) // 2) / step, (pixel[1] - (step - 1) // 2) / step

    def smaller(reference: Reference) -> Reference:
        if isinstance(reference, KnownRectangle):
            a, b, c, d = (moved(corner) for corner in reference.corners)
            return replace(reference, corners=(a, b, c, d))
        if isinstance(reference, KnownDistance):
            return replace(reference, pixel=moved(reference.pixel))
        if isinstance(reference, KnownLength):
            return replace(reference, start=moved(reference.start), end=moved(reference.end))
        return reference

    picked = np.ascontiguousarray(nearness.values[rows, columns])
    return Reduced(
        step,
        replace(nearness, values=picked, valid=np.ascontiguousarray(nearness.valid[rows, columns])),
        replace(camera, focal=camera.focal / step, size=(width, height)),
        tuple(smaller(reference) for reference in references),
        tuple((moved(start), moved(end)) for start, end in distances),
        tuple(replace(region, mask=region.mask[rows, columns]) for region in regions),
        click / step,
    )
