"""What a load generator saw from the client's side."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """One measurement under one load.

    `photos_per_second` counts the answers that came within the measured time. Latencies are in milliseconds, until
    the answer is there, of answered requests only. `refused` is the share of requests that the server refused, None
    where the generator ends with the first refusal, and `refused_p99_ms` how long 99 % of the refusals took at most.
    """

    photos_per_second: float
    mean_ms: float
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    refused: float | None = None
    refused_p99_ms: float | None = None
