"""`midas-client predict`, against a real Triton and without one."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from midas_client._cli import main
from midas_server.launch import Triton

MODEL = "midas_v21_small_256"

Predict = Callable[..., int]


@pytest.fixture
def predict(triton: Triton) -> Predict:
    """Run the command against the server; arguments as in a shell."""

    def run(*arguments: str | Path, url: str = triton.grpc_url) -> int:
        return main(["predict", *map(str, arguments), "--model", MODEL, "--url", url])

    return run


def documents(printed: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.splitlines()]


def test_default_output_is_a_16_bit_png_beside_the_photo(
    predict: Predict, rocket: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(rocket) == 0
    saved = Image.open(rocket.with_name("rocket_depth.png"))
    assert saved.size == (640, 427)
    assert np.asarray(saved).dtype == np.uint16
    assert np.asarray(saved).max() == 65535
    printed = capsys.readouterr()
    assert "rocket_depth.png  640 x 427" in printed.out
    assert printed.err.startswith("midas-client: warning: midas_v21_small_256 has untrained weights: ")
    assert printed.err.count("\n") == 1


def test_a_folder_in_colour_keeps_its_folders(
    triton: Triton, predict: Predict, album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = album.parent / "new" / "folder"
    options = ["--colormap", "magma", "--output-size", "network"]
    assert predict(album, "--recursive", "-o", out, *options, url=f"http://{triton.http_url}") == 0
    files = sorted(str(path.relative_to(out)) for path in out.rglob("*.*"))
    assert files == ["a_depth.png", "b_depth.png", "trip/c_depth.png", "trip/deep/d_depth.png"]
    picture = Image.open(out / "trip" / "c_depth.png")
    assert picture.mode == "RGB"
    assert max(picture.size) == 256
    printed = capsys.readouterr()
    assert printed.err.count("untrained") == 1
    assert "4 photos: 4 written; " in printed.err
    assert len(printed.out.splitlines()) == 4


def test_npy_and_json(predict: Predict, rocket: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = rocket.with_name("depth.npy")
    assert predict(rocket, "-o", output, "--json", "--resolution", "128", "--aspect", "square") == 0
    depth = np.load(output)
    assert depth.dtype == np.float32
    document = json.loads(capsys.readouterr().out)
    assert document["photo"] == str(rocket)
    assert document["output"] == str(output)
    assert document["weights"] == "untrained"
    assert document["photo_size"] == [640, 427]
    assert document["network_size"] == [128, 128]
    assert document["options"]["format"] == "float32"
    assert document["range"] == [float(depth.min()), float(depth.max())]
    assert document["seconds"] > 0


@pytest.mark.parametrize(
    ("name", "options", "pillow_format", "mode", "server_sends"),
    [
        ("d.tif", [], "TIFF", "F", "float32"),
        ("d.jpg", ["--colormap", "turbo"], "JPEG", "RGB", "color_jpeg"),
        ("d.png", ["--colormap", "gray"], "PNG", "L", "png8"),
        ("d.png", ["--equalize", "clahe", "--setting", "clahe_clip=3"], "PNG", "L", "png8"),
        ("d.png", ["--colormap", "viridis", "--equalize", "global"], "PNG", "RGB", "color_png"),
        ("d.png", ["--equalize", "none", "--format", "float16"], "PNG", "I;16", "float16"),
    ],
)
def test_kinds_of_files(
    predict: Predict,
    rocket: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    options: list[str],
    pillow_format: str,
    mode: str,
    server_sends: str,
) -> None:
    assert predict(rocket, "-o", rocket.with_name(name), *options, "--json") == 0
    with Image.open(rocket.with_name(name)) as picture:
        assert (picture.format, picture.mode, picture.size) == (pillow_format, mode, (640, 427))
    (document,) = documents(capsys.readouterr().out)
    assert document["options"]["format"] == server_sends
    assert (document["range"] is None) == (server_sends in ("png8", "color_png", "color_jpeg"))


def test_pfm_and_a_point_cloud(predict: Predict, rocket: Path) -> None:
    small = ["--output-size", "network", "--resolution", "128"]
    assert predict(rocket, "-o", rocket.with_name("d.pfm"), *small) == 0
    assert rocket.with_name("d.pfm").read_bytes().startswith(b"Pf\n128 ")
    assert predict(rocket, "--save-as", "ply", "--fov", "50", *small) == 0
    cloud = rocket.with_name("rocket_depth.ply").read_bytes()
    assert cloud.startswith(b"ply\n")
    assert b"property uchar red" in cloud


def test_standard_input_and_output(triton: Triton, command: str, photo: bytes) -> None:
    arguments = [command, "predict", "-", "--model", MODEL, "--url", triton.grpc_url]
    done = subprocess.run([*arguments, "--json"], input=photo, capture_output=True, check=True)
    assert done.stdout.startswith(b"\x89PNG")
    *warnings, document = done.stderr.decode().splitlines()
    assert json.loads(document)["output"] == "-"
    assert len(warnings) == 1
    done = subprocess.run([*arguments, "-o", "-", "--save-as", "npy"], input=photo, capture_output=True, check=True)
    assert done.stdout.startswith(b"\x93NUMPY")
    done = subprocess.run(arguments, input=b"", capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stdout == b""
    assert b"0 bytes" in done.stderr


def test_existing_outputs(predict: Predict, album: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = album.parent / "out"
    out.mkdir()
    (out / "a_depth.png").write_text("mine")
    assert predict(album, "-o", out, "--skip-existing", "--json") == 0
    printed = capsys.readouterr()
    assert [document.get("skipped", False) for document in documents(printed.out)] == [True, False]
    assert "2 photos: 1 written, 1 skipped; " in printed.err
    assert (out / "a_depth.png").read_text() == "mine"
    assert predict(album / "*.JPG", "-o", out) == 0
    assert (out / "a_depth.png").read_bytes().startswith(b"\x89PNG")


def test_one_bad_photo_does_not_stop_the_others(
    predict: Predict, rocket: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = rocket.with_name("notes.txt")
    text.write_text("once upon a time")
    photos = [text, "missing.jpg", "https://example.org/a.jpg", rocket, rocket.with_name("*.gif")]
    assert predict(*photos, "--json", "--concurrency", "2") == 1
    printed = capsys.readouterr()
    results = documents(printed.out)
    errors = [document["error"]["type"] if "error" in document else None for document in results]
    assert errors == ["PhotoError", "InvalidRequestError", "PhotoError", "PhotoError", None]
    assert results[0]["photo"].endswith("*.gif")
    assert "5 photos: 1 written, 4 failed; " in printed.err
    assert "Traceback" not in printed.err
    assert rocket.with_name("rocket_depth.png").exists()
    assert not rocket.with_name("notes_depth.png").exists()


def test_unknown_model_ends_the_run_and_lists_models(
    triton: Triton, models: list[str], album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(album), "--model", "midas_v99", "--url", triton.grpc_url]) == 1
    errors = capsys.readouterr().err
    assert errors.count(f"The server has: {', '.join(sorted(models))}") == 1
    assert "2 photos: 0 written, 1 failed, 1 not done; " in errors


def test_a_folder_that_cannot_be_written_ends_the_run(
    predict: Predict, album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = album.parent / "file"
    blocked.touch()
    assert predict(album, "-o", f"{blocked}/depth/") == 1
    assert capsys.readouterr().err.count("cannot be written") == 1


def test_no_server_ends_the_run(dead_port: int, album: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["predict", str(album), "--recursive", "--timeout", "1", "--json"]
    for url in (f"127.0.0.1:{dead_port}", f"http://127.0.0.1:{dead_port}"):
        assert main([*arguments, "--url", url]) == 1
        printed = capsys.readouterr()
        assert printed.err.count("No connection to") == 1
        assert "Is the server running" in printed.err
        assert "4 photos: 0 written, 1 failed, 3 not done; " in printed.err
        (document,) = documents(printed.out)
        assert document["error"]["type"] == "ConnectError"


def test_a_server_that_never_answers_ends_the_run(
    black_hole: int, album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["predict", str(album), "--recursive", "--concurrency", "1", "--timeout", "1"]
    assert main([*arguments, "--url", f"http://127.0.0.1:{black_hole}"]) == 1
    assert capsys.readouterr().err.count("No answer from") == 1


def test_something_else_than_a_depth_server_ends_the_run(
    serve_sockets: Callable[..., Any], album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def not_found(connection: socket.socket, _number: int) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.close()

    with serve_sockets(not_found) as port:
        arguments = ["predict", str(album / "trip"), "-r", "--concurrency", "1", "--timeout", "5"]
        assert main([*arguments, "--url", f"http://127.0.0.1:{port}"]) == 1
    assert "2 photos: 0 written, 1 failed, 1 not done; " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "PHOTO"),
        (["a.jpg", "--resolution", "0"], "It must be a whole number of pixels"),
        (["a.jpg", "--resolution", "big"], "invalid int"),
        (["a.jpg", "--format", "jpeg"], "choose from"),
        (["a.jpg", "--save-as", "exr"], "choose from"),
        (["a.jpg", "--colormap", "sunset"], "inferno"),
        (["a.jpg", "--model", ""], "must be a model's name"),
        (["a.jpg", "--concurrency", "0"], "1 to 1024"),
        (["a.jpg", "--setting", "crf_radius"], "NAME=NUMBER"),
        (["a.jpg", "--setting", "crf_radius=1000"], "from 1 to 64"),
        (["a.jpg", "-o", "depth.jpg"], "--colormap inferno"),
        (["a.jpg", "-o", "depth.gif"], ".png, .jpg, .npy"),
        (["a.jpg", "-o", "depth.npy", "--colormap", "magma"], "colours cannot be written"),
        (["a.jpg", "--colormap", "magma", "--format", "float32"], "Leave --format out"),
        (["a.jpg", "--fov", "60"], "--save-as ply"),
        (["a.jpg", "--fov", "200", "--save-as", "ply"], "below 180"),
        (["a.jpg", "b.jpg", "-o", "depth.png"], "Name a folder"),
        (["a.png", "-o", "a.png"], "overwrite the photo"),
        (["-", "a.png"], "Name a folder"),
    ],
)
def test_wrong_command_lines(arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", *arguments]) == 2
    printed = capsys.readouterr()
    assert reason in printed.err
    assert printed.out == ""


def test_shared_memory_that_is_not_allowed_is_said_once(
    predict: Predict, album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(album, "-o", album.parent / "out", "--save-as", "npy", "--shared-memory") == 0
    errors = capsys.readouterr().err
    assert errors.count("warning: Depth maps come the plain way") == 1
    assert "Warning" not in errors
