"""`midas-client`, against a real Triton and without one."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from midas_client import OptionError, __version__
from midas_client._cli import main
from midas_client._outputs import plan_jobs
from midas_server.launch import Triton

MODEL = "midas_v21_small_256"
COMMAND = str(Path(sysconfig.get_path("scripts")) / "midas-client")


@pytest.fixture
def rocket(tmp_path: Path, photo: bytes) -> Path:
    path = tmp_path / "rocket.jpg"
    path.write_bytes(photo)
    return path


def test_default_output_is_a_16_bit_png_beside_the_photo(
    triton: Triton, rocket: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(rocket), "--model", MODEL, "--url", triton.grpc_url]) == 0
    saved = Image.open(rocket.with_name("rocket_depth.png"))
    assert saved.size == (640, 427)
    assert np.asarray(saved).dtype == np.uint16
    assert np.asarray(saved).max() == 65535
    printed = capsys.readouterr()
    assert "rocket_depth.png  640 x 427" in printed.out
    assert printed.err.count("warning: midas_v21_small_256 has untrained weights") == 1


def test_several_photos_into_a_folder_in_colour(
    triton: Triton, rocket: Path, photo: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    second = rocket.with_name("second.jpeg")
    second.write_bytes(photo)
    folder = rocket.parent / "new" / "folder"
    arguments = ["predict", str(rocket), str(second), "--model", MODEL, "-o", str(folder), "--colormap", "magma"]
    assert main([*arguments, "--url", f"http://{triton.http_url}", "--output-size", "network"]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["rocket_depth.png", "second_depth.png"]
    picture = Image.open(folder / "second_depth.png")
    assert picture.mode == "RGB"
    assert max(picture.size) == 256
    assert capsys.readouterr().err.count("untrained") == 1


def test_npy_and_json(triton: Triton, rocket: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = rocket.with_name("depth.npy")
    arguments = ["predict", str(rocket), "--model", MODEL, "-o", str(output), "--json"]
    arguments += ["--resolution", "128", "--aspect", "square"]
    assert main([*arguments, "--url", triton.grpc_url]) == 0
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


def test_one_bad_photo_does_not_stop_the_others(
    triton: Triton, rocket: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = rocket.with_name("notes.txt")
    text.write_text("once upon a time")
    arguments = ["predict", str(text), "missing.jpg", "https://example.org/a.jpg", str(rocket), "--json"]
    assert main([*arguments, "--url", triton.grpc_url]) == 1
    printed = capsys.readouterr()
    documents = [json.loads(line) for line in printed.out.splitlines()]
    errors = [document["error"]["type"] if "error" in document else None for document in documents]
    assert errors == ["InvalidRequestError", "PhotoError", "PhotoError", None]
    assert "Traceback" not in printed.err
    assert rocket.with_name("rocket_depth.png").exists()
    assert not rocket.with_name("notes_depth.png").exists()


def test_models(triton: Triton, models: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--url", triton.grpc_url]) == 0
    assert capsys.readouterr().out.split() == sorted(models)
    assert main(["models", "--json", "--url", f"http://{triton.http_url}"]) == 0
    assert json.loads(capsys.readouterr().out) == sorted(models)


def test_unknown_model_lists_models(
    triton: Triton, models: list[str], rocket: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(rocket), "--model", "midas_v99", "--url", triton.grpc_url]) == 1
    assert f"The server has: {', '.join(sorted(models))}" in capsys.readouterr().err


def test_output_that_cannot_be_written(triton: Triton, rocket: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocked = rocket.with_name("file")
    blocked.touch()
    assert main(["predict", str(rocket), "-o", f"{blocked}/depth.png", "--url", triton.grpc_url]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_no_server_ends_at_the_first_photo(dead_port: int, rocket: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["predict", str(rocket), str(rocket.with_name("b.jpg")), "--url", f"127.0.0.1:{dead_port}"]
    rocket.with_name("b.jpg").write_bytes(rocket.read_bytes())
    assert main([*arguments, "--timeout", "1"]) == 1
    printed = capsys.readouterr()
    assert printed.err.count("No connection to") == 1
    assert "Is the server running" in printed.err
    assert main(["models", "--url", f"http://127.0.0.1:{dead_port}", "--timeout", "0.5"]) == 1
    assert "No connection to" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "required"),
        (["predict"], "PHOTO"),
        (["predict", "a.jpg", "--resolution", "100"], "128 to 1280 in steps of 32"),
        (["predict", "a.jpg", "--resolution", "big"], "invalid int"),
        (["predict", "a.jpg", "--format", "jpeg"], "choose from"),
        (["predict", "a.jpg", "--colormap", "sunset"], "inferno"),
        (["predict", "a.jpg", "--model", ""], "must be a model's name"),
        (["predict", "a.jpg", "--url", "ftp://x"], "host:port for gRPC"),
        (["predict", "a.jpg", "--timeout", "0"], "above 0"),
        (["predict", "a.jpg", "-o", "depth.jpg"], ".png, .npy"),
        (["predict", "a.jpg", "-o", "depth.npy", "--colormap", "magma"], "colours cannot be written"),
        (["predict", "a.jpg", "b.jpg", "-o", "depth.png"], "Name a folder"),
        (["predict", "x/a.jpg", "y/a.jpg", "-o", "out/"], "both be written"),
        (["predict", "a.png", "-o", "a.png"], "overwrite the photo"),
    ],
)
def test_wrong_command_lines(arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert reason in printed.err
    assert printed.out == ""


def test_help_documents_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["predict", "--help"], ["models", "--help"]):
        assert main(arguments) == 0
        assert "exit codes: 0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("photos", "output", "files"),
    [
        (["p/a.jpg"], None, ["p/a_depth.png"]),
        (["p/a.jpg", "q/a.png"], None, ["p/a_depth.png", "q/a_depth.png"]),
        (["p/a.jpg"], "d.png", ["d.png"]),
        (["p/a.jpg"], "new", ["new/a_depth.png"]),
        (["p/a.jpg"], "v1.0/", ["v1.0/a_depth.png"]),
        (["p/a.tar.jpg", "b.webp"], "out", ["out/a.tar_depth.png", "out/b_depth.png"]),
    ],
)
def test_outputs(photos: list[str], output: str | None, files: list[str]) -> None:
    assert [str(job.output) for job in plan_jobs(photos, output, colour=False)] == files


def test_an_existing_folder_may_have_an_ending(tmp_path: Path) -> None:
    folder = tmp_path / "photos.png"
    folder.mkdir()
    (job,) = plan_jobs(["a.jpg"], str(folder), colour=False)
    assert job.output == folder / "a_depth.png"
    with pytest.raises(OptionError):
        plan_jobs(["a.jpg"], str(tmp_path / "depth.gif"), colour=False)


def test_installed_command() -> None:
    for command in ([COMMAND], [sys.executable, "-m", "midas_client"]):
        done = subprocess.run([*command, "--version"], check=True, capture_output=True, text=True)
        assert done.stdout == f"midas-client {__version__}\n"


def test_a_closed_pipe_is_no_traceback(triton: Triton, rocket: Path) -> None:
    with subprocess.Popen(
        [COMMAND, "predict", str(rocket), "--url", triton.grpc_url], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
    assert b"Traceback" not in errors
    assert b"Exception" not in errors
    assert process.returncode == 1
