"""The way from a depth map to a room's measures, from top to bottom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from room_report import measures as m
from room_report.camera import Camera
from room_report.depth import NearnessMap
from room_report.errors import BadReferenceError
from room_report.floor import WallFloor
from room_report.planes import find_planes
from room_report.references import Reference, check_inside
from room_report.room import Space, find_room
from room_report.scale import Evidence, Kind, Scale, Source, solve
from room_report.uncertainty import Value, nudged_spaces, valued


@dataclass(frozen=True)
class Survey:
    """A room as measured; without metres (kind "relative") it has no measures.

    Attributes:
        kind: how the metres came about.
        space: the room; None where the kind is "relative".
        values: each measure with its uncertainty.
        floors: the floor along each wall, for furniture.
        others: the room after each nudge of what is uncertain.
    """

    kind: Kind
    space: Space | None
    values: list[tuple[m.Measure, Value]]
    floors: list[WallFloor]
    others: list[tuple[Source, Space | None]]

    def of(self, name: m.Name) -> Value | None:
        """The value of the first measure of that name, or None."""
        return next((value for measure, value in self.values if measure.name == name), None)


def survey(
    nearness: NearnessMap,
    camera: Camera,
    references: Sequence[Reference] = (),
    *,
    known_scale: Scale | None = None,
    up: Sequence[float] | None = None,
    up_spread: float = 0.02,
    click: float = 1.0,
    distances: Sequence[tuple[m.Pixel, m.Pixel]] = (),
) -> Survey:
    """Measure the room in a depth map.

    Args:
        nearness: at the photo's size.
        camera: of the photo.
        references: what is known; without any, a relative map gives no metres.
        known_scale: scale and shift, where they are known otherwise; the references are not used then.
        up: the direction away from the ground in the camera's axes (x right, y down, z forward), from a level or
            a phone's sensor; otherwise it is taken from the floor.
        up_spread: its standard deviation in radians.
        click: standard deviation in pixels of a marked point.
        distances: pairs of pixels between which to measure.

    Raises:
        BadReferenceError, ScaleError, NoFloorError: see their texts.
    """
    check_inside(list(references), camera.size)
    if camera.size != nearness.size:
        raise BadReferenceError(
            f"The depth map is {nearness.size[0]} x {nearness.size[1]} and the photo {camera.size[0]} x "
            f"{camera.size[1]}. They must be of one size."
        )
    planes = tuple(find_planes(nearness.values, nearness.valid, np.random.default_rng(0)))
    level = None if up is None else np.asarray(up, dtype=np.float64) / np.linalg.norm(up)
    evidence = Evidence(nearness, camera, tuple(references), planes, level, up_spread, click)
    evidence = solve(evidence) if known_scale is None else replace(evidence, references=(), found=known_scale)
    assert evidence.found is not None
    if evidence.found.kind == "relative":
        return Survey("relative", None, [], [], [])
    space = find_room(evidence)
    floors = m.floors(space)
    wanted: list[m.Measure] = [m.CameraAbove()]
    wanted += [each for each in (m.longest_wall(space), m.height(space)) if each is not None]
    wanted += m.largest_rectangle(space, floors)
    wanted += [m.distance(space, start, end) for start, end in distances]
    others = nudged_spaces(space)
    values = list(zip(wanted, valued(space, others, wanted), strict=True))
    return Survey(evidence.found.kind, space, values, floors, others)
