"""Requests at a rate: when they are sent, and what is made of the answers."""

import pytest

from benchmarks.errors import BenchmarkError, TooShort
from benchmarks.load.arrivals import intervals, poisson
from benchmarks.load.open_loop import Reply, measure, open_loop, percentile, request_of
from benchmarks.load.photo import jpeg
from midas_server.launch import Triton
from tests.networks import VARIANT


@pytest.mark.parametrize(("rate", "seconds"), [(200.0, 10.0), (7.3, 3.0), (0.1, 1.0)])
def test_arrivals_are_as_many_as_the_rate_says(rate: float, seconds: float) -> None:
    times = poisson(rate, seconds)
    assert len(times) == max(1, round(rate * seconds))
    assert times == sorted(times)
    assert 0 <= times[0] <= times[-1] <= seconds
    assert times == poisson(rate, seconds)


def test_arrivals_are_as_irregular_as_a_poisson_process() -> None:
    waits = intervals(poisson(100.0, 40.0), 40.0)
    mean = sum(waits) / len(waits)
    deviation = (sum((wait - mean) ** 2 for wait in waits) / len(waits)) ** 0.5
    assert deviation / mean == pytest.approx(1.0, abs=0.1)


def test_intervals_last_as_long_as_the_arrivals() -> None:
    assert intervals([1.0, 1.5, 4.0], 10.0) == [7.0, 0.5, 2.5]
    assert sum(intervals(poisson(20.0, 5.0), 5.0)) == pytest.approx(5.0)


def test_only_the_measured_time_counts() -> None:
    replies = [
        Reply(due=0.5, done=1.5, refused=False),  # due before: its answer counts for the throughput only
        Reply(due=1.0, done=1.2, refused=False),
        Reply(due=1.5, done=1.51, refused=True),
        Reply(due=2.0, done=2.4, refused=False),
        Reply(due=2.9, done=3.9, refused=False),  # answered after: it counts for the latency only
    ]
    measured = measure(replies, 1.0, 3.0)
    assert measured.photos_per_second == pytest.approx(3 / 2)
    assert measured.mean_ms == pytest.approx((200 + 400 + 1000) / 3)
    assert measured.p50_ms == pytest.approx(400)
    assert measured.p99_ms == pytest.approx(1000)
    assert measured.refused == pytest.approx(1 / 4)
    assert measured.refused_p99_ms == pytest.approx(10)


def test_nothing_answered_is_too_short() -> None:
    with pytest.raises(TooShort, match="--seconds"):
        measure([Reply(due=0.5, done=0.6, refused=False), Reply(due=1.5, done=1.6, refused=True)], 1.0, 2.0)


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(value) for value in range(1, 201)]
    assert [percentile(values, percent) for percent in (0, 50, 99, 100)] == [1.0, 100.0, 198.0, 200.0]
    assert percentile([7.0], 99) == 7.0


def test_a_burst_that_is_too_much_is_refused_in_part_and_answered_in_part(triton: Triton) -> None:
    request = request_of(VARIANT, jpeg(640, 480), {"output_size": "network"})
    # About 60 requests fit into the steps' queues, and one process decodes all photos.
    measured = open_loop(triton.grpc_url, request, rate=800.0, seconds=0.4, unmeasured=0.0)
    assert measured.refused is not None
    assert 0.1 < measured.refused < 1
    assert measured.refused_p99_ms is not None
    assert 0 < measured.p50_ms <= measured.p90_ms <= measured.p95_ms <= measured.p99_ms


def test_another_failure_is_told_in_the_servers_words(triton: Triton) -> None:
    request = request_of(VARIANT, b"this is not a photo", {})
    with pytest.raises(BenchmarkError, match="the server failed a request of the open loop: in ensemble"):
        open_loop(triton.grpc_url, request, rate=20.0, seconds=0.5, unmeasured=0.0)
