"""What the launcher says of itself at the health port."""

import socket
import struct
import threading
from pathlib import Path

import pytest
import requests

from midas_server.launch import Triton
from midas_server.launch.health import ServerHealth, serve_health


def test_one_that_is_about_to_stop_wants_no_more(tmp_path: Path) -> None:
    server = Triton(tmp_path, ["midas_tiny_256"])
    with serve_health("127.0.0.1", 0, server.health) as port:
        url = f"http://127.0.0.1:{port}/readyz"
        assert requests.get(url, timeout=10).json()["server"] == "starting"
        server.drain(0)
        answer = requests.get(url, timeout=10)
    assert (answer.status_code, answer.json()["server"]) == (503, "stopping")


def test_a_probe_that_hangs_up_leaves_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    asked, gone = threading.Event(), threading.Event()

    def ask() -> ServerHealth:
        asked.set()
        assert gone.wait(30)
        return ServerHealth("ready", {})

    with serve_health("127.0.0.1", 0, ask) as port:
        with socket.create_connection(("127.0.0.1", port)) as probe:
            probe.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert asked.wait(30)
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close with a reset
        gone.set()
        for thread in threading.enumerate():
            if "process_request_thread" in thread.name:
                thread.join(30)
    assert capsys.readouterr().err == ""
