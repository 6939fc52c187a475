"""Files of marks: what is in them is read, and what cannot be right is refused with its place."""

import json
import re
from pathlib import Path

import pytest

from room_report.errors import BadReferenceError
from room_report.marks import beside, read_marks
from room_report.references import CameraHeight, KnownDistance, KnownLength, KnownRectangle

CORNERS = [[10, 10], [50, 12], [50, 100], [10, 98]]
FULL = {
    "photo": "room.jpg",
    "size": [640, 480],
    "rectangles": [
        {"kind": "door", "corners": CORNERS, "width": 0.86, "height": 2.01},
        {"kind": "sheet", "corners": CORNERS, "width": 0.297, "height": 0.21, "tolerance": 0.001},
    ],
    "lengths": [{"start": [1, 2], "end": [3, 40], "metres": 1.2}],
    "distances": [{"point": [5, 6], "metres": 2.5}],
    "camera_height": 1.5,
    "measure": [{"start": [100, 300], "end": [600, 320]}],
}


def written(folder: Path, content: object) -> Path:
    file = folder / "room.marks.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return file


def test_everything_that_can_be_marked_is_read(tmp_path: Path) -> None:
    file = written(tmp_path, FULL)
    assert beside(tmp_path / "room.jpg") == file
    marks = read_marks(file)
    door, sheet, length, distance, height = marks.references()
    assert isinstance(door, KnownRectangle)
    assert isinstance(sheet, KnownRectangle)
    assert (door.upright, door.width, door.tolerance) == (True, 0.86, 0.01)
    assert (sheet.upright, sheet.tolerance) == (False, 0.001)
    assert door.corners[1] == (50.0, 12.0)
    assert isinstance(length, KnownLength)
    assert length.metres == 1.2
    assert isinstance(distance, KnownDistance)
    assert distance.pixel == (5.0, 6.0)
    assert height == CameraHeight(1.5)
    assert [(each.start, each.end) for each in marks.measure] == [((100.0, 300.0), (600.0, 320.0))]


def test_marks_are_refused_in_a_photo_of_another_size(tmp_path: Path) -> None:
    marks = read_marks(written(tmp_path, FULL))
    marks.check_size((640, 480))
    with pytest.raises(BadReferenceError, match=re.escape("640 x 480 pixels, and this one has 480 x 640")):
        marks.check_size((480, 640))
    read_marks(written(tmp_path, {"photo": "room.jpg"})).check_size((480, 640))


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({"doors": []}, "doors"),
        ({"rectangles": [{"corners": CORNERS, "width": 1, "height": 2, "colour": "red"}]}, "rectangles.0.colour"),
        ({"rectangles": [{"corners": CORNERS[:3], "width": 1, "height": 2}]}, "rectangles.0.corners"),
        ({"lengths": [{"start": [1, 2], "end": [3, 4]}]}, "lengths.0.metres"),
        ({"camera_height": "high"}, "camera_height"),
        ([], "the file"),
        ("{", "the file"),
    ],
)
def test_what_is_no_file_of_marks_is_refused_with_its_place(tmp_path: Path, content: object, place: str) -> None:
    with pytest.raises(BadReferenceError, match=re.escape(f"is not a file of marks: {place}")):
        read_marks(written(tmp_path, content))


def test_lengths_that_cannot_be_are_refused(tmp_path: Path) -> None:
    marks = read_marks(written(tmp_path, {"lengths": [{"start": [1, 2], "end": [3, 40], "metres": -1}]}))
    with pytest.raises(BadReferenceError):
        marks.references()
