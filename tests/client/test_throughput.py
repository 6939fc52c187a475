"""Ten thousand photos through one call: memory stays flat, and the server is as busy as perf_analyzer keeps it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from statistics import median

import psutil
import pytest

from benchmarks.load.perf_analyzer import PerfAnalyzer
from benchmarks.load.photo import jpeg, write_input_data
from benchmarks.record import Closed
from midas_client import DepthClient
from midas_server.launch import Triton
from tests.networks import DEFAULT

CONCURRENCY = 16
ROUNDS = 10
PHOTOS_A_ROUND = 1000
SECONDS = 12.0


@pytest.mark.long
def test_ten_thousand_photos(server: Triton, tmp_path: Path) -> None:
    photo = jpeg(256, 256)
    data = tmp_path / "photo.json"
    write_input_data(photo, data)
    perf_analyzer = PerfAnalyzer()
    process = psutil.Process(os.getpid())
    ratios: list[float] = []
    memory: list[int] = []
    with DepthClient(server.grpc_url) as client:

        def photos_per_second() -> float:
            start = time.monotonic()
            for prediction in client.predict_many(
                (photo for _ in range(PHOTOS_A_ROUND)), concurrency=CONCURRENCY, model=DEFAULT
            ):
                assert prediction.result().depth.shape == (256, 256)
            return PHOTOS_A_ROUND / (time.monotonic() - start)

        # In turn, so that a busy moment of the machine is both's.
        for number in range(ROUNDS):
            theirs = perf_analyzer.measure(
                DEFAULT, url=server.grpc_url, input_data=data, load=Closed(concurrency=CONCURRENCY), seconds=SECONDS
            ).photos_per_second
            ours = photos_per_second()
            ratios.append(ours / theirs)
            memory.append(process.memory_info().rss)
            print(
                f"{number + 1}: predict_many {ours:.1f} photos/s, perf_analyzer {theirs:.1f}, ratio {ratios[-1]:.2f}; "
                f"{memory[-1] / 1e6:.0f} MB"
            )
    print(f"ratio, median of {ROUNDS}: {median(ratios):.3f}; memory after the second thousand and the tenth: ", end="")
    print(f"{memory[1] / 1e6:.0f} MB, {memory[-1] / 1e6:.0f} MB")
    assert memory[-1] < 1.05 * memory[1]
    assert median(ratios) >= 0.9
