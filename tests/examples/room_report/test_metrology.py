"""Heights and lengths from marked lines alone, in a room whose sizes are known."""

from dataclasses import replace

import numpy as np
import pytest

from room_report.camera import Camera
from room_report.errors import BadReferenceError, FocalLengthError
from room_report.measures import Name
from room_report.metrology import Segment, SingleView, Upright, focal_from_lines, reconciled, vanishing_direction
from room_report.note import Note
from room_report.references import KnownRectangle
from room_report.survey import survey
from room_report.uncertainty import Value
from tests.examples.room_report.box_room import DEPTH, DOOR, HEIGHT, WIDTH, BoxRoom, look


def uprights(room: BoxRoom) -> tuple[Segment, ...]:
    """Two corners of the room and both sides of the door."""
    lines = [(0.0, DEPTH, 2.2), (WIDTH, DEPTH, 2.2), (1.0, DEPTH, 2.0), (1.9, DEPTH, 2.0)]
    return tuple((room.pixel(x, y, 0.0), room.pixel(x, y, z)) for x, y, z in lines)


def view(room: BoxRoom, click: float = 1.0) -> SingleView:
    door = Upright(room.pixel(1.0, DEPTH, 0.0), room.pixel(1.0, DEPTH, 2.0), 2.0)
    return SingleView(room.camera, uprights(room), door, click)


def test_exact_marks_give_exact_lengths() -> None:
    room = look()
    marked = view(room)
    assert marked.camera_height() == pytest.approx(1.5)
    assert marked.height(room.pixel(WIDTH, DEPTH, 0.0), room.pixel(WIDTH, DEPTH, HEIGHT)) == pytest.approx(HEIGHT)
    assert marked.length(room.pixel(0, DEPTH, 0), room.pixel(WIDTH, DEPTH, 0)) == pytest.approx(WIDTH)
    assert marked.length(room.pixel(1.5, 3.0, 0), room.pixel(2.0, 4.0, 0)) == pytest.approx(np.hypot(0.5, 1.0))


def test_intervals_hold_the_truth_and_heights_are_within_two_percent() -> None:
    rng = np.random.default_rng(3)
    errors, held = [], 0
    tries = 60
    for _ in range(tries):
        room = look(
            place=(rng.uniform(1.2, 2.8), rng.uniform(0.2, 0.8), rng.uniform(1.2, 1.7)),
            target=(rng.uniform(1.4, 2.6), 4.0, rng.uniform(0.6, 1.2)),
        )  # fmt: skip

        def shaken(pixel: tuple[float, float]) -> tuple[float, float]:
            dx, dy = 0.2 * rng.standard_normal(2)
            return pixel[0] + dx, pixel[1] + dy

        exact = view(room, 0.2)
        marked = SingleView(
            Camera(room.camera.focal * (1 + 0.015 * rng.standard_normal()), room.camera.size, 0.015, "exif"),
            tuple((shaken(start), shaken(end)) for start, end in exact.uprights),
            Upright(shaken(exact.reference.base), shaken(exact.reference.top), 2.0 + 0.0025 * rng.standard_normal()),
            0.2,
        )
        ends = shaken(room.pixel(WIDTH, DEPTH, 0.0)), shaken(room.pixel(WIDTH, DEPTH, HEIGHT))
        value = marked.valued(lambda view, pixels: view.height(pixels[0], pixels[1]), *ends)
        errors.append(abs(value.value / HEIGHT - 1))
        held += abs(value.value - HEIGHT) <= value.half_width
    assert np.median(errors) < 0.02
    assert 0.85 * tries <= held


def test_two_directions_give_the_focal_length() -> None:
    room = look(target=(0.6, 4.0, 0.9))
    across = tuple((room.pixel(0.5, y, 0), room.pixel(3.0, y, 0)) for y in (3.0, DEPTH))
    ahead = tuple((room.pixel(x, 2.0, 0), room.pixel(x, DEPTH, 0)) for x in (1.0, 2.0))
    camera = focal_from_lines(across, ahead, room.camera.size)
    assert camera.focal == pytest.approx(room.camera.focal)
    assert camera.source == "vanishing points"


def test_lines_that_say_nothing_are_refused() -> None:
    room = look()
    line = ((10.0, 10.0), (10.0, 90.0))
    with pytest.raises(BadReferenceError, match="two parallel lines"):
        vanishing_direction(room.camera, (line,))
    with pytest.raises(BadReferenceError, match="one line"):
        vanishing_direction(room.camera, (line, line))
    with pytest.raises(FocalLengthError, match="do not give a focal length"):
        focal_from_lines((line, ((50.0, 10.0), (50.0, 90.0))), (line, ((70.0, 10.0), (71.0, 90.0))), (160, 120))
    with pytest.raises(BadReferenceError, match="horizon"):
        view(room).floor_point((80, 1))
    with pytest.raises(BadReferenceError, match="base"):
        Upright((10, 10), (10, 90), 2.0)
    with pytest.raises(BadReferenceError, match="above 0"):
        Upright((10, 90), (10, 10), -2.0)


def test_two_ways_that_differ_are_widened_and_said() -> None:
    one, near, far = (Value(metres, 0.05, {"clicks": 0.05}, "measured") for metres in (3.0, 3.1, 3.5))
    assert reconciled(one, near) == (one, None)
    widened, said = reconciled(one, far)
    assert widened.value - widened.half_width <= 3.5 <= widened.value + widened.half_width
    assert said == Note("ways_differ", (one, far))


def test_a_door_that_the_map_bends_is_found_out_by_its_own_lines() -> None:
    room = look(size=(640, 480))
    door = KnownRectangle(room.door(), *DOOR)
    right = survey(room.map(2.0, 0.1), room.camera, [door], click=0.2)
    assert right.notes == []
    # a network that puts the floor too near: by its map the camera is lower than by the door's lines
    grid = np.stack(np.meshgrid(np.arange(640), np.arange(480)), axis=-1)
    floor = (room.camera.rays(grid) * room.depth[..., None] @ room.axes + room.place)[..., 2] < 1e-6
    nearer = np.where(floor, 1 / (0.8 * room.depth), 1 / room.depth)
    wrong = survey(replace(room.map(), values=(nearer - 0.1) / 2), room.camera, [door], click=0.2)
    (note,) = wrong.notes
    assert note.key == "ways_differ"
    truths: dict[Name, float] = {"camera height": 1.5, "height": HEIGHT}
    for name, true in truths.items():
        value = wrong.of(name)
        assert value is not None
        assert abs(value.value - true) <= 1.01 * value.half_width
