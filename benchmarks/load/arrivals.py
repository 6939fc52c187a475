"""When an open loop sends its requests."""

import random
from collections.abc import Sequence
from itertools import pairwise

_SEED = 20221109


def poisson(rate: float, seconds: float) -> list[float]:
    """Return the times of a Poisson process within `seconds`, in order: `rate` a second, at least one.

    They are those of a process that had exactly as many arrivals as it has on average: given their number, a Poisson
    process's arrivals are spread evenly over the time at random. So a short measurement has the rate that it is told,
    and the times are the same in every run.
    """
    chance = random.Random(_SEED)  # noqa: S311  (it guards nothing)
    return sorted(chance.uniform(0.0, seconds) for _ in range(max(1, round(rate * seconds))))


def intervals(times: Sequence[float], seconds: float) -> list[float]:
    """Return the waits before each of `times`, when they are repeated every `seconds`; their sum is `seconds`."""
    return [times[0] + seconds - times[-1], *(later - earlier for earlier, later in pairwise(times))]
