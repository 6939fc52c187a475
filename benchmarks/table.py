"""The table of a sweep, for people."""

from collections.abc import Sequence

from rich.table import Table

from benchmarks.statistics import StepTime
from benchmarks.sweep import Row


def table(rows: Sequence[Row], photo_size: tuple[int, int]) -> Table:
    """Return one table of all rows, a section for each model and kind of result.

    Args:
        rows: what was measured, at least one row.
        photo_size: width and height of the photo that was sent.

    Raises:
        ValueError: ``rows`` is empty.
    """
    if not rows:
        raise ValueError("a table needs at least one row")
    width, height = photo_size
    made = Table(
        title=f"JPEG of {width}x{height} in, depth out, over gRPC",
        caption="times in ms; a step: wait in its queue + work, x photos in one execution",
        pad_edge=False,
    )
    made.add_column("depth")
    for heading in ("at a time", "photos/s", "p50", "p95", "p99"):
        made.add_column(heading, justify="right")
    steps = [step.step for step in rows[0].steps]
    for step in steps:
        made.add_column(step, justify="right")
    previous: tuple[str, str] | None = None
    for row in rows:
        section = (row.model, row.result)
        if section != previous and previous is not None:
            made.add_section()
        output = f"{row.answer.output[0]}x{row.answer.output[1]}"
        made.add_row(
            f"{row.model}\n{output}" if section != previous else "",
            str(row.client.concurrency),
            f"{row.client.photos_per_second:.1f}",
            *(f"{value:.0f}" for value in (row.client.p50_ms, row.client.p95_ms, row.client.p99_ms)),
            *(_cell(row.steps, step) for step in steps),
        )
        previous = section
    return made


def _cell(times: Sequence[StepTime], step: str) -> str:
    for time in times:
        if time.step == step:
            return f"{time.queue_ms:.1f} + {time.compute_ms:.1f}  x{time.batch:.1f}"
    return "-"
