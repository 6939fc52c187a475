"""The tables of everything that was measured: throughput, latency, use of the machine."""

from collections.abc import Hashable, Sequence

from benchmarks.record import Closed, Open, Row
from reports.tables import Table

_WHAT = ("network", "build", "photo", "result", "protocol")

_SHOWN = 30
"""Rows of a table up to which it is not folded."""

_ANSWERED = 0.95
_REFUSED = 0.01
"""Shares of the requests: fewer answered or more refused is an overload."""


def by_setting(rows: Sequence[Row]) -> list[list[Row]]:
    """Group rows of one network, build, target, photo, result and protocol; loads ascend within a group."""
    groups: dict[Hashable, list[Row]] = {}
    for row in rows:
        key = (row.model, row.build, row.target, row.photo, row.result, row.protocol)
        groups.setdefault(key, []).append(row)
    return [sorted(group, key=load_of) for group in groups.values()]


def load_of(row: Row) -> float:
    """Return the requests at a time of a closed loop, the requests a second of an open one."""
    return row.load.concurrency if isinstance(row.load, Closed) else row.load.rate


def enough(group: Sequence[Row]) -> Row:
    """Return the row of the smallest load whose throughput is within 5 % of the highest."""
    peak = max(row.photos_per_second for row in group)
    return next(row for row in group if row.photos_per_second >= 0.95 * peak)


def overload(group: Sequence[Row]) -> Row | None:
    """Return the first open loop, by rate, that the server could not follow; None if it followed all of them."""
    for row in sorted(group, key=load_of):
        assert isinstance(row.load, Open)
        # Of few requests at random times, fewer than expected may come; below the peak that is no overload.
        below_the_peak = row.load.share is not None and row.load.share < 1
        late = row.photos_per_second < _ANSWERED * row.load.rate and not below_the_peak
        if late or (row.refused or 0.0) > _REFUSED:
            return row
    return None


def open_loops(rows: Sequence[Row]) -> Table:
    """Return the table of the open loops."""
    lines = []
    for group in by_setting([row for row in rows if isinstance(row.load, Open)]):
        for row in group:
            assert isinstance(row.load, Open)
            lines.append(
                [
                    *_what(row),
                    f"{row.load.rate:.1f}",
                    "" if row.load.share is None else f"{100 * row.load.share:.0f} %",
                    f"{row.photos_per_second:.1f}",
                    "" if row.refused is None else f"{100 * row.refused:.1f} %",
                    *_times(row),
                    "" if row.refused_p99_ms is None else f"{row.refused_p99_ms:.0f}",
                ]
            )
    head = (*_WHAT, "requests/s", "of the peak", "answered/s", "refused", "p50 ms", "p90", "p95", "p99")
    return Table((*head, "refusal p99 ms"), lines, words=len(_WHAT))


def closed_loops(rows: Sequence[Row]) -> dict[str, Table]:
    """Return the tables of some closed loops by the words to unfold them with; "" is shown at once.

    Of very many loops, those of the setting that most networks share are shown at once.
    """
    if len(by_setting(rows)) <= _SHOWN:
        return {"": _short(rows)} if rows else {}
    settings = [(group[0].photo, group[0].result, group[0].protocol) for group in by_setting(rows)]
    usual = max(settings, key=settings.count)
    rest = [row for row in rows if (row.photo, row.result, row.protocol) != usual]
    tables = {"": _short([row for row in rows if (row.photo, row.result, row.protocol) == usual])}
    return tables | ({f"Other photos, results and protocols: {len(by_setting(rest))}": _short(rest)} if rest else {})


def _short(rows: Sequence[Row]) -> Table:
    lines = []
    for group in by_setting(rows):
        one = next((row for row in group if load_of(row) == 1), None)
        busy = enough(group)
        lines.append(
            [
                *_what(group[0]),
                *(("", "") if one is None else (f"{one.p50_ms:.0f}", f"{one.p99_ms:.0f}")),
                f"{busy.photos_per_second:.1f}",
                f"{load_of(busy):.0f}",
                *_times(busy),
                "" if busy.cpu_cores is None else f"{busy.cpu_cores:.2f}",
                "" if busy.memory_mb is None else f"{busy.memory_mb:,.0f}",
                *_gpu(busy, rows),
            ]
        )
    head = (*_WHAT, "1 at a time: p50 ms", "p99", "highest photos/s", "at a time", "p50 ms", "p90", "p95", "p99")
    return Table((*head, "cores in use", "memory MB", *_gpu_head(rows)), lines, words=len(_WHAT))


def all_closed_loops(rows: Sequence[Row]) -> Table:
    """Return every figure of the closed loops."""
    lines = [
        [
            row.target,
            *_what(row),
            f"{load_of(row):.0f}",
            f"{row.photos_per_second:.1f}",
            *_times(row),
            " ".join(f"{step.batch:.1f}" for step in row.steps),
            "" if row.cpu_cores is None else f"{row.cpu_cores:.2f}",
            "" if row.memory_mb is None else f"{row.memory_mb:,.0f}",
            "" if row.shared_memory_mb is None else f"{row.shared_memory_mb:,.0f}",
            *_gpu(row, rows),
        ]
        for group in by_setting(rows)
        for row in group
    ]
    what = ("what", *_WHAT, "at a time", "photos/s", "p50 ms", "p90", "p95", "p99", "photos an execution, by step")
    head = (*what, "cores in use", "memory MB", "shared MB", *_gpu_head(rows))
    return Table(head, lines, words=1 + len(_WHAT))


def _what(row: Row) -> tuple[str, ...]:
    protocol = "gRPC" if row.protocol == "grpc" else "HTTP"
    return (row.model, row.build, row.photo if row.target == "ensemble" else row.network_size, row.result, protocol)


def _times(row: Row) -> tuple[str, ...]:
    return tuple(f"{value:.0f}" for value in (row.p50_ms, row.p90_ms, row.p95_ms, row.p99_ms))


def _gpu_head(rows: Sequence[Row]) -> tuple[str, ...]:
    return ("GPU busy", "GPU memory MB") if any(row.gpu_percent is not None for row in rows) else ()


def _gpu(row: Row, rows: Sequence[Row]) -> tuple[str, ...]:
    if not _gpu_head(rows):
        return ()
    return (
        "" if row.gpu_percent is None else f"{row.gpu_percent:.0f} %",
        "" if row.gpu_memory_mb is None else f"{row.gpu_memory_mb:,.0f}",
    )
