"""What a generator yields to whoever carries its steps out, blocking or awaiting, when it has to wait."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pause:
    """Some seconds in which nothing is to be done."""

    seconds: float
