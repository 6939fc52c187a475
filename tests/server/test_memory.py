"""The worst mix of requests that the limits allow stays within the memory that docs/serving.md names."""

import io
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from PIL import Image

from midas_server.launch import Triton
from tests.networks import DEFAULT
from tests.server.load import ANSWERED, FULL, Load
from tests.server.memory import private_bytes, region_bytes

# docs/serving.md, "Memory": what the server and its steps may take together, for one network.
BUDGET = 16e9
BUDGET_OF_REGIONS = 2e9
CLIENTS = 16
REQUESTS = 48
DEADLINE = 600.0  # a busy machine may need minutes for these


def enlarged(photo: bytes, size: tuple[int, int], length: int = 0, kind: str = "JPEG") -> bytes:
    """The photo at another size, and with bytes behind its end that nobody reads, up to a length."""
    file = io.BytesIO()
    Image.open(io.BytesIO(photo)).convert("RGB").resize(size).save(file, kind, **({"quality": 90}))
    return file.getvalue().ljust(length, b"\0")


def worst(photo: bytes) -> list[tuple[bytes, Mapping[str, Any]]]:
    """Each kind costs the most somewhere: bytes, pixels to decode, a guide, a float map, a large network's input."""
    sixteen = enlarged(photo, (4898, 3265), length=31_900_000)
    largest = enlarged(photo, (9792, 6528))
    return [
        (sixteen, {"filter": "guided"}),
        (sixteen, {"format": "float32", "resolution": 1280, "aspect": "square"}),
        (largest, {"format": "png16"}),
        (largest, {"format": "color_png"}),
        (enlarged(photo, (9792, 6528), kind="PNG"), {"output_size": "network", "resolution": 1280, "aspect": "square"}),
        (sixteen, {"filter": "crf", "format": "float16"}),
    ]


def taken(server: Triton) -> tuple[int, int]:
    return private_bytes(server), region_bytes()


@pytest.mark.long
def test_the_worst_mix_fits_the_budget(server: Triton, photo: bytes) -> None:
    kinds = worst(photo)
    idle = taken(server)
    peaks = [0, 0, 0]
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.1):
            private, regions = taken(server)
            for index, value in enumerate((private, regions, private + regions)):
                peaks[index] = max(peaks[index], value)

    watcher = threading.Thread(target=watch)
    watcher.start()
    with Load(server, DEFAULT) as load:
        outcomes = load.crowd((kinds[number % len(kinds)] for number in range(REQUESTS)), CLIENTS, deadline=DEADLINE)
        assert load.send(photo, deadline=DEADLINE).status == ANSWERED
    stop.set()
    watcher.join()
    counts = Counter(outcome.status for outcome in outcomes)
    after = taken(server)
    print(
        f"{dict(counts)}; private MB {idle[0] / 1e6:.0f} idle, {peaks[0] / 1e6:.0f} most, {after[0] / 1e6:.0f} after; "
        f"shared {idle[1] / 1e6:.0f}, {peaks[1] / 1e6:.0f}, {after[1] / 1e6:.0f}; together {peaks[2] / 1e6:.0f} at most"
    )
    assert set(counts) <= {ANSWERED, FULL}
    assert counts[ANSWERED] >= REQUESTS / 4  # the others have waited too long behind these
    assert peaks[2] < BUDGET
    assert peaks[1] < BUDGET_OF_REGIONS
