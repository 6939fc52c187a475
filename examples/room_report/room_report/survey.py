"""The way from a depth map to a room's measures, from top to bottom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from room_report import measures as m
from room_report.camera import Camera
from room_report.depth import NearnessMap
from room_report.errors import BadReferenceError, RegionError
from room_report.floor import WallFloor
from room_report.layout import find_room
from room_report.metrology import SingleView, Upright, reconciled
from room_report.note import Note
from room_report.planes import find_planes
from room_report.references import KnownRectangle, Reference, check_inside
from room_report.regions import LEFT_OUT, Region, labelled
from room_report.room import Space
from room_report.scale import Evidence, Kind, Scale, Source, solve
from room_report.uncertainty import Value, nudged_spaces, valued

_VAGUE = 0.15
_USELESS = 1.0


@dataclass(frozen=True)
class Survey:
    """A room as measured; without metres (kind "relative") it has no measures.

    Attributes:
        kind: how the metres came about.
        space: the room; None where the kind is "relative".
        values: each measure with its uncertainty.
        floors: the floor along each wall, for furniture; empty where it cannot be told.
        others: the room after each nudge of what is uncertain.
        things: the things among the labelled regions: label, width and height.
        notes: what the report should say of the measures, such as that two ways of measuring differ.
    """

    kind: Kind
    space: Space | None
    values: list[tuple[m.Measure, Value]]
    floors: list[WallFloor]
    others: list[tuple[Source, Space | None]]
    things: list[tuple[str, Value, Value]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

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
    regions: Sequence[Region] = (),
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
        regions: labelled boxes and masks of the photo's size; what a label does is told in `regions`.

    Raises:
        BadReferenceError, ScaleError, NoFloorError: see their texts.
    """
    check_inside(list(references), camera.size)
    if camera.size != nearness.size:
        raise BadReferenceError(
            f"The depth map is {nearness.size[0]} x {nearness.size[1]} and the photo {camera.size[0]} x "
            f"{camera.size[1]}. They must be of one size."
        )
    for region in regions:
        if region.mask.shape != nearness.values.shape:
            raise RegionError(f"The mask of {region.label!r} is not of the photo's size.")
    left_out = labelled(regions, *LEFT_OUT)
    if left_out is not None:
        nearness = replace(nearness, valid=nearness.valid & ~left_out)
    rng = np.random.default_rng(0)
    planes = tuple(find_planes(nearness.values, nearness.valid, rng, nearness.trust.relative))
    level = None if up is None else np.asarray(up, dtype=np.float64) / np.linalg.norm(up)
    evidence = Evidence(nearness, camera, tuple(references), planes, level, up_spread, click, regions=tuple(regions))
    evidence = solve(evidence) if known_scale is None else replace(evidence, references=(), found=known_scale)
    assert evidence.found is not None
    if evidence.found.kind == "relative":
        return Survey("relative", None, [], [], [])
    space = find_room(evidence)
    floors = m.floors(space)
    wanted: list[m.Measure] = [m.CameraAbove()]
    wanted += [each for each in (m.longest_wall(space), m.height(space)) if each is not None]
    notes: list[Note] = []
    if nearness.trust.bias.get("free area", 0.0) < _USELESS:
        wanted += m.largest_rectangle(space, floors)
    else:
        notes.append(Note("floor_not_measured"))
        floors = []
    wanted += [m.distance(space, start, end) for start, end in distances]
    others = nudged_spaces(space)
    values = list(zip(wanted, valued(space, others, wanted), strict=True))
    by_lines = _by_lines(camera, references, click)
    if by_lines is not None:
        above = values[0][1]
        checked, note = reconciled(above, by_lines)
        if note:
            notes.append(note)
            # where the floor is wrong, so is what stands on it
            off = by_lines.value - above.value
            values = [(e, v.widened(v.value + off) if e.name == "height" else v) for e, v in values]
        values[0] = values[0][0], checked
    things = []
    for region in regions:
        if region.is_thing and (sizes := m.thing_sizes(space, region)):
            width, height = valued(space, others, sizes)
            things.append((region.label, width, height))
    return Survey(evidence.found.kind, space, values, floors, others, things, notes)


def _by_lines(camera: Camera, references: Sequence[Reference], click: float) -> Value | None:
    """The camera's height by a door's upright sides alone, without the map; None where no door says it well enough."""
    for reference in references:
        if isinstance(reference, KnownRectangle) and reference.is_door:
            top_left, top_right, low_right, low_left = reference.corners
            known = Upright(low_left, top_left, reference.height, reference.tolerance)
            view = SingleView(camera, ((low_left, top_left), (low_right, top_right)), known, click)
            try:
                found = view.valued(lambda view, _: view.camera_height())
            except BadReferenceError:  # its sides lie on one line of the photo, or its base above the horizon
                return None
            return found if found.spread < _VAGUE * found.value else None
    return None
