"""`midas-client video`."""

from __future__ import annotations

import builtins
import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from midas_client._cli import main
from midas_server.launch import Triton

FRAMES = 5


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A square that moves over a slope: 96 x 64, 10 frames a second."""
    path = tmp_path / "walk.mp4"
    write(path, FRAMES)
    return path


def write(path: Path, frames: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(frames):
            frame = np.tile(np.linspace(20, 200, 96, dtype=np.uint8)[None, :, None], (64, 1, 3))
            frame[20:40, 4 * (number % 16) :][:, :20] = (200, 40, 40)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


def read(path: Path) -> tuple[str, list[Any]]:
    """The codec, and the frames."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return stream.codec_context.name, [frame.to_ndarray() for frame in container.decode(stream)]


def test_to_a_coloured_video(triton: Triton, video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["video", str(video), "--url", triton.grpc_url]) == 0
    codec, frames = read(video.with_name("walk_depth.mp4"))
    assert (codec, len(frames)) == ("h264", FRAMES)
    assert frames[0].shape == (64 * 3 // 2, 96)  # yuv420p
    assert f"walk_depth.mp4  {FRAMES} frames, " in capsys.readouterr().out


def test_side_by_side_and_json(triton: Triton, video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = video.with_name("new") / "both.mkv"
    arguments = ["video", str(video), "-o", str(output), "--side-by-side", "--colormap", "turbo", "--json"]
    assert main([*arguments, "--smoothing", "0", "--url", f"http://{triton.http_url}"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["output"] == str(output)
    assert (document["frames"], document["size"], document["fps"]) == (FRAMES, [96, 64], 10.0)
    _, frames = read(output)
    assert frames[0].shape == (64 * 3 // 2, 192)


def test_to_16_bit_without_loss(triton: Triton, video: Path) -> None:
    output = video.with_name("depth.mkv")
    assert main(["video", str(video), "-o", str(output), "--depth16", "--url", triton.grpc_url]) == 0
    codec, frames = read(output)
    assert (codec, len(frames), frames[0].dtype, frames[0].shape) == ("ffv1", FRAMES, np.uint16, (64, 96))
    assert np.ptp(frames[0]) > 1000


@pytest.mark.parametrize(
    ("options", "ending", "mode"),
    [([], "png", "I;16"), (["--colormap", "magma"], "png", "RGB"), (["--save-as", "tif"], "tif", "F")],
)
def test_to_a_folder(triton: Triton, video: Path, options: list[str], ending: str, mode: str) -> None:
    folder = video.with_name("frames")
    assert main(["video", str(video), "-o", f"{folder}/", *options, "--url", triton.grpc_url]) == 0
    assert sorted(path.name for path in folder.iterdir()) == [f"{number:06d}.{ending}" for number in range(FRAMES)]
    with Image.open(folder / f"000003.{ending}") as picture:
        assert (picture.mode, picture.size) == (mode, (96, 64))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["{video}", "-o", "depth.avi"], ".mp4, .mkv"),
        (["{video}", "-o", "-"], "needs a name"),
        (["{video}", "-o", "{video}"], "overwrite the video"),
        (["{video}", "--smoothing", "1"], "below 1"),
        (["{video}", "--save-as", "npy"], "Name a folder"),
        (["{video}", "-o", "f/", "--save-as", "npy", "--colormap", "gray"], "Leave --colormap out"),
        (["{video}", "-o", "f/", "--side-by-side"], "--colormap"),
        (["{video}", "--side-by-side", "--output-size", "network"], "--output-size"),
        (["{video}", "--depth16"], ".mkv"),
        (["{video}", "-o", "d.mkv", "--depth16", "--side-by-side"], "grey"),
        (["{video}", "--format", "png8"], "invalid choice"),
    ],
)
def test_wrong_command_lines(
    arguments: list[str],
    reason: str,
    video: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(video.parent)
    assert main(["video", *(each.format(video=video) for each in arguments)]) == 2
    assert reason in capsys.readouterr().err
    assert [path.name for path in video.parent.iterdir()] == ["walk.mp4"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("missing.mp4", "no such file"), ("notes.mp4", "not a video"), ("photo.png", "Use midas-client predict")],
)
def test_a_file_that_is_no_video(name: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.mp4").write_text("once upon a time")
    Image.new("RGB", (4, 3)).save(tmp_path / "photo.png")
    assert main(["video", str(tmp_path / name), "--json"]) == 1
    out, err = capsys.readouterr()
    assert reason in err
    assert json.loads(out)["error"]["type"] == "PhotoError"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.mp4", "photo.png"]


def test_no_server(dead_port: int, video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["video", str(video), "--url", f"127.0.0.1:{dead_port}", "--timeout", "3", "--json"]
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert printed.err.count("frame 0: No connection to") == 1
    assert json.loads(printed.out)["error"]["type"] == "ConnectError"
    assert [path.name for path in video.parent.iterdir()] == ["walk.mp4"]


def test_a_video_that_ends_early_gives_what_there_is(
    triton: Triton, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, cut = tmp_path / "whole.mkv", tmp_path / "cut.mkv"
    write(whole, 12)
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    code = main(["video", str(cut), "-o", str(tmp_path / "depth.mkv"), "--url", triton.grpc_url])
    errors = capsys.readouterr().err
    # A Matroska file does not say how many frames it has, so a cut between two frames cannot be told.
    assert (code, "decoded" in errors) in ((1, True), (0, False))
    _, frames = read(tmp_path / "depth.mkv")
    assert 0 < len(frames) < 12


def test_without_pyav(video: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    real_import = builtins.__import__

    def without_av(name: str, *rest: Any, **named: Any) -> Any:
        if name == "av":
            raise ImportError("No module named 'av'")
        return real_import(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without_av)
    assert main(["video", str(video)]) == 2
    assert "pip install 'midas-client[video]'" in capsys.readouterr().err


def test_interrupted(triton: Triton, command: str, tmp_path: Path) -> None:
    """No half of a video is left."""
    write(tmp_path / "long.mp4", 600)
    arguments = [command, "video", str(tmp_path / "long.mp4"), "--url", triton.grpc_url]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not any(path.name.startswith(".") for path in tmp_path.iterdir()):
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert [path.name for path in tmp_path.iterdir()] == ["long.mp4"]
