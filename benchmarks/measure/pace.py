"""How far a run is, and how long the rest will take."""

import time
from collections.abc import Callable

_MINUTE_S = 60
_HOUR_S = 3600


class Pace:
    """Counts measurements.

    Args:
        total: how many there will be.
        clock: gives seconds.
    """

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = total
        self.done = 0
        self._measured = 0
        self._clock = clock
        self._started = clock()

    def step(self) -> None:
        """Note that one was measured."""
        self.done += 1
        self._measured += 1

    def skip(self, number: int) -> None:
        """Note that `number` need not be, or could not be, measured."""
        self.done += number

    def left(self) -> str:
        """Return the time that the rest takes if it goes on like this, for instance "about 12 min left"."""
        rest = self.total - self.done
        if not self._measured or rest <= 0:
            return ""
        seconds = (self._clock() - self._started) / self._measured * rest
        if seconds < 1.5 * _MINUTE_S:
            return f"about {seconds:.0f} s left"
        if seconds < 1.5 * _HOUR_S:
            return f"about {seconds / _MINUTE_S:.0f} min left"
        return f"about {seconds / _HOUR_S:.1f} h left"
