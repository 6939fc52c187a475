"""The table of a run, for people."""

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchmarks.record import Closed, Limit, Row, Step

_LEGEND = (
    "times in ms; a step: wait in its queue + work + copies, x photos in one execution; MB: private and shared memory "
    "of the server; the limit: the same steps in one process"
)


def table(rows: Sequence[Row], limits: Sequence[Limit] = ()) -> Group:
    """Return a table for each series of loads, with the limit in its last line where that was measured.

    Args:
        rows: what was measured, at least one row.
        limits: of the same networks, builds, photos and results; others are left out.

    Raises:
        ValueError: `rows` is empty.
    """
    if not rows:
        raise ValueError("a table needs at least one row")
    parts: list[RenderableType] = []
    for section in _sections(rows):
        limit = next((limit for limit in limits if _belongs(limit, section[0])), None)
        parts += [Text(_title(section[0]), style="bold"), _table_of(section, limit)]
    return Group(*parts, Text(_LEGEND, style="italic"))


def _table_of(section: Sequence[Row], limit: Limit | None) -> Table:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    made.add_column("load", min_width=13, no_wrap=True)
    for heading, width in (("photos/s", 8), ("refused", 7), ("p50", 5), ("p90", 5), ("p95", 5), ("p99", 5)):
        made.add_column(heading, justify="right", min_width=width)
    for heading in ("cores", "MB"):
        made.add_column(heading, justify="right", min_width=5)
    for step in section[0].steps:
        made.add_column(step.step, justify="right", min_width=16, no_wrap=True)
    made.add_column("" if limit is None else "of the limit", justify="right")
    for row in section:
        made.add_row(
            _load(row),
            f"{row.photos_per_second:.1f}",
            "" if row.refused is None else f"{100 * row.refused:.0f} %",
            *(f"{value:.0f}" for value in (row.p50_ms, row.p90_ms, row.p95_ms, row.p99_ms)),
            "-" if row.cpu_cores is None else f"{row.cpu_cores:.1f}",
            "-" if row.memory_mb is None else f"{row.memory_mb + (row.shared_memory_mb or 0):.0f}",
            *map(_cell, row.steps),
            _of_limit(row, limit),
        )
    if limit is not None:
        made.add_row("limit", f"{limit.photos_per_second:.1f}", "", f"{limit.one_ms:.0f}", style="italic")
    return made


def _sections(rows: Sequence[Row]) -> list[list[Row]]:
    sections: dict[str, list[Row]] = {}
    for row in rows:
        sections.setdefault(_title(row), []).append(row)
    return list(sections.values())


def _title(row: Row) -> str:
    protocol = "gRPC" if row.protocol == "grpc" else "HTTP"
    number = "" if row.round == 1 else f", round {row.round}"
    if row.target == "network":
        return f"{row.model}, {row.build}: the network alone, {row.network_size} pixels, {protocol}{number}"
    results = {
        "network": f"{row.network_size} depth (the network's size)",
        "photo": f"{row.photo} depth",
        "png16": f"{row.photo} 16-bit PNG",
    }
    return f"{row.model}, {row.build}: {row.photo} JPEG to {results[row.result]}, {protocol}{number}"


def _belongs(limit: Limit, row: Row) -> bool:
    of_limit = (limit.model, limit.build, limit.photo, limit.result, limit.round)
    return row.target == "ensemble" and of_limit == (row.model, row.build, row.photo, row.result, row.round)


def _load(row: Row) -> str:
    if isinstance(row.load, Closed):
        return f"{row.load.concurrency} at a time"
    share = "" if row.load.share is None else f", {100 * row.load.share:.0f} %"
    return f"{row.load.rate:.3g}/s{share}"


def _of_limit(row: Row, limit: Limit | None) -> str:
    """The throughput over the limit's; for one at a time the time over that of one photo in the limit's process."""
    if limit is None or not isinstance(row.load, Closed):
        return ""
    if row.load.concurrency == 1:
        return f"{row.p50_ms / limit.one_ms:.2f} x time"
    return f"{100 * row.photos_per_second / limit.photos_per_second:.0f} %"


def _cell(step: Step) -> str:
    return f"{_ms(step.queue_ms)}+{_ms(step.compute_ms)}+{_ms(step.copy_ms)} x{step.batch:.1f}"


def _ms(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"
