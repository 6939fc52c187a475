"""What a person sees of a long computation, and how he stops it."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_SAY_EVERY = 30.0  # seconds, where there is no terminal to draw a progress bar on


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Ctrl-C and SIGTERM are noticed between steps; a second Ctrl-C ends at once."""
    noticed: list[int] = []

    def notice(number: int, _: object) -> None:
        if noticed:
            raise KeyboardInterrupt
        noticed.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = [(number, signal.signal(number, notice)) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield lambda: bool(noticed)
    finally:
        for number, handler in before:
            signal.signal(number, handler)


@contextmanager
def progress(console: Console, first: int, steps: int, batch: int) -> Iterator[Callable[[int, float], None]]:
    """A bar on a terminal, a line now and then elsewhere.

    Args:
        console: where.
        first: steps that were done before.
        steps: in all.
        batch: photos in each.

    Yields:
        What takes the number of steps done and the last one's loss.
    """
    columns = (
        TextColumn("step"),
        MofNCompleteColumn(),
        BarColumn(),
        TextColumn("loss {task.fields[loss]:.4f}  {task.fields[speed]:.1f} photos/s"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    started = said = time.monotonic()
    smooth: float | None = None
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=steps, completed=first, loss=0.0, speed=0.0)

        def advance(done: int, loss: float) -> None:
            nonlocal said, smooth
            now = time.monotonic()
            smooth = loss if smooth is None else 0.98 * smooth + 0.02 * loss
            speed = (done - first) * batch / (now - started)
            bar.update(task, completed=done, loss=smooth, speed=speed)
            if not console.is_terminal and now - said > _SAY_EVERY:
                said = now
                left = (steps - done) * batch / speed / 60
                line = f"step {done:,} of {steps:,}: loss {smooth:.4f}, {speed:.1f} photos/s, {left:.0f} min left"
                console.print(line, markup=False)

        yield advance
