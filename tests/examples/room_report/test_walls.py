"""Which planes are walls: not the house across the street, not curtains, not what stands askew before the wall."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from room_report.measures import span_of
from room_report.scale import Scale
from room_report.survey import Survey, survey
from tests.examples.room_report.box_room import DEPTH, HEIGHT, WIDTH, BoxRoom, look
from tests.examples.room_report.test_survey import wall_places


def measured(room: BoxRoom) -> Survey:
    return survey(room.map(), room.camera, known_scale=Scale(1.0, 0.0, "measured"))


def with_house(room: BoxRoom, away: float, turned: float, high: float) -> BoxRoom:
    """The room with a window in its back wall, behind which a house stands, and the sky above it.

    Args:
        room: without furniture before the window.
        away: metres from the window to the house.
        turned: the house against the wall, in degrees.
        high: metres above the room's floor up to which the house reaches; it begins one metre below.
    """
    rays = room.rays()
    at_wall = room.place + rays * ((DEPTH - room.place[1]) / rays[..., 1])[..., None]
    window = (np.abs(at_wall[..., 0] - WIDTH / 2) < 1.4) & (np.abs(at_wall[..., 2] - 1.5) < 0.7) & (rays[..., 1] > 0)
    normal = np.array([np.sin(np.radians(turned)), np.cos(np.radians(turned)), 0.0])
    house = ((np.array([WIDTH / 2, DEPTH + away, 0.0]) - room.place) @ normal) / (rays @ normal)
    level = room.place[2] + house * rays[..., 2]
    house = np.where((level > -1) & (level < high), house, np.inf)
    return replace(room, depth=np.where(window, house, room.depth))


@pytest.mark.parametrize(("away", "turned", "high"), [(15, 0, 9), (15, 0, 2.5), (4, 14, 9), (15, 14, 2.5), (15, 40, 9)])
def test_a_house_across_the_street_is_no_wall(away: float, turned: float, high: float) -> None:
    found = measured(with_house(look(size=(320, 240)), away, turned, high))
    assert max(wall_places(look(), found)) < 1e-3
    wall = found.of("wall")
    assert wall is not None
    assert wall.value == pytest.approx(WIDTH, abs=1e-3)


def test_a_wall_ends_where_the_room_does() -> None:
    """A house across the street stands in the plane of the left wall, and is seen through a back wall of glass."""
    room = look(place=(3.4, 0.5, 1.5), target=(1.2, 4.5, 1.2), size=(320, 240))
    rays = room.rays()
    with np.errstate(divide="ignore"):
        far = np.where(rays[..., 0] < 0, -room.place[0] / rays[..., 0], np.inf)
    places = room.place + far[..., None] * rays
    beyond = (places[..., 1] > DEPTH + 2) & (places[..., 1] < 14) & (np.abs(places[..., 2] - 1.3) < 0.9)
    glass = np.abs(room.points()[..., 1] - DEPTH) < 1e-6
    found = measured(replace(room, depth=np.where(glass, np.where(beyond, far, np.inf), room.depth)))
    assert (beyond & glass).mean() > 0.005
    wall = found.of("wall")
    assert wall is not None
    assert wall.value < DEPTH + 0.01


def test_the_ground_outside_is_no_floor() -> None:
    """Through a wide window the photo shows half as much ground, a metre farther down, as floor."""
    room = look(place=(2.0, 0.8, 1.1), target=(2.0, 5.0, 1.1), view=75)
    rays = room.rays()
    at_wall = room.points()
    window = (np.abs(at_wall[..., 1] - DEPTH) < 1e-6) & (np.abs(at_wall[..., 0] - 2.0) < 1.9) & (at_wall[..., 2] > 0.2)
    with np.errstate(divide="ignore"):
        ground = np.where(rays[..., 2] < 0, (-1.0 - room.place[2]) / rays[..., 2], np.inf)
    found = measured(replace(room, depth=np.where(window & (at_wall[..., 2] < 2.2), ground, room.depth)))
    above = found.of("camera height")
    assert above is not None
    assert above.value == pytest.approx(1.1, abs=1e-3)


@pytest.mark.parametrize(("left", "right"), [(1.2, 2.1), (2.6, 3.6)])
def test_the_wall_of_the_next_room_is_no_wall(left: float, right: float) -> None:
    """It is seen through a doorway without a door, which the photo shows whole, or cuts on the right."""
    room = look(place=(2.4, 0.3, 1.5), target=(0.2, 4.0, 1.2))
    rays, seen = room.rays(), room.points()
    doorway = (seen[..., 1] > DEPTH - 1e-6) & (seen[..., 0] > left) & (seen[..., 0] < right) & (seen[..., 2] < 2.05)
    with np.errstate(divide="ignore"):
        beyond = np.stack([(DEPTH + 3 - room.place[1]) / rays[..., 1], -room.place[2] / rays[..., 2]])
    found = measured(
        replace(room, depth=np.where(doorway, np.where(beyond > 0, beyond, np.inf).min(axis=0), room.depth))
    )
    assert max(wall_places(room, found)) < 1e-3
    assert found.space is not None
    assert any((found.space.outward(wall) @ room.axes)[1] > 0.99 for wall in found.space.layout.walls)


def test_a_wall_is_one_though_the_photo_cuts_its_doorway_at_the_top() -> None:
    """The side of the doorway, 20 cm deep, is seen with nothing of the wall above it: no side wall that goes on."""
    room = look(place=(2.0, 0.3, 1.75), target=(2.73, 3.02, 0.72))
    rays, seen = room.rays(), room.points()
    doorway = (seen[..., 0] > WIDTH - 1e-6) & (seen[..., 1] > 1.7) & (seen[..., 1] < 2.6) & (seen[..., 2] < 2.3)
    with np.errstate(divide="ignore"):
        beyond = np.stack([(WIDTH + 3 - room.place[0]) / rays[..., 0], -room.place[2] / rays[..., 2]])
        side = (2.6 - room.place[1]) / rays[..., 1]
    depth = np.where(beyond > 0, beyond, np.inf).min(axis=0)
    depth = np.where((side > 0) & (room.place[0] + side * rays[..., 0] < WIDTH + 0.2), side, depth)
    found = measured(replace(room, depth=np.where(doorway, depth, room.depth)))
    assert max(wall_places(room, found)) < 1e-3
    assert found.space is not None
    assert any((found.space.outward(wall) @ room.axes)[0] > 0.99 for wall in found.space.layout.walls)


def test_the_front_of_a_cupboard_right_beside_the_camera_is_no_wall() -> None:
    """The back wall is seen above the cupboard, less than 20 cm farther to the left than its front."""
    cupboard = ((0.7, 1.55, 0.0), (1.2, 2.42, 1.69))
    room = look(place=(1.3, 0.8, 1.2), target=(1.67, DEPTH, 1.1), boxes=[cupboard])
    found = measured(room)
    assert found.space is not None
    assert any(np.abs(room.points()[plane.mask][:, 0] - 1.2).max() < 1e-6 for plane in found.space.evidence.planes)
    assert max(wall_places(room, found)) < 1e-3


@pytest.mark.parametrize("opening", [False, True])
def test_a_wall_goes_on_behind_what_stands_before_it_but_not_beyond_an_opening(opening: bool) -> None:
    """The back wall's right 1.5 m are behind a cupboard, or there is another room, whose wall stands in the plane."""
    room = look(boxes=[] if opening else [((2.5, 4.4, 0.0), (WIDTH, DEPTH, HEIGHT))])
    if opening:
        at_wall = room.points()
        right = (at_wall[..., 1] > DEPTH - 1e-6) & (at_wall[..., 0] > 2.5)
        farther = (DEPTH + 3 - room.place[1]) / np.where(right, room.rays()[..., 1], 1.0)
        room = replace(room, depth=np.where(right, farther, room.depth))
    found = measured(room)
    assert found.space is not None
    back = next(w for w in found.space.layout.walls if (found.space.outward(w) @ room.axes)[1] > 0.9)
    span = span_of(found.space, back)
    assert span is not None
    assert span.whole != opening
    assert span.value(found.space) == pytest.approx(2.5 if opening else WIDTH, abs=0.02)


def test_a_wall_is_measured_behind_its_curtains() -> None:
    curtains = [((x, DEPTH - 0.14, 0.1), (x + 1.3, DEPTH - 0.1, 2.55)) for x in (0.1, 2.6)]
    found = measured(look(boxes=curtains, size=(320, 240)))
    assert max(wall_places(look(), found)) < 1e-3
