"""What the launcher says of itself at the health port."""

from pathlib import Path

import requests

from midas_server.launch import Triton
from midas_server.launch.health import serve_health


def test_one_that_is_about_to_stop_wants_no_more(tmp_path: Path) -> None:
    server = Triton(tmp_path, ["midas_tiny_256"])
    with serve_health("127.0.0.1", 0, server.health) as port:
        url = f"http://127.0.0.1:{port}/readyz"
        assert requests.get(url, timeout=10).json()["server"] == "starting"
        server.drain(0)
        answer = requests.get(url, timeout=10)
    assert (answer.status_code, answer.json()["server"]) == (503, "stopping")
