"""`midas-client bench`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from midas_client._cli import main
from midas_server.launch import Triton


def test_a_made_up_photo(triton: Triton, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "-n", "3", "--output-size", "network", "--url", triton.grpc_url]) == 0
    text = capsys.readouterr().out
    assert "1920 x 1080" in text
    assert "3 requests, 0 failed, 1 at a time" in text
    for name in ("photos/s", "p50 ms", "p90 ms", "p95 ms", "p99 ms", "preprocess", "network", "postprocess"):
        assert f"\n{name} " in text


def test_json(triton: Triton, rocket: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["bench", str(rocket), "--seconds", "0.5", "--concurrency", "3", "--format", "png16", "--json"]
    assert main([*arguments, "--url", f"http://{triton.http_url}"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["photo_size"] == [640, 427]
    assert document["photo_bytes"] == rocket.stat().st_size
    assert document["options"]["format"] == "png16"
    assert document["requests"] >= 3  # each thread sends one at least
    assert document["failed"] == 0
    assert document["errors"] == {}
    milliseconds = document["milliseconds"]
    assert 0 < milliseconds["p50"] <= milliseconds["p90"] <= milliseconds["p99"] <= milliseconds["max"]
    assert sum(document["server_milliseconds"].values()) < milliseconds["max"] * 1.01


def test_errors(triton: Triton, rocket: Path, dead_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    rocket.write_text("once upon a time")
    assert main(["bench", str(rocket), "--url", triton.grpc_url]) == 1
    assert "not a photo" in capsys.readouterr().err
    assert main(["bench", "--url", f"127.0.0.1:{dead_port}"]) == 1
    assert capsys.readouterr().err.count("No connection to") == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["missing.jpg"], "No such file"),
        (["-n", "0"], "above 0"),
        (["--seconds", "0"], "above 0"),
        (["--seconds", "1", "-n", "5"], "not allowed with"),
        (["--concurrency", "0"], "1 to 1024"),
    ],
)
def test_wrong_command_lines(arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *arguments]) == 2
    assert reason in capsys.readouterr().err
