"""Free floor: the largest rectangle at a wall, stretches, and what a camera sees of a room with things in it."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from room_report.floor import CELL, SKIRTING, WallFloor, floor_along
from room_report.measures import largest_rectangle
from room_report.references import KnownRectangle
from room_report.scale import Scale
from room_report.survey import survey
from tests.examples.room_report.box_room import DEPTH, DOOR, WIDTH, look


def plan(free: np.ndarray) -> WallFloor:  # type: ignore[type-arg]
    return WallFloor(0, free, ~free, np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 0, 1.0]), free, free)


def test_the_largest_rectangle_is_that_of_a_search_through_all() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        free = rng.random((6, 9)) < 0.8
        least = int(rng.integers(1, 4))
        sizes = [
            (last - first) * rows
            for first, last, rows in product(range(9), range(1, 10), range(1, 7))
            if last - first >= least <= rows and free[:rows, first:last].all()
        ]
        found = plan(free).largest(least * CELL)
        if found is None:
            assert not sizes
        else:
            first, last, rows = found
            assert free[:rows, first:last].all()
            assert (last - first) * rows == max(sizes)


def test_the_longest_stretch_is_found() -> None:
    free = np.ones((10, 30), dtype=bool)
    free[5:, 3] = False
    free[8:, 20] = False
    assert plan(free).run(5 * CELL) == (0, 30)
    assert plan(free).run(6 * CELL) == (4, 30)
    assert plan(free).run(9 * CELL) == (4, 20)
    assert plan(free).run(11 * CELL) is None


def test_a_wall_that_is_exactly_opposite_ends_no_floor() -> None:
    room = look(place=(WIDTH / 2, 0.3, 1.6), target=(WIDTH / 2, DEPTH, 1.0), size=(320, 240))
    space = survey(room.map(), room.camera, known_scale=Scale(1.0, 0.0, "measured")).space
    assert space is not None
    left, right = (next(w for w in space.layout.walls if space.outward(w)[0] * side > 0.9) for side in (-1, 1))
    vectors = space.vectors.copy()
    vectors[right] = -vectors[left]
    exact = floor_along(replace(space, vectors=vectors), left)
    assert exact.free.sum() == pytest.approx(floor_along(space, left).free.sum(), rel=0.02)
    assert exact.free.sum() > 1000


def test_things_and_what_they_hide_are_not_free() -> None:
    table = ((2.0, 3.0, 0.7), (3.0, 4.0, 0.75))
    room = look(place=(1.0, 0.3, 1.6), target=(2.4, 4.0, 0.7), boxes=[table], size=(320, 240))
    found = survey(room.map(), room.camera, known_scale=Scale(1.0, 0.0, "measured"))
    assert found.space is not None
    back = max(found.floors, key=lambda floor: floor.free.sum())
    rows, columns = np.nonzero(back.free)
    places = back.origin + CELL * ((columns[:, None] + 0.5) * back.along + (rows[:, None] + 0.5) * back.inward)
    world = places @ room.axes + room.place
    assert np.abs(world[:, 2]).max() < 0.01
    # the floor is seen under the table, too; its edges are known to a pixel, which is 2 cm across and 8 cm ahead there
    inside = (world[:, 0] > 2.02) & (world[:, 0] < 2.96) & (world[:, 1] > 3.02) & (world[:, 1] < 3.9)
    assert not inside.any()
    assert world[:, 0].min() > -0.02
    assert world[:, 0].max() < WIDTH + 0.02
    assert world[:, 1].max() < DEPTH + 0.02


def test_floor_is_free_only_inside_the_photo() -> None:
    """Next to the skirting board too, where the photo's edge crosses the wall's foot."""
    room = look(place=(3.0, 0.4, 1.5), target=(0.4, 3.0, 0.6))
    found = survey(room.map(), room.camera, known_scale=Scale(1.0, 0.0, "measured"))
    assert len(found.floors) >= 2
    for floor in found.floors:
        rows, columns = np.nonzero(floor.free)
        places = floor.origin + CELL * ((columns[:, None] + 0.5) * floor.along + (rows[:, None] + 0.5) * floor.inward)
        outside = np.abs(room.camera.pixels(places) - [79.5, 59.5]) > [80.001, 60.001]
        assert not outside.any()
        assert rows.size > 1000


def test_the_width_of_a_place_is_known_to_a_cell() -> None:
    """A little more than half a metre of floor, between a cupboard and the corner: a centimetre would decide."""
    room = look(
        place=(3.7, 0.2, 1.7), target=(3.5, 4.0, 0.6), size=(800, 600),
        boxes=[((0.0, 3.0, 0.0), (WIDTH - 0.507, DEPTH, 1.0))],
    )  # fmt: skip
    found = survey(room.map(), room.camera, known_scale=Scale(1.0, 0.0, "measured"))
    back = next(floor for floor in found.floors if (room.axes.T @ floor.inward)[1] < -0.9)
    first, last = back.run(0.5) or (0, 0)
    assert (last - first) * CELL == pytest.approx(0.507, abs=0.006)


def test_the_free_rectangle_is_that_of_the_room() -> None:
    # the floor at the back wall is seen whole, between a cupboard from x = 0 to 1.5 and the corner at x = 4
    room = look(
        place=(2.0, 0.2, 1.7), target=(2.2, 4.0, 0.4), view=95, size=(320, 240),
        boxes=[((0.0, 4.0, 0.0), (1.5, DEPTH, 1.0)), ((0.0, 0.6, 0.0), (WIDTH, 2.5, 0.1))],
    )  # fmt: skip
    found = survey(room.map(), room.camera, known_scale=Scale(1.0, 0.0, "measured"))
    area = found.of("free area")
    assert area is not None
    # seen from where the step hides the floor, 1.7 m * 2.3 / 1.6 from the camera, to the back wall; at either wall
    deep = DEPTH - 0.2 - 1.7 * 2.3 / 1.6
    true = max(2.5 * (deep - SKIRTING), deep * (2.5 - SKIRTING))
    assert area.value == pytest.approx(true, rel=0.03)
    assert abs(area.value - true) < area.half_width


def test_what_hangs_at_about_two_metres_may_be_in_the_way() -> None:
    """A beam at 2.02 m is out of the way, unless the focal length may be off by 3 %: then the interval holds both."""
    beam = ((0.0, 3.0, 2.02), (WIDTH, 3.2, 2.2))
    room = look(place=(2.0, 0.2, 1.7), target=(2.2, 4.0, 0.4), view=95, boxes=[beam], size=(320, 240))
    sure, unsure = (
        survey(room.map(), camera, known_scale=Scale(1.0, 0.0, "measured"))
        for camera in (room.camera, replace(room.camera, spread=0.015))
    )
    area, wide = sure.of("free area"), unsure.of("free area")
    assert area is not None
    assert wide is not None
    assert area.half_width < 0.1 * area.value
    assert wide.half_width > 0.2 * wide.value == pytest.approx(0.2 * area.value)
    # what is said to fit must fit
    runs = [[floor.run(2.0) or (0, 0) for floor in found.floors] for found in (sure, unsure)]
    longest = [max(last - first for first, last in found) for found in runs]
    assert longest[1] < 0.7 * longest[0]


def test_a_lamp_is_as_deep_as_it_is_wide() -> None:
    """Of a hanging cylinder the photo shows the front; the floor behind it is seen below, and is not free."""
    room = look(place=(2.0, 0.2, 1.5), target=(2.2, 4.0, 0.7), view=95)
    rays, off = room.rays(), room.place - [2.4, 3.0, 0.0]
    a, b, c = (rays[..., :2] ** 2).sum(-1), rays[..., :2] @ off[:2], off[:2] @ off[:2] - 0.25**2
    with np.errstate(invalid="ignore"):
        enter = (-b - np.sqrt(b * b - a * c)) / a
    level = room.place[2] + enter * rays[..., 2]
    lamp = (level > 1.6) & (level < 1.9)
    assert 0.002 < lamp.mean() < 0.02
    found = survey(replace(room, depth=np.where(lamp, enter, room.depth)).map(), room.camera,
                   known_scale=Scale(1.0, 0.0, "measured"))  # fmt: skip
    for floor in found.floors:
        centre = (np.array([2.4, 3.0, 0.0]) - room.place) @ room.axes.T - floor.origin
        column, row = np.meshgrid(*(np.arange(count) + 0.5 for count in floor.free.shape[::-1]))
        inside = np.hypot(column - centre @ floor.along / CELL, row - centre @ floor.inward / CELL) < 0.22 / CELL
        assert floor.blocked[inside].mean() > 0.8  # 0.6 without its back
        assert floor.blocked[~inside].mean() < 0.05


def test_a_rectangle_that_is_just_wide_enough_may_be_too_narrow() -> None:
    room = look()
    found = survey(room.map(), room.camera, known_scale=Scale(1.0, 0.0, "measured"))
    assert found.space is not None
    free = np.zeros((400, 600), dtype=bool)
    free[:, :102] = free[:120, 200:320] = True
    back = max(found.floors, key=lambda floor: floor.origin[2])
    area = largest_rectangle(found.space, [replace(back, free=free, surely=free, perhaps=free)])[2]
    assert area.edges == pytest.approx((400 * 102 - 120 * 120) * CELL**2)


def test_the_floor_before_a_marked_door_is_kept_free() -> None:
    room = look(size=(320, 240))
    found = survey(room.map(2.0, 0.1), room.camera, [KnownRectangle(room.door(), *DOOR)], click=0.2)
    place = (np.array([1.0 + DOOR[0] / 2, DEPTH - 0.5, 0.0]) - room.place) @ room.axes.T
    for floor in found.floors:
        column, row = (round(float((place - floor.origin) @ way) / CELL) for way in (floor.along, floor.inward))
        assert floor.blocked[row, column]
        assert not floor.free[row, column]
    (back,) = (floor for floor in found.floors if (room.axes.T @ floor.inward)[1] < -0.9)
    assert back.blocked.sum() * CELL**2 == pytest.approx(DOOR[0] * (DOOR[0] - SKIRTING), rel=0.05)
