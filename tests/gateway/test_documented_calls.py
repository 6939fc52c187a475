"""The examples of docs/gateway.md run as they stand there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from tests.gateway.conftest import Gateway
from tests.networks import ROOT

PAGE = (ROOT / "docs" / "gateway.md").read_text()
EXAMPLES = [
    (language, text)
    for language, text in re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    if "http://127.0.0.1:8080/" in text
]
JAVASCRIPT = next(text for language, text in EXAMPLES if language == "javascript")
CALLS, JOBS = (text for language, text in EXAMPLES if language == "bash")
LINKED, NUMBERS = (text for language, text in EXAMPLES if language == "python")


@pytest.fixture
def folder(tmp_path: Path, photo: bytes) -> Path:
    """What the examples find where they run."""
    for name in ("photo.jpg", "one.jpg", "two.jpg"):
        (tmp_path / name).write_bytes(photo)
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.write(tmp_path / "photo.jpg", "photo.jpg")
    return tmp_path


def run(gateway: Gateway, folder: Path, *program: str, example: str) -> str:
    """Run an example. Returns what it printed."""
    text = example.replace("http://127.0.0.1:8080", gateway.url)
    done = subprocess.run([*program, text], check=False, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check_depth(folder: Path) -> None:
    with Image.open(folder / "depth.png") as picture:
        assert (picture.size, picture.mode) == ((640, 427), "I;16")


def test_curl(gateway: Gateway, folder: Path) -> None:
    assert '"success":true' in run(gateway, folder, "bash", "-euc", example=CALLS)
    check_depth(folder)


def test_requests(gateway: Gateway, folder: Path) -> None:
    run(gateway, folder, sys.executable, "-c", example=LINKED)
    check_depth(folder)


def test_requests_for_numbers(gateway: Gateway, folder: Path) -> None:
    assert run(gateway, folder, sys.executable, "-c", example=NUMBERS) == "(427, 640)\n"


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")
def test_javascript(gateway: Gateway, folder: Path) -> None:
    run(gateway, folder, "node", "--input-type=module", "--eval", example=JAVASCRIPT)
    check_depth(folder)


def test_jobs(gateway: Gateway, folder: Path) -> None:
    told = run(gateway, folder, "bash", "-euc", example=JOBS)
    assert '"state": "finished"' in told
    with zipfile.ZipFile(folder / "my-holiday-2026.zip") as archive:
        assert archive.namelist() == ["00000_photo.png", "report.json"]
