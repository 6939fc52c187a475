"""What a server says of itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Health:
    """What a server says of itself.

    Attributes:
        live: it answers.
        ready: it would take a request.
        detail: why it is not ready; empty where it is.
        dead_steps: names of the steps that have died or hang; empty unless health(steps=True) asked them.
    """

    live: bool
    ready: bool
    detail: str = ""
    dead_steps: tuple[str, ...] = ()
