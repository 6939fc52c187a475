"""How many photos a second one machine takes while its p99 stays within a limit: measured, or by a queueing model.

The model: photos come at random (Poisson), one machine answers them one after the other at the highest throughput that
it reached, and how long one takes is as random (M/M/1). Then of the waits W

    P(W > t) = load * exp(-throughput * (1 - load) * t),    W99 = ln(100 * load) / (throughput * (1 - load))

and the answer's p99 is taken for W99 plus the p99 of a photo that is alone. docs/capacity.md has the model beside what
was measured; above `TRUSTED` it was too far off, so no machine is given more load than that.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from benchmarks.record import Closed, Open, Row
from benchmarks.report.figures import load_of, overload

TRUSTED = 0.75
"""The highest load for which the model is used, as a share of the throughput."""

_STEPS = 1000


def p99_ms(rate: float, throughput: float, alone_ms: float) -> float:
    """The model's 99th percentile, in milliseconds.

    Args:
        rate: requests a second, below the throughput.
        throughput: the most photos a second that the machine reached.
        alone_ms: the 99th percentile of photos one at a time.
    """
    load = rate / throughput
    wait = math.log(100 * load) / (throughput * (1 - load)) if load > 0.01 else 0.0
    return alone_ms + 1000 * wait


def modelled_rate(throughput: float, alone_ms: float, limit_ms: float) -> float:
    """The highest rate at which the model keeps the limit, at most `TRUSTED` of the throughput; 0 if there is none."""
    rates = (throughput * TRUSTED * step / _STEPS for step in range(_STEPS, 0, -1))
    return next((rate for rate in rates if p99_ms(rate, throughput, alone_ms) <= limit_ms), 0.0)


def measured_rate(rows: Sequence[Row], limit_ms: float) -> float | None:
    """The highest rate of the open loops that kept the limit; None if there are none, or none kept it.

    Between the last that kept it and the first that did not the p99 is taken for a straight line.
    """
    opened = sorted(
        ((row.load.rate, row.p99_ms, row) for row in rows if isinstance(row.load, Open)), key=lambda each: each[0]
    )
    lost = overload([row for _, _, row in opened])
    followed = [(rate, p99) for rate, p99, row in opened if lost is None or rate < load_of(lost)]
    if not followed or followed[0][1] > limit_ms:
        return None
    for (kept, below), (missed, above) in pairwise(followed):
        if above > limit_ms:
            return kept + (limit_ms - below) / (above - below) * (missed - kept)
    return followed[-1][0]


def peak(rows: Sequence[Row]) -> tuple[float, float] | None:
    """(highest photos a second of the closed loops, p99 in ms of one at a time); None if one is not measured."""
    closed = [row for row in rows if isinstance(row.load, Closed)]
    alone = [row for row in closed if isinstance(row.load, Closed) and row.load.concurrency == 1]
    if not alone:
        return None
    return max(row.photos_per_second for row in closed), alone[0].p99_ms
