"""A random step is killed every few seconds under load: no request is lost, and nearly all succeed by retries."""

import random
import threading
import time
from collections import Counter
from contextlib import suppress

import psutil
import pytest

from midas_client import DepthClient, MidasClientError
from midas_server.launch import Triton
from tests.networks import DEFAULT
from tests.server.serve_while import serve_while
from tests.server.step_processes import step_processes

CLIENTS = 8
DEADLINE = 30.0


def kill_now_and_then(server: Triton, dice: random.Random, stop: threading.Event, killed: list[int]) -> None:
    while not stop.wait(dice.uniform(3, 7)):
        # The watchdog ends what is left of replaced steps, and a server that is started again has no step yet.
        with suppress(psutil.NoSuchProcess, RuntimeError, IndexError):
            victim = dice.choice(step_processes(server))
            victim.kill()
            killed.append(victim.pid)


def ask(url: str, photo: bytes, stop: threading.Event, outcomes: list[tuple[str, float]]) -> None:
    """Send photos until the end; note each outcome and how long it took."""
    with DepthClient(url, timeout=DEADLINE) as client:
        while not stop.is_set():
            started = time.monotonic()
            try:
                depth_map = client.predict(photo, model=DEFAULT, output_size="network")
                outcome = "answered" if depth_map.depth.size else "empty"
            except MidasClientError as error:
                outcome = type(error).__name__
            outcomes.append((outcome, time.monotonic() - started))


def chaos(server: Triton, photo: bytes, seconds: float, seed: int) -> Counter[str]:
    """Half of the clients over gRPC, half over HTTP; returns what became of their requests."""
    dice = random.Random(seed)  # noqa: S311  (a choice of victims, not of secrets)
    stop = threading.Event()
    outcomes: list[tuple[str, float]] = []
    killed: list[int] = []
    urls = [server.grpc_url, f"http://{server.http_url}"] * (CLIENTS // 2)
    threads = [threading.Thread(target=ask, args=(url, photo, stop, outcomes)) for url in urls]
    killer = threading.Thread(target=kill_now_and_then, args=(server, dice, stop, killed))
    for thread in (*threads, killer):
        thread.start()
    time.sleep(seconds)
    stop.set()
    for thread in (*threads, killer):
        thread.join(DEADLINE + 5)
        assert not thread.is_alive(), "a request has neither an answer nor an error after its deadline"
    counts = Counter(outcome for outcome, _ in outcomes)
    longest = max(took for _, took in outcomes)
    print(f"{len(killed)} steps killed; {dict(counts)}; the longest request took {longest:.1f} s")
    assert killed
    assert longest < DEADLINE + 1
    return counts


@pytest.mark.long
def test_steps_die_for_a_minute(server: Triton, photo: bytes) -> None:
    # Triton 24.10 itself may abort of a step's end; then it is started again.
    serve_while(server, lambda: die_for_a_minute(server, photo))


def die_for_a_minute(server: Triton, photo: bytes) -> None:
    counts = chaos(server, photo, seconds=60, seed=0)
    assert counts["answered"] >= 0.97 * sum(counts.values()), counts
    # And afterwards everything is as before.
    with DepthClient(server.grpc_url) as client:
        for _ in range(20):
            assert client.predict(photo, model=DEFAULT).depth.shape == (427, 640)
