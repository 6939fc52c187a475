"""Triton's own account of where the time went, step by step."""

from dataclasses import dataclass

from benchmarks.record import Step


@dataclass(frozen=True)
class StepCounters:
    """A model's counters since it was loaded: requests answered, executions, and nanoseconds summed over requests.

    `copy_ns` is what moving inputs and outputs took, which Triton counts apart from the computing itself.
    """

    requests: int
    executions: int
    queue_ns: int
    compute_ns: int
    copy_ns: int


def step_time(step: str, before: StepCounters, after: StepCounters) -> Step:
    """Return what happened between two readings of a step's counters; all zero when no request was answered.

    A photo in a batch of n is charged the whole execution of that batch, as the photo waits for it:
    `compute_ms` is latency, not the step's share of the machine.
    """
    photos = after.requests - before.requests
    executions = after.executions - before.executions
    if photos <= 0 or executions <= 0:
        return Step(step=step, queue_ms=0.0, compute_ms=0.0, copy_ms=0.0, batch=0.0)
    return Step(
        step=step,
        queue_ms=(after.queue_ns - before.queue_ns) / photos / 1e6,
        compute_ms=(after.compute_ns - before.compute_ns) / photos / 1e6,
        copy_ms=(after.copy_ns - before.copy_ns) / photos / 1e6,
        batch=photos / executions,
    )
