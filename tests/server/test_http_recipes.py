"""The recipes of docs/http.md run as they stand there, and what it says of mistakes is so."""

import base64
import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image

from midas_server.launch import Triton
from tests.networks import DEFAULT, ROOT
from tests.server.calls import post, post_json

PAGE = (ROOT / "docs" / "http.md").read_text()
RECIPES = re.findall(r"^```(sh|python)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
NO_HEADER = {"Inference-Header-Content-Length": "0"}


def run(triton: Triton, folder: Path, language: str, recipe: str) -> str:
    """Run a recipe in a folder that holds photo.jpg, and return what it printed."""
    recipe = recipe.replace("localhost:8000", triton.http_url).replace("localhost:8001", triton.grpc_url)
    program = ["bash", "-euc"] if language == "sh" else [sys.executable, "-c"]
    done = subprocess.run([*program, recipe], check=False, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path, photo: bytes) -> Path:
    (tmp_path / "photo.jpg").write_bytes(photo)
    return tmp_path


def test_there_are_five_recipes() -> None:
    assert [language for language, _ in RECIPES] == ["sh", "python", "sh", "python", "python"]


def test_curl_and_reading_the_answer(triton: Triton, folder: Path) -> None:
    run(triton, folder, *RECIPES[0])
    assert run(triton, folder, *RECIPES[1]).startswith("(427, 640) [")


def test_options_with_curl(triton: Triton, folder: Path) -> None:
    run(triton, folder, *RECIPES[2])
    with Image.open(folder / "depth.png") as picture:
        assert (picture.size, picture.mode) == ((640, 427), "RGB")


def test_options_with_requests(triton: Triton, folder: Path) -> None:
    run(triton, folder, *RECIPES[3])
    with Image.open(folder / "depth.png") as picture:
        assert (picture.size, picture.mode) == ((640, 427), "I;16")


def test_grpc_takes_what_is_larger_than_its_default(triton: Triton, folder: Path, photo: bytes) -> None:
    with Image.open(io.BytesIO(photo)) as picture:
        picture.resize((1920, 1080)).save(folder / "photo.jpg")
    assert int(run(triton, folder, *RECIPES[4])) == 1920 * 1080 * 4


def row(start: str) -> str:
    """A row of the table of mistakes."""
    return next(line for line in PAGE.splitlines() if line.startswith(f"| {start}"))


@pytest.mark.parametrize(
    ("start", "option", "bare", "with_header"),
    [
        ("`--data-binary @photo.jpg` without", "--data-binary", "failed to parse the request JSON buffer", ""),
        ("`-F", "-F", "failed to parse the request JSON buffer", "got a form"),
        ("`-d", "-d", "failed to parse the request JSON buffer", "a JPEG without a zero byte"),
    ],
)
def test_what_curl_sends_otherwise(
    triton: Triton, folder: Path, start: str, option: str, bare: str, with_header: str
) -> None:
    value = "file=@photo.jpg" if option == "-F" else "@photo.jpg"
    url = f"http://{triton.http_url}/v2/models/{DEFAULT}/infer"
    for header, status, message in ((None, 500, bare), (NO_HEADER, 400, with_header)):
        if not message:
            continue
        headers = [f"-H{name}: {text}" for name, text in (header or {}).items()]
        command = ["curl", "-s", "-w", "%{http_code}", *headers, option, value, url]
        answer = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, timeout=120).stdout
        assert message in answer
        assert answer.endswith(str(status))
        assert f"{status}" in row(start)
        assert message in PAGE


def test_what_programs_send_otherwise(triton: Triton, photo: bytes) -> None:
    url = f"http://{triton.http_url}/v2/models/{DEFAULT}/infer"
    text = base64.b64encode(photo)
    kserve = {"inputs": [{"name": "IMAGE", "shape": [1, 1], "datatype": "BYTES", "data": [text.decode()]}]}
    for answer, status, message in (
        (requests.put(url, photo, headers=NO_HEADER, timeout=60), 405, "Method Not Allowed"),
        (post_json(triton, {"image": text.decode()}, DEFAULT), 500, "Unable to parse 'inputs'"),
        (post(triton, b'{"image": "/9j/"}', DEFAULT), 400, "got JSON"),
        (post_json(triton, kserve, DEFAULT), 400, "got base64; send the bytes that it stands for"),
        (post(triton, text, DEFAULT), 400, "got base64"),
        (post(triton, b"data:image/jpeg;base64," + text, DEFAULT), 400, "got a data URI"),
        (
            requests.post(url, photo, headers={**NO_HEADER, "Content-Encoding": "gzip"}, timeout=60),
            400,
            "the photo is empty (0 bytes)",
        ),
    ):
        assert (answer.status_code, message) == (status, message)
        assert message in answer.json()["error"]
        assert message in PAGE


@pytest.mark.parametrize("coding", ["gzip", "deflate", "identity"])
def test_an_answer_is_compressed_for_whoever_takes_it_so(triton: Triton, photo: bytes, coding: str) -> None:
    url = f"http://{triton.http_url}/v2/models/{DEFAULT}/infer"
    answer = requests.post(url, photo, headers={**NO_HEADER, "Accept-Encoding": coding}, timeout=60)
    assert answer.ok
    assert answer.headers.get("Content-Encoding", "identity") == coding
    assert "identity" in row("`Accept-Encoding: gzip`")


def test_what_json_can_carry(triton: Triton, photo: bytes) -> None:
    """DEPTH as numbers, but no picture; and options in the URL do nothing."""
    url = f"http://{triton.http_url}/v2/models/{DEFAULT}/infer?format=png16"
    answer = requests.post(url, photo, headers=NO_HEADER, timeout=60)
    assert answer.ok
    length = int(answer.headers["Inference-Header-Content-Length"])
    assert len(answer.content) > length + 427 * 640 * 4

    image = {
        **{"name": "IMAGE", "shape": [1, 1], "datatype": "BYTES"},
        "parameters": {"binary_data_size": len(photo) + 4},
    }
    for output, options in (("DEPTH", {}), ("ENCODED", {"format": "png8"})):
        head = requests.Request(
            "POST", url, json={"inputs": [image], "outputs": [{"name": output}], "parameters": options}
        )
        body = head.prepare().body
        assert isinstance(body, bytes)
        answer = requests.post(
            url,
            body + len(photo).to_bytes(4, "little") + photo,
            headers={"Inference-Header-Content-Length": str(len(body))},
            timeout=60,
        )
        assert answer.ok
        if output == "DEPTH":
            assert np.isfinite(answer.json()["outputs"][0]["data"]).all()
        else:
            with pytest.raises(UnicodeDecodeError):
                answer.content.decode()
