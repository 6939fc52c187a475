"""Records what a real Triton's metrics pages say, for tests/deploy/test_rules.py.

python -m tests.deploy.record idle|light|overload     writes tests/deploy/recordings/NAME.json
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import requests
import skimage

from midas_server.launch import Triton
from tests.deploy.series import INTERVAL, RECORDINGS, read_page
from tests.networks import DEFAULT, ROOT
from tests.own_server import own_server
from tests.server.load import Load

CLIENTS = 64
BEFORE = 3
"""Pages before the load begins."""

KEPT = ("nv_inference_queue_duration_us", "nv_inference_request_", "midas_network_seconds_bucket", "midas_launcher_")
KEPT_WHOLE = ("midas_refused_requests_total", "midas_postprocess_seconds_count")


def idle(load: Load, photo: bytes, stop: threading.Event) -> None:
    """Nobody asks."""


def light(load: Load, photo: bytes, stop: threading.Event) -> None:
    """0.2 requests a second."""
    while not stop.wait(5):
        load.send(photo)


def overload(load: Load, photo: bytes, stop: threading.Event) -> None:
    """More callers than the queues hold, who ask again at once when they are refused."""

    def ask() -> None:
        while not stop.is_set():
            load.send(photo)

    for _ in range(CLIENTS):
        threading.Thread(target=ask, daemon=True).start()


PHASES: dict[str, tuple[Callable[[Load, bytes, threading.Event], None], int]] = {
    "idle": (idle, 12),
    "light": (light, 20),
    "overload": (overload, 24),
}
"""By name what to do, and how many pages to read."""


def record(server: Triton, act: Callable[[Load, bytes, threading.Event], None], pages: int) -> dict[str, list[float]]:
    """The series of so many pages; the load begins after `BEFORE` of them."""
    photo = (Path(skimage.__file__).parent / "data" / "rocket.jpg").read_bytes()
    series: dict[str, list[float]] = {}
    stop = threading.Event()
    started = time.monotonic()
    with Load(server, DEFAULT) as load:
        load.send(photo)  # its metrics have their labels from the first photo on
        for number in range(pages):
            if number == BEFORE:
                threading.Thread(target=act, args=(load, photo, stop), daemon=True).start()
            time.sleep(max(0.0, started + number * INTERVAL - time.monotonic()))
            for url in (server.metrics_url, server.health_url):
                for name, value in read_page(requests.get(f"http://{url}/metrics", timeout=60).text).items():
                    if name.startswith(KEPT) or name.partition("{")[0] in KEPT_WHOLE:
                        series.setdefault(name, []).append(value)
        stop.set()
        time.sleep(5)  # what is under way is answered
    return series


def main() -> None:
    """Record what the command line names."""
    (name,) = sys.argv[1:]
    act, pages = PHASES[name]
    with own_server(ROOT / "model_repository", [DEFAULT], health_port=0) as server:
        series = record(server, act, pages)
    RECORDINGS.mkdir(exist_ok=True)
    lines = [f"  {json.dumps(key)}: {json.dumps(values)}" for key, values in sorted(series.items())]
    (RECORDINGS / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
