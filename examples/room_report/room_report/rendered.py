"""A rendered photo with its exact depth, measured as `album.take` measures a photo with a network's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from midas_client import DepthMap, upright_rgb
from room_report.album import Shot, camera_of
from room_report.depth import EXACT, NearnessMap
from room_report.errors import BadReferenceError
from room_report.marks import Marks
from room_report.survey import survey


def rendered(photo: Path, depth: Path, marks: Marks, view: float | None = None) -> Shot:
    """Measure the room in a rendered photo.

    Args:
        photo: a JPEG, PNG or WebP file.
        depth: a PNG of 16 bits of the same size: millimetres along the camera's axis, 0 where there is nothing.
        marks: made in the photo. The scale comes from them alone, as with a network.
        view: degrees across the photo's width; None to take it from EXIF, or else to assume it.

    Raises:
        RoomReportError, PhotoError, OSError: see their texts.
    """
    pixels = upright_rgb(photo)
    size = (pixels.shape[1], pixels.shape[0])
    marks.check_size(size)
    with Image.open(depth) as image:
        metres = np.asarray(image, dtype=np.float64) / 1000
    if metres.shape != pixels.shape[:2]:
        raise BadReferenceError(
            f"{depth.name} has {metres.shape[1]} x {metres.shape[0]} pixels, and the photo {size[0]} x {size[1]}. "
            "They must be the same."
        )
    valid = metres > 0
    nearness = np.where(valid, 1 / np.where(valid, metres, 1.0), 0.0)
    camera, why = camera_of(photo, size, view)
    references = marks.references()
    ends = [(each.start, each.end) for each in marks.measure]
    found = survey(NearnessMap(nearness, valid, False, EXACT), camera, references, distances=ends)
    known = DepthMap(
        depth=nearness.astype(np.float32), model="rendered", variant="exact depth", weights="none", photo_size=size,
        network_size=size, timings={}, options={}, encoded=b"", licence="MIT",
    )  # fmt: skip
    return Shot(photo.name, pixels, known, camera, references, found, why)
