"""Rendered rooms with furniture: what is measured is what is true, and intervals hold it."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from room_report.evaluation import evaluate
from room_report.truth import TrueRoom, read_rooms
from training.scenes.rooms import CELL, between_pixels, make_room, walls_seen_in, write_room

ROOMS = 12


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> list[TrueRoom]:
    folder = tmp_path_factory.mktemp("rooms")
    for number in range(ROOMS):
        write_room(number, folder, 7, 320, 240, photos=False)
    return list(read_rooms(folder))


@pytest.mark.long
def test_the_same_seed_gives_the_same_room(tmp_path: Path) -> None:
    first, second = (make_room(7, 0, 96, 72, photo=False) for _ in range(2))
    assert json.dumps(asdict(first.truth)) == json.dumps(asdict(second.truth))
    assert (first.depth == second.depth).all()


def test_a_wall_is_seen_up_to_the_rooms_corner_and_not_by_a_few_pixels() -> None:
    points = np.zeros((60, 80, 3))
    points[..., 2] = 1.0  # in the middle of a room of 4 x 5 m
    points[:10, :, 1] = -2.5
    points[:10, :, 0] = np.linspace(0.5, 1.5, 80)
    points[10, :, :2] = 9.0, -2.5  # a house across the street stands in the wall's plane
    points[11, :2, :2] = -1.9, -2.5  # two pixels that peep out between two things
    seen, *others = walls_seen_in(points, 4.0, 5.0, 2.6)
    assert seen == pytest.approx((0.5, 1.5))
    assert others == [None, None, None]


def test_floor_is_seen_where_what_hides_it_is_thinner_than_a_pixel() -> None:
    """A camera 2 m above the floor looks straight down, with pixels of 5 cm: all show floor but one, a leaf's."""
    camera = np.array([0, 0, 2, 1, 0, 0, 0, 1, 0, 0, 0, -1, 0.5, 0.375], dtype=float)
    points = np.zeros((30, 40, 3))
    points[10, 25, 2] = 0.3
    seen = between_pixels(points, camera, 4.0, 5.0)
    assert seen.shape == (round(5 / CELL), round(4 / CELL))
    # from the middles of the outermost pixels on, without the four squares about the leaf's
    assert seen.sum() * CELL**2 == pytest.approx((40 - 1) * (30 - 1) * 0.05**2 - 4 * 0.05**2)
    leaf = int((2 + (25 - 19.5) * 0.05) / CELL), int((2.5 - (10 - 14.5) * 0.05) / CELL)
    assert not seen[leaf[1], leaf[0]]
    assert seen[250 * round(0.01 / CELL), 200 * round(0.01 / CELL)]


@pytest.mark.long
def test_what_is_known_of_a_room_is_true_of_its_picture(rooms: list[TrueRoom]) -> None:
    for room in rooms:
        height, width = room.depth.shape
        grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1) - [(width - 1) / 2, (height - 1) / 2]
        rays = np.concatenate([grid / room.focal, np.ones((height, width, 1))], axis=-1)
        points = room.in_room(rays * np.minimum(room.depth, 1e3)[..., None])
        assert (np.abs(points[..., 2]) < 0.015).mean() > 0.03
        # the middle of the door is about where its wall is, or before it
        x, y = np.mean(room.door, axis=0)
        middle = points[round(y), round(x)]
        assert max(abs(middle[0]) / (room.size[0] / 2), abs(middle[1]) / (room.size[1] / 2)) < 1.01


@pytest.mark.long
def test_exact_depth_gives_walls_and_heights_within_one_percent(rooms: list[TrueRoom]) -> None:
    result = evaluate(rooms, "exact", [])
    assert not result.refused
    for name in ("wall", "height", "camera height"):
        errors = np.abs(result.tallies[name].errors)
        assert len(errors) >= 0.8 * ROOMS
        assert np.median(errors) <= 0.01


@pytest.mark.long
def test_a_door_gives_metres_within_three_percent(rooms: list[TrueRoom]) -> None:
    result = evaluate(rooms, "door", [])
    for name in ("wall", "height"):
        tally = result.tallies[name]
        assert np.median(np.abs(tally.errors)) <= 0.03
        assert np.mean(tally.spreads) < 0.05
