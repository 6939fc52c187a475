"""When to try again, and after which pause.

Exponential back-off with full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): the
pause is uniform between 0 and a bound that doubles with every failure up to a cap, so that clients which failed
together do not come back together. And a budget (B. Beyer and others, "Site Reliability Engineering", 2016, chapter
21): a client whose calls nearly all fail stops repeating them, or its repetitions would keep an overloaded server
down. A gateway or proxy may say with Retry-After how long to wait; the pause is then longer by that. Over gRPC there is
no such word, and Triton itself says none. Nothing here sleeps or sends.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from midas_client._errors import ConnectError, DeadlineExceededError, MidasClientError
from midas_client._timeout import Timeout

# With these, the pauses add up to 3.5 s on average: enough to outlast the replacement of a dead step (3 s).
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 2.0
DEFAULT_RETRIES = 6

BUDGET = 100.0
BUDGET_A_SECOND = 10.0
BUDGET_A_SUCCESS = 0.2


class RetryBudget:
    """How many repetitions all calls of one client may make: 100 at once, 10 more a second, 1 more for five answers.

    That outlasts the replacement of a dead step under sixteen calls at a time, and bounds what a client adds to an
    overload that lasts.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left = BUDGET
        self._filled = clock()
        self._lock = threading.Lock()

    def earn(self) -> None:
        """A call was answered."""
        with self._lock:
            self._left = min(BUDGET, self._left + BUDGET_A_SUCCESS)

    def spend(self) -> bool:
        """Whether one more repetition is allowed; if so it is counted."""
        with self._lock:
            now = self._clock()
            self._left = min(BUDGET, self._left + (now - self._filled) * BUDGET_A_SECOND)
            self._filled = now
            if self._left < 1.0:
                return False
            self._left -= 1.0
            return True


class Attempts:
    """The attempts of one call: how much time the next one has, and whether there is a next one.

    clock gives seconds, uniform(a, b) a random number between a and b; tests replace them.
    """

    def __init__(
        self,
        timeout: Timeout,
        retries: int,
        budget: RetryBudget | None = None,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._clock = clock
        self._uniform = uniform
        self._start = clock()
        self._timeout = timeout
        self._retries = retries
        self._budget = RetryBudget(clock) if budget is None else budget
        self._failures = 0
        self._last: MidasClientError | None = None

    def remaining(self) -> float:
        """Seconds that are left of the total.

        When none are it raises what the last attempt failed of, or DeadlineExceededError before the first.
        """
        left = self._start + self._timeout.total - self._clock()
        if left <= 0:
            raise self._last or DeadlineExceededError(f"The {self._timeout.total:g} s of this call have passed")
        return left

    def pause_after(self, error: MidasClientError) -> float:
        """Seconds to wait after this error before the next attempt.

        It is final when its kind is not worth another attempt, when the retries are used up, when the time would be
        (total, or connect for an error without a connection: a host that drops packets has used that up already), or
        when the client's budget is spent.

        Raises:
            MidasClientError: the error itself, when it is final.
        """
        self._failures += 1
        self._last = error
        if not error.retryable or self._failures > self._retries:
            raise error
        bound = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (self._failures - 1))
        pause = (error.retry_after or 0.0) + self._uniform(0.0, bound)
        budget = self._timeout.total
        if isinstance(error, ConnectError):
            budget = min(budget, self._timeout.connect)
        if self._clock() - self._start + pause >= budget:
            raise error
        if not self._budget.spend():
            raise error
        return pause

    def succeeded(self) -> None:
        """An answer has come."""
        self._budget.earn()
