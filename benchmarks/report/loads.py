"""Latency against load: closed loops by the throughput that they reach, open loops by the rate of their requests."""

from collections.abc import Sequence

from benchmarks.record import Closed, Open, Row
from benchmarks.report.figures import by_setting, load_of, overload
from reports.plots.lines import Line, Point, lines
from reports.plots.sheet import Picture

_LEAST_POINTS = 3


def load_pictures(rows: Sequence[Row], prefix: str) -> tuple[list[Picture], list[Picture]]:
    """Return the curves of every network that was measured at three loads or more: closed loops, and open ones.

    Args:
        rows: of the whole pipeline, on one machine, in one round.
        prefix: the beginning of the pictures' names.
    """
    kinds: dict[type, dict[tuple[str, ...], list[list[Row]]]] = {Closed: {}, Open: {}}
    for kind, found in kinds.items():
        for group in by_setting([row for row in rows if isinstance(row.load, kind)]):
            if len(group) >= _LEAST_POINTS:
                row = group[0]
                found.setdefault((row.model, row.photo, row.result), []).append(group)
    return (
        [_picture(f"{prefix}-closed-{'-'.join(key)}", groups, closed=True) for key, groups in kinds[Closed].items()],
        [_picture(f"{prefix}-open-{'-'.join(key)}", groups, closed=False) for key, groups in kinds[Open].items()],
    )


def _picture(name: str, groups: Sequence[Sequence[Row]], *, closed: bool) -> Picture:
    several = len({group[0].protocol for group in groups}) > 1
    series = [
        f"{group[0].build}, {'gRPC' if group[0].protocol == 'grpc' else 'HTTP'}" if several else group[0].build
        for group in groups
    ]
    drawn = [
        Line(number, [_point(row, series[number], second=second) for row in group], second=second)
        for number, group in enumerate(groups)
        for second in (True, False)
    ]
    marks = []
    for number, group in enumerate(groups):
        first = None if closed else overload(group)
        if first is not None:
            marks.append((load_of(first), f"overload, {series[number]}" if len(groups) > 1 else "overload"))
    row = groups[0][0]
    chart = lines(
        f"{row.model}, {row.photo}, {row.result}",
        drawn,
        series=series,
        across="photos a second, closed loop" if closed else "requests a second, open loop",
        upwards="ms: p50 solid, p99 dashed",
        marks=marks,
    )
    return chart.picture(name)


def _point(row: Row, series: str, *, second: bool) -> Point:
    """Return the median of a load, or as the `second` point its 99th percentile."""
    closed = isinstance(row.load, Closed)
    return Point(
        row.photos_per_second if closed else load_of(row),
        row.p99_ms if second else row.p50_ms,
        f"{load_of(row):.0f}" if closed and not second else "",
        f"{series}: {row.load}, {row.photos_per_second:.1f} photos/s, p50 {row.p50_ms:.0f} ms, p99 {row.p99_ms:.0f} ms",
    )
