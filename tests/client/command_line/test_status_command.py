"""`midas-client status`."""

from __future__ import annotations

import json

import pytest

from midas_client._cli import main
from midas_server.launch import Triton


def test_ready(triton: Triton, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--url", triton.grpc_url]) == 0
    assert capsys.readouterr().out.startswith(f"{triton.grpc_url} is ready. Triton 2.")
    assert main(["status", "--json", "--wait", "5", "--url", f"http://{triton.http_url}"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["live"], document["ready"], document["detail"]) == (True, True, "")
    assert document["version"].startswith("2.")


def test_no_server(dead_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--url", f"127.0.0.1:{dead_port}"]) == 1
    assert "gives no answer: No connection to" in capsys.readouterr().out
    assert main(["status", "--url", f"127.0.0.1:{dead_port}", "--wait", "0.3", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["live"], document["ready"], document["version"]) == (False, False, None)


def test_wrong_wait(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--wait", "-1"]) == 2
    assert "above 0" in capsys.readouterr().err
