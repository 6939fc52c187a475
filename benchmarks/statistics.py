"""Triton's own account of where the time went, step by step."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StepCounters:
    """A model's counters since it was loaded: requests answered, executions, and nanoseconds summed over requests."""

    requests: int
    executions: int
    queue_ns: int
    compute_ns: int


@dataclass(frozen=True)
class StepTime:
    """What one step took between two readings, per photo; ``batch`` is how many photos one execution held."""

    step: str
    photos: int
    queue_ms: float
    compute_ms: float
    batch: float


def step_time(step: str, before: StepCounters, after: StepCounters) -> StepTime:
    """Return what happened between two readings of a step's counters; all zero when no request was answered.

    A photo in a batch of n is charged the whole execution of that batch, as the photo waits for it:
    ``compute_ms`` is latency, not the step's share of the machine.
    """
    photos = after.requests - before.requests
    executions = after.executions - before.executions
    if photos <= 0 or executions <= 0:
        return StepTime(step, 0, 0.0, 0.0, 0.0)
    return StepTime(
        step,
        photos,
        queue_ms=(after.queue_ns - before.queue_ns) / photos / 1e6,
        compute_ms=(after.compute_ns - before.compute_ns) / photos / 1e6,
        batch=photos / executions,
    )
