"""What a report must say of its measures, kept apart from the language in which it says it."""

from __future__ import annotations

from typing import NamedTuple


class Note(NamedTuple):
    """A sentence of `words.TEXTS` by its key, and the values that are filled in."""

    key: str
    values: tuple[object, ...] = ()
