"""The click tool's answers: it serves one photo to this machine alone, and writes only marks that can be right."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
import requests
from PIL import Image

from room_report.mark.app import LARGEST
from room_report.marks import beside, read_marks
from room_report.references import KNOWN_SIZES
from tests.examples.room_report.marking import marking

DOOR = {"kind": "door", "corners": [[40, 20], [90, 22], [88, 130], [42, 128]], "width": 0.86, "height": 2.01}


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    photo = tmp_path_factory.mktemp("mark") / "room.jpg"
    Image.new("RGB", (200, 150), (90, 120, 140)).save(photo, exif=Image.Exif())
    with marking(photo) as address:
        yield address, photo


@pytest.fixture(autouse=True)
def without_marks(tool: tuple[str, Path]) -> None:
    beside(tool[1]).unlink(missing_ok=True)


def put(address: str, marks: object, version: str = "") -> requests.Response:
    body = marks if isinstance(marks, bytes) else json.dumps(marks).encode()
    return requests.put(f"{address}marks", body, headers={"If-Match": version}, timeout=10)


def test_what_is_written_is_what_the_command_reads(tool: tuple[str, Path]) -> None:
    address, photo = tool
    marks = {"rectangles": [DOOR], "camera_height": 1.5, "measure": [{"start": [1, 2], "end": [50, 60]}]}
    answer = put(address, marks)
    assert answer.status_code == 200, answer.text
    found = read_marks(beside(photo))
    assert found.size == (200, 150)
    assert found.photo == "room.jpg"
    assert len(found.references()) == 2
    told = requests.get(f"{address}marks", timeout=10).json()
    assert told["version"] == answer.json()["version"]
    assert told["marks"]["camera_height"] == 1.5
    assert [each.name for each in photo.parent.iterdir() if each.suffix not in {".jpg", ".json"}] == []


def test_a_file_that_something_else_wrote_is_not_replaced(tool: tuple[str, Path]) -> None:
    address, photo = tool
    beside(photo).write_text("{}")
    answer = put(address, {"rectangles": [DOOR]})
    assert answer.status_code == 412
    assert "was changed" in answer.json()["error"]
    assert beside(photo).read_text() == "{}"


@pytest.mark.parametrize(
    ("marks", "why"),
    [
        (b"{", "Invalid JSON"),
        ({"walls": []}, "walls"),
        ({"rectangles": [{**DOOR, "corners": [[40, 20]] * 4}]}, "same point"),
        ({"rectangles": [{**DOOR, "width": -1}]}, "above 0"),
        ({"size": [100, 100]}, "200 x 150"),
    ],
)
def test_marks_that_cannot_be_right_are_refused_in_words(tool: tuple[str, Path], marks: object, why: str) -> None:
    address, photo = tool
    answer = put(address, marks)
    assert answer.status_code == 422
    assert why in answer.json()["error"]
    assert not beside(photo).exists()


def test_too_many_bytes_are_refused(tool: tuple[str, Path]) -> None:
    assert put(tool[0], b" " * (LARGEST + 1)).status_code == 413


def test_a_request_for_another_host_is_refused(tool: tuple[str, Path]) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "[::1]:80", ""):
        answer = requests.get(f"{tool[0]}photo", headers={"Host": host}, timeout=10)
        assert answer.status_code in {400, 403}, host
        assert b"JFIF" not in answer.content
    assert requests.get(tool[0], headers={"Host": "localhost:1"}, timeout=10).status_code == 200


@pytest.mark.parametrize("path", ["..%2froom.jpg", "%2e%2e/%2e%2e/etc/passwd", "%2fetc%2fpasswd", "app.py", "room.jpg"])
def test_nothing_but_the_page_can_be_read(tool: tuple[str, Path], path: str) -> None:
    answer = requests.get(f"{tool[0]}{path}", timeout=10)
    assert answer.status_code == 404
    assert answer.json() == {"error": "There is no such file here."}


def test_the_policy_allows_no_other_host_and_no_inline_script(tool: tuple[str, Path]) -> None:
    policy = requests.get(tool[0], timeout=10).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy
    assert not re.search(r"https?:|\*", policy)


def test_both_languages_have_every_text_with_the_same_values() -> None:
    folder = resources.files("room_report") / "mark"
    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    for key, (english, chinese) in texts.items():
        assert re.search(r"[\u4e00-\u9fff]", chinese), key
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", chinese)), key


def test_the_page_knows_the_same_sheets_as_the_command() -> None:
    script = (resources.files("room_report") / "mark" / "mark.js").read_text(encoding="utf-8")
    rows = re.findall(r"(a4|letter|card)_(?:up|across): \[([\d., ]+)\]", script)
    assert len(rows) == 4
    for name, numbers in rows:
        width, height, tolerance = map(float, numbers.split(","))
        assert (sorted((width, height)), tolerance) == (sorted(KNOWN_SIZES[name][:2]), KNOWN_SIZES[name][2])


def test_a_file_that_is_no_photo_is_refused_without_a_traceback(tmp_path: Path) -> None:
    for file in (tmp_path / "absent.jpg", Path(__file__)):
        done = subprocess.run(
            [sys.executable, "-m", "room_report.mark", str(file), "--no-browser"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert done.stderr.startswith("error: ")
        assert "Traceback" not in done.stderr
