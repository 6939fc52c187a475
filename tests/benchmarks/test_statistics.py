"""The difference between two readings of Triton's counters."""

import pytest

from benchmarks.statistics import StepCounters, StepTime, step_time

MS = 1_000_000


def test_only_what_happened_in_between_counts() -> None:
    before = StepCounters(requests=100, executions=80, queue_ns=900 * MS, compute_ns=5000 * MS)
    after = StepCounters(requests=140, executions=90, queue_ns=980 * MS, compute_ns=5400 * MS)
    assert step_time("network", before, after) == StepTime("network", 40, queue_ms=2.0, compute_ms=10.0, batch=4.0)


@pytest.mark.parametrize("after", [(7, 3, 9 * MS, 9 * MS), (0, 0, 0, 0)], ids=["idle", "reloaded, counting anew"])
def test_no_request_in_between_is_zero(after: tuple[int, int, int, int]) -> None:
    before = StepCounters(7, 3, 9 * MS, 9 * MS)
    assert step_time("network", before, StepCounters(*after)) == StepTime("network", 0, 0.0, 0.0, 0.0)
