"""Boxes and masks: what each label does, and what cannot be used is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from room_report.errors import RegionError
from room_report.regions import boxed, labelled, read_regions, things, written
from room_report.scale import Scale
from room_report.survey import survey
from tests.examples.room_report.box_room import HEIGHT, WIDTH, BoxRoom, look

SIZE = (160, 120)
KNOWN = Scale(1.0, 0.0, "measured")


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    made = [boxed("Sofa", (10, 20, 40, 50), SIZE, 0.9), boxed("mirror", (100, 5, 130, 60), SIZE)]
    found = read_regions(written(made, tmp_path, SIZE), SIZE)
    assert [(region.label, region.score, region.is_thing) for region in found] == [
        ("sofa", 0.9, True), ("mirror", 1.0, False),
    ]  # fmt: skip
    for one, other in zip(made, found, strict=True):
        assert (one.mask == other.mask).all()


def test_a_box_and_its_polygon_are_the_same(tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    corners = [[10, 20], [40, 20], [40, 50], [10, 50]]
    rows = [{"label": "a", "box": [10, 20, 40, 50]}, {"label": "b", "polygon": corners}]
    file.write_text(json.dumps({"photo_size": list(SIZE), "regions": rows}))
    box, polygon = read_regions(file, SIZE)
    assert (box.mask == polygon.mask).all()
    both = things([box, polygon])
    assert both is not None
    assert both.sum() == 31 * 31
    assert labelled([box], "floor") is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not a JSON object"),
        ('{"photo_size": [160, 120]}', "regions"),
        ('{"photo_size": [320, 240], "regions": []}', "this one is 160 x 120"),
        ('{"photo_size": [160, 120], "regions": [{"label": "a"}]}', "region 1 needs a"),
        ('{"photo_size": [160, 120], "regions": [{"box": [1, 2, 3, 4]}]}', "region 1 needs a"),
        ('{"photo_size": [160, 120], "regions": [{"label": "a", "box": [9, 9, 2, 2]}]}', "holds nothing"),
        ('{"photo_size": [160, 120], "regions": [{"label": "a", "box": [1, 2, 3]}]}', "region 1"),
        ('{"photo_size": [160, 120], "regions": [{"label": "a", "mask": "none.png"}]}', "none.png"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "r.json"
    file.write_text(content)
    with pytest.raises(RegionError, match=said):
        read_regions(file, SIZE)


def test_a_mirror_is_left_out() -> None:
    room = look()
    broken = room.depth.copy()
    broken[:40, 66:93] *= 2  # a second room behind the wall
    nearness = BoxRoom(room.place, room.axes, room.camera, broken).map()
    found = survey(nearness, room.camera, known_scale=KNOWN, regions=[boxed("mirror", (65, 0, 93, 40), SIZE)])
    wall, height = found.of("wall"), found.of("height")
    assert wall is not None
    assert height is not None
    assert (wall.value, height.value) == pytest.approx((WIDTH, HEIGHT), rel=1e-3)


def test_a_thing_is_measured_in_its_box_and_is_no_free_floor() -> None:
    room = look(
        place=(2.0, 0.3, 1.5), target=(2.0, 4.0, 0.9), boxes=[((1.0, 4.0, 0.0), (2.4, 4.8, 0.9))], size=(320, 240)
    )
    ends = np.array([room.pixel(x, 4.0, z) for x in (1.0, 2.4) for z in (0.0, 0.9)])
    box = (*(ends.min(axis=0) - 4), *(ends.max(axis=0) + 4))
    rug = (120.0, 200.0, 200.0, 230.0)
    sofa, mat = boxed("sofa", box, (320, 240)), boxed("mat", rug, (320, 240))
    found = survey(room.map(), room.camera, known_scale=KNOWN, regions=[sofa, mat])
    (label, width, height), *others = found.things
    assert label == "sofa"
    assert not others  # the mat is flat, so it has no size above the floor
    # its top's far edge is seen too, but is no wider; a pixel is 2 cm there
    assert (width.value, height.value) == pytest.approx((1.4, 0.9), abs=0.04)
    without = survey(room.map(), room.camera, known_scale=KNOWN)
    assert sum(floor.free.sum() for floor in found.floors) < sum(floor.free.sum() for floor in without.floors)


def test_masks_of_another_size_are_refused() -> None:
    room = look()
    with pytest.raises(RegionError, match="size"):
        survey(room.map(), room.camera, known_scale=KNOWN, regions=[boxed("sofa", (1, 1, 9, 9), (320, 240))])
