"""How often a caller may ask: one count for all workers, in an SQLite file that they share."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_RATE = re.compile(r"(?P<count>[1-9]\d{0,8})\s*/\s*(?P<period>second|minute|hour|day)")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_TIDY_SECONDS = 60.0


@dataclass(frozen=True)
class Rate:
    """So many requests in so many seconds."""

    count: int
    seconds: int


def read_rate(text: str) -> Rate | None:
    """A rate such as `120/minute`, by second, minute, hour or day; None for an empty text. Raises ValueError."""
    if not text:
        return None
    found = _RATE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no rate")
    return Rate(int(found["count"]), _SECONDS[found["period"]])


@dataclass(frozen=True)
class Standing:
    """Where a caller stands after a request was counted.

    Attributes:
        allowed: whether it may be made; what may not is not counted.
        remaining: how many more may follow at once.
        wait: seconds until the next one may be made; 0 where that is now.
        full: seconds until all of the rate is there again.
    """

    allowed: bool
    remaining: int
    wait: float
    full: float


# What lies further in the future than any count can is left from before the clock was set back, and counts for nothing.
_COUNT = """
INSERT INTO callers VALUES (:name, :now + :share)
ON CONFLICT (name) DO UPDATE SET full = :share + CASE WHEN full BETWEEN :now AND :beyond THEN full ELSE :now END
WHERE full + :share <= :latest OR full > :beyond RETURNING full
"""


class Rates:
    """The callers' counts. A rate is a bucket: it may be emptied at once, and fills up evenly.

    One number for each caller says all, the time when its bucket will be full (the generic cell rate algorithm, ITU-T
    I.371): a request moves it on by its share of the period, and may not move it beyond one period from now.

    Args:
        file: made where it is not there; all workers open the same.
        rate: of each caller.
        clock: gives seconds, the same for all workers.
    """

    def __init__(self, file: Path, rate: Rate, clock: Callable[[], float] = time.time) -> None:
        self.rate = rate
        self._clock = clock
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._counts = sqlite3.connect(file, timeout=1, isolation_level=None)
        self._counts.execute("PRAGMA journal_mode=WAL")
        # What a power failure forgets is a minute's count.
        self._counts.execute("PRAGMA synchronous=OFF")
        self._counts.execute("CREATE TABLE IF NOT EXISTS callers (name TEXT PRIMARY KEY, full REAL NOT NULL)")
        self._tidied = 0.0

    def count(self, caller: str) -> Standing:
        """Count a request that a caller would make now. It is one statement, so no other worker counts between."""
        now, period = self._clock(), self.rate.seconds
        share = period / self.rate.count
        times = {"now": now, "share": share, "latest": now + period + 1e-6, "beyond": now + 2 * period}
        row = self._counts.execute(_COUNT, {"name": caller, **times}).fetchone()
        allowed = row is not None
        if row is None:
            row = self._counts.execute("SELECT full FROM callers WHERE name = ?", (caller,)).fetchone()
        full = max(0.0, float(row[0]) - now)
        if now - self._tidied > _TIDY_SECONDS:
            self._tidied = now
            self._counts.execute("DELETE FROM callers WHERE full < ?", (now,))
        return Standing(allowed, max(0, int((period - full) / share + 1e-6)), max(0.0, full + share - period), full)
