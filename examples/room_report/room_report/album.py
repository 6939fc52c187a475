"""Photos of one room: each measured by itself, and what they say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from midas_client import DepthClient, DepthMap, upright_rgb
from room_report.camera import Camera, assumed, from_exif, from_view
from room_report.catalogue import Product
from room_report.depth import EXACT, Trust, nearness_map, trust_in
from room_report.depth_file import read_depth
from room_report.errors import FocalLengthError
from room_report.marks import Marks
from room_report.measures import Height
from room_report.passage import Way
from room_report.references import Reference, check_inside
from room_report.regions import read_regions
from room_report.survey import Survey, survey
from room_report.uncertainty import COVER, Value
from room_report.verdicts import Clearances, Verdict, best_first, judge
from room_report.working_size import reduced


@dataclass(frozen=True, eq=False)
class Shot:
    """A photo and what was measured in it.

    Attributes:
        name: of the file.
        photo: uint8 RGB [H,W,3], upright.
        depth: as the server or the file gave it.
        camera, references, survey: that took it; what was known; what was measured: in pixels of the size at which it
            was measured, `camera.size`.
        assumed: why the focal length had to be assumed; empty where it was known.
    """

    name: str
    photo: npt.NDArray[np.uint8]
    depth: DepthMap
    camera: Camera
    references: list[Reference]
    survey: Survey
    assumed: str = ""


@dataclass(frozen=True)
class Placed:
    """The verdict on a product, and the number of the shot that it is about."""

    verdict: Verdict
    shot: int


@dataclass(frozen=True)
class Disagreement:
    """Two shots whose heights of the room differ by more than their uncertainties."""

    shots: tuple[int, int]
    values: tuple[Value, Value]


def take(
    photo: Path,
    marks: Marks,
    client: DepthClient,
    model: str,
    *,
    regions: Path | None = None,
    depth_file: Path | None = None,
    depth_trust: Trust = EXACT,
    view: float | None = None,
) -> Shot:
    """Measure the room in a photo.

    Args:
        photo: a JPEG, PNG or WebP file.
        marks: made in it.
        client: of the depth server.
        model: of that server.
        regions: a file of labelled boxes and masks.
        depth_file: of the photo's depth; the server is not asked then.
        depth_trust: in that file.
        view: degrees across the photo's width; None to take it from EXIF, or else to assume it.

    Raises:
        RoomReportError, MidasClientError, OSError: see their texts.
    """
    references = marks.references()
    pixels = upright_rgb(photo)
    size = (pixels.shape[1], pixels.shape[0])
    marks.check_size(size)
    check_inside(references, size)  # here, so that an error speaks of the photo's own pixels
    camera, why = camera_of(photo, size, view)
    labelled = read_regions(regions, size) if regions else []
    depth = client.predict(photo, model=model) if depth_file is None else read_depth(depth_file, size)
    nearness = nearness_map(depth, trust_in(depth.variant) if depth_file is None else depth_trust)
    ends = [(each.start, each.end) for each in marks.measure]
    small = reduced(nearness, camera, references, distances=ends, regions=labelled)
    found = survey(
        small.nearness, small.camera, small.references, distances=small.distances, regions=small.regions,
        click=small.click,
    )  # fmt: skip
    return Shot(photo.name, pixels, depth, small.camera, list(small.references), found, why)


def camera_of(photo: Path, size: tuple[int, int], view: float | None) -> tuple[Camera, str]:
    """The camera, and why its focal length had to be assumed; empty where it is known."""
    if view is not None:
        return from_view(view, size), ""
    try:
        return from_exif(photo), ""
    except FocalLengthError as error:
        return assumed(size), str(error)


def agreed(shots: Sequence[Shot]) -> tuple[list[Shot], list[Disagreement]]:
    """The shots, where two that differ about the room's height have it widened to hold both; and which these are."""
    changed, found = list(shots), []
    heights = [(at, value) for at, shot in enumerate(shots) if (value := shot.survey.of("height")) is not None]
    for place, (at, one) in enumerate(heights):
        for other_at, other in heights[:place]:
            if abs(one.value - other.value) > COVER * float(np.hypot(one.spread, other.spread)):
                found.append(Disagreement((other_at, at), (other, one)))
                for here, there in ((at, other), (other_at, one)):
                    changed[here] = _widened(changed[here], there.value)
    return changed, found


def _widened(shot: Shot, height: float) -> Shot:
    values = [
        (measure, value.widened(height) if isinstance(measure, Height) else value)
        for measure, value in shot.survey.values
    ]
    return replace(shot, survey=replace(shot.survey, values=values))


def judge_all(shots: Sequence[Shot], products: Sequence[Product], clearances: Clearances, way: Way) -> list[Placed]:
    """The best verdict on each product over all shots with metres: the best first, the cheaper among equals."""
    best: dict[str, Placed] = {}
    for at, shot in enumerate(shots):
        if shot.survey.space is None:
            continue
        for verdict in judge(shot.survey, products, clearances, way):
            number = verdict.product.number
            if number not in best or best_first(verdict) < best_first(best[number].verdict):
                best[number] = Placed(verdict, at)
    return sorted(best.values(), key=lambda placed: best_first(placed.verdict))


def photo_of(shot: Shot) -> Image.Image:
    """Its photo."""
    return Image.fromarray(shot.photo)
