"""When to try again, and after which pause.

Exponential back-off with full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): the
pause is uniform between 0 and a bound that doubles with every failure up to a cap, so that clients which failed
together do not come back together. Nothing here sleeps or sends.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from midas_client._errors import ConnectError, DeadlineExceededError, MidasClientError
from midas_client._timeout import Timeout

# With these, the pauses add up to 3.5 s on average: enough to outlast the replacement of a dead step (3 s).
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 2.0
DEFAULT_RETRIES = 6


class Attempts:
    """The attempts of one call: how much time the next one has, and whether there is a next one.

    clock gives seconds, uniform(a, b) a random number between a and b; tests replace them.
    """

    def __init__(
        self,
        timeout: Timeout,
        retries: int,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._clock = clock
        self._uniform = uniform
        self._start = clock()
        self._timeout = timeout
        self._retries = retries
        self._failures = 0

    def remaining(self) -> float:
        """Seconds that are left of the total. Raises DeadlineExceededError when none are."""
        left = self._start + self._timeout.total - self._clock()
        if left <= 0:
            raise DeadlineExceededError(f"The {self._timeout.total:g} s of this call have passed")
        return left

    def pause_after(self, error: MidasClientError) -> float:
        """Seconds to wait after this error before the next attempt. Raises the error when it is final.

        It is final when its kind is not worth another attempt, when the retries are used up, or when the time would be:
        total, or connect for an error without a connection (a host that drops packets has used that up already).
        """
        self._failures += 1
        if not error.retryable or self._failures > self._retries:
            raise error
        bound = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (self._failures - 1))
        pause = self._uniform(0.0, bound)
        budget = self._timeout.total
        if isinstance(error, ConnectError):
            budget = min(budget, self._timeout.connect)
        if self._clock() - self._start + pause >= budget:
            raise error
        return pause
