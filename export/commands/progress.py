"""What an export tells the person who waits for it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Say = Callable[[str], None]
"""Takes one line."""


def silent(_: str) -> None:
    """Say nothing."""


@contextmanager
def step(say: Say) -> Iterator[Say]:
    """Time the block; the line that it hands to what it is given is said with the seconds that it took."""
    started = time.monotonic()
    yield lambda line: say(f"  {line} ({time.monotonic() - started:.1f} s)")
