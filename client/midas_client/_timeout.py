"""How long a call may take."""

from __future__ import annotations

from dataclasses import dataclass

from midas_client._errors import OptionError

# About four months. gRPC and sockets have limits of their own, far above, and no words for them.
LONGEST = 10_000_000


@dataclass(frozen=True)
class Timeout:
    """Seconds that a call may take. There is no "for ever".

    Attributes:
        total: for the whole call, from the first byte sent to the last of the answer, attempts and pauses included.
        connect: for reaching the server, repeated attempts included; never more than what is left of total.

    Raises:
        OptionError: a number is not finite, not above 0, or above LONGEST.

    >>> Timeout(total=120)
    Timeout(total=120, connect=5.0)
    """

    total: float = 30.0
    connect: float = 5.0

    def __post_init__(self) -> None:
        for name in ("total", "connect"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= LONGEST:
                raise OptionError(
                    f"The {name} timeout is {value!r}",
                    hint=f"It must be a finite number of seconds above 0, and at most {LONGEST:,}",
                )


def as_timeout(timeout: Timeout | float) -> Timeout:
    """A bare number is the total."""
    return timeout if isinstance(timeout, Timeout) else Timeout(total=timeout)
