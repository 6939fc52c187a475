"""Which planes are walls: not the house across the street, not curtains, not what stands askew before the wall."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from room_report.scale import Scale
from room_report.survey import Survey, survey
from tests.examples.room_report.box_room import DEPTH, WIDTH, BoxRoom, look
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
    height, width = room.depth.shape
    rays = room.camera.rays(np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)) @ room.axes
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
    height, width = room.depth.shape
    rays = room.camera.rays(np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)) @ room.axes
    with np.errstate(divide="ignore"):
        far = np.where(rays[..., 0] < 0, -room.place[0] / rays[..., 0], np.inf)
    places = room.place + far[..., None] * rays
    beyond = (places[..., 1] > DEPTH + 2) & (places[..., 1] < 14) & (np.abs(places[..., 2] - 1.3) < 0.9)
    glass = np.abs((room.place + room.depth[..., None] * rays)[..., 1] - DEPTH) < 1e-6
    found = measured(replace(room, depth=np.where(glass, np.where(beyond, far, np.inf), room.depth)))
    assert (beyond & glass).mean() > 0.005
    wall = found.of("wall")
    assert wall is not None
    assert wall.value < DEPTH + 0.01


def test_a_wall_is_measured_behind_its_curtains() -> None:
    curtains = [((x, DEPTH - 0.14, 0.1), (x + 1.3, DEPTH - 0.1, 2.55)) for x in (0.1, 2.6)]
    found = measured(look(boxes=curtains, size=(320, 240)))
    assert max(wall_places(look(), found)) < 1e-3
