"""`midas-client models`."""

from __future__ import annotations

import json

import pytest

from midas_client._cli import main
from midas_server.launch import Triton


def test_names(triton: Triton, models: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--url", triton.grpc_url]) == 0
    assert capsys.readouterr().out.split() == sorted(models)
    assert main(["models", "--json", "--url", f"http://{triton.http_url}"]) == 0
    assert json.loads(capsys.readouterr().out) == sorted(models)


def test_statistics(triton: Triton, models: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--statistics", "--url", triton.grpc_url]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:5]] == [sorted(models)[0], "preprocess", "network", "postprocess"]
    assert len(lines) == 1 + 4 * len(models)
    assert len({len(line) for line in lines if line.startswith("  ")}) == 1
    assert main(["models", "--statistics", "--json", "--url", triton.grpc_url]) == 0
    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [document["model"] for document in documents] == sorted(models)
    assert {"requests", "failed", "milliseconds"} < set(documents[0])
    assert {"name", "executions", "queue_milliseconds"} < set(documents[0]["steps"][0])


def test_no_server(dead_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--url", f"http://127.0.0.1:{dead_port}", "--timeout", "3", "--json"]) == 1
    printed = capsys.readouterr()
    assert "No connection to" in printed.err
    assert json.loads(printed.out)["error"]["type"] == "ConnectError"
