"""How far a run over many photos has come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Progress:
    """A moment of a run.

    Attributes:
        done: photos that have an answer or an error.
        failed: how many of these have an error.
        total: photos in all; None where the iterable has no length.
        seconds: since the run began.

    >>> moments = []
    >>> predictions = list(client.predict_many(["photo.jpg", "photo.jpg"], progress=moments.append))
    >>> [(moment.done, moment.failed, moment.total) for moment in moments]
    [(1, 0, 2), (2, 0, 2)]
    """

    done: int
    failed: int
    total: int | None
    seconds: float


ShowProgress = bool | Callable[[Progress], None]
"""True for a bar on standard error, or a function that is called after each photo."""


@contextmanager
def showing(progress: ShowProgress, photos: Iterable[object] | object) -> Iterator[Callable[[bool], None]]:
    """A function to call after each photo with whether it failed.

    Args:
        progress: True for a bar on standard error; a function gets a Progress after each photo.
        photos: their number, where they have one, is the total.
    """
    total = len(photos) if hasattr(photos, "__len__") else None
    start = time.monotonic()
    done = failed = 0
    bar: Any = None
    if progress is True:
        from tqdm import tqdm  # noqa: PLC0415 - only who wants a bar needs it

        bar = tqdm(total=total, unit="photo", smoothing=0.1)

    def step(has_failed: bool) -> None:
        nonlocal done, failed
        done += 1
        failed += has_failed
        if bar is not None:
            if has_failed:
                bar.set_postfix(failed=failed, refresh=False)
            bar.update()
        elif callable(progress):
            progress(Progress(done, failed, total, time.monotonic() - start))

    try:
        yield step
    finally:
        if bar is not None:
            bar.close()
