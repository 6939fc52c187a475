"""The command on a photo with a file of its depth and one of labelled boxes: no server is needed."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from room_report.__main__ import main
from room_report.results import Results
from tests.examples.room_report.box_room import DEPTH, DOOR, HEIGHT, WIDTH, BoxRoom, look

BOX = ((0.0, 4.0, 0.0), (1.5, DEPTH, 1.0))


def photographed(folder: Path, size: tuple[int, int]) -> BoxRoom:
    """A room with a box, its photo and its distances in a folder."""
    room = look(place=(1.0, 0.3, 1.6), target=(2.4, 4.0, 0.9), boxes=[BOX], size=size)
    grey = np.uint8(255 * np.clip(1 - room.depth / 8, 0.1, 0.9))
    Image.fromarray(np.asarray(grey)).convert("RGB").save(folder / "room.jpg")
    Image.fromarray(np.rint(1000 * room.depth).astype(np.uint16)).save(folder / "room.depth.png")
    door = {"corners": room.door(), "width": DOOR[0], "height": DOOR[1]}
    (folder / "room.marks.json").write_text(json.dumps({"size": size, "rectangles": [door]}))
    return room


def called(folder: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    words = ["room_report", str(folder / "room.jpg"), "--depth", str(folder / "room.depth.png"), "--depth-error", "0"]
    monkeypatch.setattr("sys.argv", [*words, "--out", str(folder / "out"), *options])
    return main()


def test_a_large_photo_is_measured_at_a_smaller_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = photographed(tmp_path, (840, 630))
    left, top = room.pixel(0.0, 4.0, 1.0)
    right, low = room.pixel(1.5, 4.0, 0.0)
    box = [max(left, 0), top - 10, right + 10, low + 10]  # as tight as a detector draws it
    regions = {"photo_size": [840, 630], "regions": [{"label": "Box", "box": box}]}
    (tmp_path / "room.regions.json").write_text(json.dumps(regions))
    assert called(tmp_path, monkeypatch, "--fov", "80") == 0
    photo = Results.model_validate_json((tmp_path / "out" / "report.json").read_bytes()).photos[0]
    assert (photo.width, photo.height) == (840, 630)
    assert photo.focal.pixels == pytest.approx(room.camera.focal, rel=1e-3)
    rows = {row.name: row.value for row in photo.measures}
    assert rows["wall"] == pytest.approx(WIDTH, rel=0.02)
    assert rows["height"] == pytest.approx(HEIGHT, rel=0.02)
    assert rows["thing height"] == pytest.approx(1.0, abs=0.05)
    # its front is 1.5 m wide, and stands askew to the camera, which looks 1.4 m to the right on 3.7 m
    assert rows["thing width"] == pytest.approx(1.5 * 3.7 / np.hypot(1.4, 3.7), abs=0.02)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert re.search(r'viewBox="0 0 420(\.0*)? 315(\.0*)?"', page)
    assert "box: height above the floor" in page
    table = (tmp_path / "out" / "measures.csv").read_text(encoding="utf-8-sig")
    assert re.search(r"^room.jpg,thing width,box,0,1\.[34]", table, re.MULTILINE)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--depth-error", "2"), "0.02 is 2 %"),
        (("--regions", "other.jpg:room.regions.json"), "other.jpg, which is not among the photos"),
    ],
)
def test_what_does_not_go_together_is_a_wrong_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: tuple[str], says: str
) -> None:
    photographed(tmp_path, (320, 240))
    with pytest.raises(SystemExit) as ended:
        called(tmp_path, monkeypatch, *options)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def test_marks_of_another_size_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photographed(tmp_path, (320, 240))
    (tmp_path / "room.marks.json").write_text(json.dumps({"size": [640, 480]}))
    assert called(tmp_path, monkeypatch) == 1
    assert "640 x 480 pixels, and this one has 320 x 240" in capsys.readouterr().err


def test_regions_of_another_size_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photographed(tmp_path, (320, 240))
    (tmp_path / "other.json").write_text(json.dumps({"photo_size": [640, 480], "regions": []}))
    assert called(tmp_path, monkeypatch, "--regions", str(tmp_path / "other.json")) == 1
    assert "is for a photo of 640 x 480" in capsys.readouterr().err


@pytest.mark.parametrize(("text", "half_width"), [("0", 0.0), ("0.02", 1.96 * 0.02)])
def test_the_said_error_of_a_files_depth_is_in_the_intervals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, half_width: float
) -> None:
    photographed(tmp_path, (320, 240))
    assert called(tmp_path, monkeypatch, "--depth-error", text, "--fov", "80") == 0
    results = Results.model_validate_json((tmp_path / "out" / "report.json").read_bytes())
    height = next(row for row in results.photos[0].measures if row.name == "height")
    assert height.parts.get("network", 0.0) == pytest.approx(half_width * height.value)


def test_a_refusal_says_its_kind_in_the_reports_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photographed(tmp_path, (320, 240))
    outside = ["--distance", "900,10,2"]
    assert called(tmp_path, monkeypatch, *outside, "--language", "zh") == 1
    said = capsys.readouterr().err
    assert "标记或参照物不正确" in said
    assert "320 x 240" in said
    assert called(tmp_path, monkeypatch, *outside) == 1
    assert "标记" not in capsys.readouterr().err
