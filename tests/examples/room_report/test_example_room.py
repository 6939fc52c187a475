"""The example room, whose sizes its renderer knows: measured by the real command, as `make room-report` does it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from midas_client import DepthClient
from room_report.album import take
from room_report.depth_file import read_depth
from room_report.errors import BadReferenceError, DepthFileError
from room_report.marks import MarkedDistance, Marks
from room_report.results import Results
from tests.networks import ROOT

WALL, HEIGHT = 4.9987, 2.6543  # as the renderer made them
MILLIMETRES = ROOT / "examples/room_report/example/room_millimetres.png"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = re.search(r"-m room_report (.+?) \$\(OPTIONS\)", (ROOT / "Makefile").read_text(), re.DOTALL)
    assert recipe
    folder = tmp_path_factory.mktemp("report")
    arguments = [each for each in shlex.split(recipe[1].replace("\\\n", " ")) if each.strip()]
    command = [sys.executable, "-m", "room_report", *arguments, "--out", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert str(folder / "report.html") in done.stdout
    return folder


def test_the_rooms_sizes_are_within_their_intervals(made: Path) -> None:
    results = Results.model_validate_json((made / "report.json").read_text())
    (photo,) = results.photos
    rows = {row.name: row for row in photo.measures}
    for row, truth in ((rows["wall"], WALL), (rows["height"], HEIGHT)):
        assert abs(row.value - truth) <= row.half_width
        assert row.half_width < 0.03 * truth
        assert row.kind == "measured"
    assert any(row.verdict == "fits" for row in results.products)
    assert (photo.width, photo.height) == (960, 720)
    assert photo.focal.pixels == pytest.approx(665.7, rel=0.002)


def test_the_page_names_the_file_that_the_depth_is_of(made: Path) -> None:
    page = (made / "report.html").read_text(encoding="utf-8")
    assert "room_millimetres.png" in page
    assert len(page) < 2_000_000
    assert json.loads((made / "report.json").read_text())["photos"][0]["weights"] == ""


def test_depth_is_read_from_either_file(tmp_path: Path) -> None:
    millimetres = cv2.imread(str(MILLIMETRES), cv2.IMREAD_UNCHANGED)
    np.save(tmp_path / "room.npy", millimetres / np.float32(1000))
    of_png, of_npy = (read_depth(file, (960, 720)).depth for file in (MILLIMETRES, tmp_path / "room.npy"))
    np.testing.assert_allclose(of_png, of_npy, rtol=1e-6)
    assert of_png[0, 0] == pytest.approx(millimetres[0, 0] / 1000)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("other.npy", np.ones((3, 4)), "is of the shape 3 x 4. It must be 720 x 960, rows x columns"),
        ("words.npy", np.full((720, 960), "far"), "one number for each pixel"),
        ("none.npy", np.full((720, 960), np.nan), "has no distance above 0"),
        ("broken.npy", b"text", "is neither a .npy file of numbers nor a 16-bit PNG"),
        ("broken.png", b"text", "is neither a .npy file of numbers nor a 16-bit PNG"),
        ("grey.png", cv2.imencode(".png", np.ones((720, 960), np.uint8))[1].tobytes(), "not one of 16-bit grey"),
    ],
)
def test_a_file_that_is_no_depth_is_refused(
    tmp_path: Path, name: str, content: npt.NDArray[Any] | bytes, message: str
) -> None:
    file = tmp_path / name
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        np.save(file, content)
    with pytest.raises(DepthFileError, match=re.escape(message)):
        read_depth(file, (960, 720))


def test_a_point_outside_of_a_large_photo_is_refused_in_its_own_pixels() -> None:
    photo = MILLIMETRES.with_name("room.jpg")  # 960 x 720, and measured at half of that
    outside = Marks(distances=[MarkedDistance(point=(1000, 100), metres=3)])
    with DepthClient("localhost:1") as client, pytest.raises(BadReferenceError, match=r"1000.*960 x 720"):
        take(photo, outside, client, "default", depth_file=MILLIMETRES, view=71.6)
