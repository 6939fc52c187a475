"""A room of known sizes comes out right, whatever it is measured with; and its intervals hold the truth."""

from dataclasses import replace

import numpy as np
import pytest

from room_report.camera import Camera
from room_report.measures import Wall
from room_report.references import CameraHeight, KnownDistance, KnownLength, KnownRectangle, Reference
from room_report.scale import Scale
from room_report.survey import Survey, survey
from room_report.uncertainty import rounded
from tests.examples.room_report.box_room import DEPTH, DOOR, HEIGHT, WIDTH, BoxRoom, look

BESIDE = ((0.0, 3.0, 0.0), (0.6, 5.0, 0.8))  # a sideboard at the left wall


def check(found: Survey, tolerance: float) -> None:
    wall, height = found.of("wall"), found.of("height")
    assert wall is not None
    assert height is not None
    assert height.value == pytest.approx(HEIGHT, rel=tolerance)
    assert wall.value == pytest.approx(WIDTH, rel=tolerance)
    assert found.space is not None
    assert found.space.camera_height == pytest.approx(1.5, rel=tolerance)


def references(room: BoxRoom) -> dict[str, list[Reference]]:
    pixels = [(20, 60), (80, 113), (93, 40)]
    return {
        "door": [KnownRectangle(room.door(), *DOOR)],
        "distances": [KnownDistance((x, y), float(room.depth[y, x])) for x, y in pixels],
        "length": [KnownLength(room.pixel(1.2, DEPTH, 0.5), room.pixel(1.2, DEPTH, 1.5), 1.0)],
        "camera": [CameraHeight(1.5)],
    }


@pytest.mark.parametrize("kind", ["door", "distances", "length", "camera"])
def test_each_kind_of_reference_gives_scale_and_shift(kind: str) -> None:
    room = look()
    found = survey(room.map(scale=3.0, shift=-0.2), room.camera, references(room)[kind])
    assert found.kind == "measured"
    assert found.space is not None
    scale = found.space.evidence.found
    assert scale is not None
    assert scale.scale == pytest.approx(3.0, rel=0.03)
    assert scale.shift == pytest.approx(-0.2, abs=0.01)
    check(found, 0.02)


def test_a_wall_is_measured_from_corner_to_corner_or_said_to_be_longer() -> None:
    whole = survey(look().map(), look().camera, known_scale=Scale(1.0, 0.0, "measured"))
    measure, value = next(each for each in whole.values if each[0].name == "wall")
    assert isinstance(measure, Wall)
    assert measure.whole
    assert value.value == pytest.approx(WIDTH, abs=1e-3)

    # from the side only one corner of the back wall is in the picture
    room = look(place=(0.5, 1.0, 1.5), target=(3.0, 4.5, 1.2), view=60)
    part = survey(room.map(), room.camera, known_scale=Scale(1.0, 0.0, "measured"))
    measure, value = next(each for each in part.values if each[0].name == "wall")
    assert isinstance(measure, Wall)
    assert not measure.whole
    assert value.value < DEPTH


def test_a_wrong_focal_length_stays_within_the_interval() -> None:
    room = look(boxes=[BESIDE])
    wrong = Camera(room.camera.focal * 1.02, room.camera.size, 0.015, "exif")
    found = survey(room.map(2.0, 0.1), wrong, [KnownRectangle(room.door(), *DOOR)], click=0.5)
    height = found.of("height")
    assert height is not None
    assert abs(height.value - HEIGHT) < height.half_width < 0.2
    assert {"focal length", "clicks", "reference", "right angles"} <= set(height.parts)


def test_more_pixels_do_not_shrink_the_uncertainty_of_a_reference() -> None:
    def half_width(size: tuple[int, int]) -> float:
        room = look(size=size)
        door = KnownRectangle(room.door(), *DOOR, tolerance=0.04)
        value = survey(room.map(2.0, 0.1), room.camera, [door], click=0.01).of("height")
        assert value is not None
        return value.half_width

    assert half_width((320, 240)) == pytest.approx(half_width((160, 120)), rel=0.15)


def test_gravity_may_be_given() -> None:
    room = look()
    up = room.axes[:, 2]
    found = survey(room.map(), room.camera, known_scale=Scale(1.0, 0.0, "measured"), up=up.tolist())
    assert found.space is not None
    assert found.space.up == pytest.approx(up)
    height = found.of("height")
    assert height is not None
    assert height.parts["gravity"] > 0


def test_lengths_between_points_are_those_of_the_room() -> None:
    room = look()
    ends = (room.pixel(1.0, DEPTH, 1.0), room.pixel(3.0, DEPTH, 1.0))
    found = survey(room.map(), room.camera, known_scale=Scale(1.0, 0.0, "measured"), distances=[ends])
    value = found.of("distance")
    assert value is not None
    assert value.value == pytest.approx(2.0, rel=0.01)


def test_glass_and_mirrors_can_be_left_out() -> None:
    room = look()
    broken = room.depth.copy()
    broken[:40, 66:93] *= 2  # a mirror shows a second room behind the wall
    nearness = BoxRoom(room.place, room.axes, room.camera, broken).map()
    nearness.valid[:40, 66:93] = False
    check(survey(nearness, room.camera, known_scale=Scale(1.0, 0.0, "measured")), 1e-3)


@pytest.mark.parametrize(
    ("value", "half_width", "text"),
    [
        (2.793, 0.213, "2.8 ± 0.2"),
        (2.7934, 0.0134, "2.793 ± 0.013"),
        (4.06, 1.5, "4.1 ± 1.5"),
        (123.0, 34.0, "120 ± 30"),
    ],
)
def test_numbers_are_rounded_to_their_uncertainty(value: float, half_width: float, text: str) -> None:
    assert rounded(value, half_width) == text


def test_the_map_is_flat_with_any_shift_but_its_angles_are_not() -> None:
    room = look()
    space = survey(room.map(1.0, -0.3), room.camera, known_scale=Scale(1.0, 0.0, "measured")).space
    assert space is not None
    points, _ = space.points()
    for plane in space.evidence.planes[:3]:
        inside = points[plane.mask]
        off = np.linalg.svd(inside - inside.mean(axis=0), compute_uv=False)[2] / np.sqrt(len(inside))
        assert off < 2e-3
    floor, wall = (space.vectors[k] / np.linalg.norm(space.vectors[k]) for k in (space.layout.floor, 0))
    assert space.layout.floor == 0 or abs(float(floor @ wall)) > 0.02


def test_the_ground_outside_of_a_window_is_not_the_floor() -> None:
    room = look(place=(2.4, 0.3, 1.9), target=(1.6, 4.0, 0.9))
    grid = np.stack(np.meshgrid(np.arange(160), np.arange(120)), axis=-1)
    rays = room.camera.rays(grid) @ room.axes
    at_wall = room.place + rays * ((DEPTH - room.place[1]) / rays[..., 1])[..., None]
    window = (at_wall[..., 0] > 0.2) & (at_wall[..., 0] < 3.8) & (at_wall[..., 2] > 0.8) & (at_wall[..., 2] < 1.6)
    outside = np.where(window & (rays[..., 1] > 0), -(room.place[2] + 1.0) / rays[..., 2], room.depth)
    assert (outside != room.depth).mean() > 0.03
    seen = BoxRoom(room.place, room.axes, room.camera, outside)
    found = survey(seen.map(), room.camera, known_scale=Scale(1.0, 0.0, "measured")).of("camera height")
    assert found is not None
    assert found.value == pytest.approx(1.9, rel=1e-3)


def wall_places(room: BoxRoom, found: Survey) -> list[float]:
    """How far each wall is from the nearest true one, in metres."""
    assert found.space is not None
    feet = np.array([m / (m @ m) for m in found.space.vectors[list(found.space.layout.walls)]]) @ room.axes + room.place
    return [min(abs(x), abs(x - WIDTH), abs(y), abs(y - DEPTH)) for x, y, _ in feet]


def test_the_front_of_a_long_cupboard_is_no_wall() -> None:
    room = look(place=(3.0, 0.3, 1.5), target=(1.4, 4.0, 1.2), boxes=[((0.0, 1.5, 0.0), (0.6, DEPTH, 2.2))])
    found = survey(room.map(), room.camera, known_scale=Scale(1.0, 0.0, "measured"))
    places = wall_places(room, found)
    assert places
    assert max(places) < 1e-3


def test_a_wall_is_measured_behind_its_pictures_and_the_floor_beside_its_carpet() -> None:
    pictures = [((0.1 + x, DEPTH - 0.01, 0.1), (1.2 + x, DEPTH, 2.3)) for x in (0.0, 1.3, 2.6)]
    carpet = ((0.8, 1.8, 0.0), (3.2, 4.6, 0.012))
    room = look(boxes=[*pictures, carpet], size=(320, 240))
    found = survey(room.map(), room.camera, known_scale=Scale(1.0, 0.0, "measured"))
    assert max(wall_places(room, found)) < 1e-3
    above = found.of("camera height")
    assert above is not None
    assert above.value == pytest.approx(1.5, abs=1e-3)


@pytest.mark.parametrize("rise", [0.006, 0.012])
def test_what_leans_and_cuts_through_the_floor_is_no_floor(rise: float) -> None:
    """A mat rises away from the camera by some millimetres a metre: most of the floor lies before its plane."""
    room = look(boxes=[((1.6, 0.6, 0.0), (2.2, 1.0, 1.3))], size=(320, 240))
    rays = room.rays()
    ahead = (rise * (room.place[1] - 3.6) - room.place[2]) / (rays[..., 2] - rise * rays[..., 1])
    at = room.place + ahead[..., None] * rays
    mat = (ahead > 0) & (np.abs(at[..., 0] - 2.0) < 1.5) & (np.abs(at[..., 1] - 4.2) < 0.6)
    mat &= np.abs(room.points()[..., 2]) < 1e-6
    assert 0.02 < mat.mean() < 0.05
    room = replace(room, depth=np.where(mat, ahead, room.depth))
    found = survey(room.map(), room.camera, known_scale=Scale(1.0, 0.0, "measured"))
    above = found.of("camera height")
    assert above is not None
    assert above.value == pytest.approx(1.5, abs=1e-3)
