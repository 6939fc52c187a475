"""A step that dies is replaced while the server goes on."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from midas_server.launch import Triton
from tests.networks import VARIANT
from tests.server.step_processes import step_processes

# It takes a second or two; how long at most, under load, the chaos test tells.
PATIENCE = 30.0


@pytest.fixture(scope="module")
def server(repository: Path) -> Iterator[Triton]:
    """A server of this module's own: its steps are going to be killed."""
    with Triton(repository, [VARIANT], http_port=0, grpc_port=0, metrics_port=0, exit_timeout=2) as triton:
        yield triton


def status_of_request(server: Triton, photo: bytes) -> int:
    url = f"http://{server.http_url}/v2/models/{VARIANT}/infer"
    return requests.post(url, photo, headers={"Inference-Header-Content-Length": "0"}, timeout=30).status_code


@pytest.mark.parametrize(
    "model", [f"{VARIANT}_preprocess", "postprocess", f"{VARIANT}_network", f"{VARIANT}_preprocess"]
)
def test_a_killed_step_is_replaced(server: Triton, photo: bytes, model: str) -> None:
    assert status_of_request(server, photo) == 200
    before = set(step_processes(server, model))
    next(iter(before)).kill()
    deadline = time.monotonic() + PATIENCE
    # Its neighbour is replaced with it, and answers until then.
    while len(now := set(step_processes(server, model))) < len(before) or now & before:
        assert time.monotonic() < deadline, f"{model} was not replaced within {PATIENCE} s"
        time.sleep(0.05)
    assert status_of_request(server, photo) == 200
