"""The difference between two readings of Triton's counters."""

import pytest

from benchmarks.measure.statistics import StepCounters, step_time
from benchmarks.record import Step

MS = 1_000_000


def test_only_what_happened_in_between_counts() -> None:
    before = StepCounters(requests=100, executions=80, queue_ns=900 * MS, compute_ns=5000 * MS, copy_ns=20 * MS)
    after = StepCounters(requests=140, executions=90, queue_ns=980 * MS, compute_ns=5400 * MS, copy_ns=30 * MS)
    expected = Step(step="network", queue_ms=2.0, compute_ms=10.0, copy_ms=0.25, batch=4.0)
    assert step_time("network", before, after) == expected


@pytest.mark.parametrize("after", [(7, 3, 9 * MS, 9 * MS, MS), (0, 0, 0, 0, 0)], ids=["idle", "reloaded"])
def test_no_request_in_between_is_zero(after: tuple[int, int, int, int, int]) -> None:
    before = StepCounters(7, 3, 9 * MS, 9 * MS, MS)
    nothing = Step(step="network", queue_ms=0.0, compute_ms=0.0, copy_ms=0.0, batch=0.0)
    assert step_time("network", before, StepCounters(*after)) == nothing
