"""`midas-client` as a whole: help, exit codes, pipes, interruptions."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from midas_client import __version__
from midas_client._cli import main
from midas_server.launch import Triton

COMMANDS = ("predict", "video", "models", "status", "bench")


def test_installed_command(command: str) -> None:
    for start in ([command], [sys.executable, "-m", "midas_client"]):
        done = subprocess.run([*start, "--version"], check=True, capture_output=True, text=True)
        assert done.stdout == f"midas-client {__version__}\n"


def test_help_fits_and_documents_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], *([command] for command in COMMANDS)):
        assert main([*arguments, "--help"]) == 0
        text = capsys.readouterr().out
        assert "exit codes:\n  0 " in text
        assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "required"),
        (["depth"], "invalid choice"),
        (["models", "--jso"], "unrecognized arguments"),
        (["models", "--url", "ftp://x"], "host:port for gRPC"),
        (["models", "--timeout", "0"], "above 0"),
        (["models", "--timeout", "nan"], "above 0"),
    ],
)
def test_wrong_command_lines(arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert reason in printed.err
    assert printed.out == ""


def test_a_closed_pipe_is_no_traceback(triton: Triton, command: str, rocket: Path) -> None:
    with subprocess.Popen(
        [command, "predict", str(rocket), "--url", triton.grpc_url], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
    assert b"Traceback" not in errors
    assert b"Exception" not in errors
    assert process.returncode == 1


def test_interrupted_while_it_writes(triton: Triton, command: str, photo: bytes, tmp_path: Path) -> None:
    """Complete files or none, and the code of an interruption."""
    folder, out = tmp_path / "photos", tmp_path / "out"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number}.jpg").write_bytes(photo)
    arguments = [command, "predict", str(folder), "-o", str(out), "--save-as", "npy", "--url", triton.grpc_url]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert " not done; " in errors
    files = list(out.iterdir())
    assert 0 < len(files) < 300
    assert {(path.suffix, path.stat().st_size) for path in files} == {(".npy", 640 * 427 * 4 + 128)}


@pytest.mark.parametrize("scheme", ["", "http://"])
@pytest.mark.parametrize("arguments", [["predict", "{photo}"], ["bench", "{photo}"], ["models"]])
def test_interrupted_while_it_waits(
    serve_sockets: Callable[..., Any], command: str, rocket: Path, scheme: str, arguments: list[str]
) -> None:
    """A server that never answers does not hold the command back."""
    asked, over = threading.Event(), threading.Event()

    def silent(connection: socket.socket, _number: int) -> None:
        connection.recv(1)
        asked.set()
        over.wait()

    with serve_sockets(silent) as port:
        line = [command, *(each.format(photo=rocket) for each in arguments)]
        line += ["--url", f"{scheme}127.0.0.1:{port}", "--timeout", "3600"]
        with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert asked.wait(60)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        over.set()
    assert process.returncode == 130
    assert "Traceback" not in errors


def test_a_terminal_shows_a_bar_for_many_photos(triton: Triton, command: str, album: Path) -> None:
    """Instead of a line for each; errors stand above it."""
    (album / "trip" / "bad.jpg").write_text("once upon a time")
    arguments = [command, "predict", str(album), "-r", "-o", str(album.parent / "out"), "--url", triton.grpc_url]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    with subprocess.Popen(arguments, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        text = b""
        while True:
            try:
                text += os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
    os.close(ours)
    assert process.returncode == 1
    assert b"photo/s" in text
    assert b"->" not in text
    assert text.count(b"bad.jpg: this is not a photo") == 1
    assert b"5 photos: 4 written, 1 failed; " in text


def test_names_that_the_terminal_cannot_show(triton: Triton, command: str, photo: bytes, tmp_path: Path) -> None:
    path = tmp_path / "caf\u00e9 \u6df1.jpg"
    path.write_bytes(photo)
    arguments = [command, "predict", str(path), "missing \u6df1.jpg", "--url", triton.grpc_url]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(arguments, capture_output=True, check=False, env=environment)
    assert done.returncode == 1
    assert b"caf\\xe9" in done.stdout
    assert b"Traceback" not in done.stderr
    assert (tmp_path / "caf\u00e9 \u6df1_depth.png").exists()
