"""What a server says of itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Health:
    """Whether a server answers (live) and would take a request (ready); detail says why not, or nothing.

    dead_steps names the steps that have died or hang, where the steps were asked; ready is then false.
    """

    live: bool
    ready: bool
    detail: str = ""
    dead_steps: tuple[str, ...] = ()
