"""Latency against load: closed loops by the throughput that they reach, open loops by the rate of their requests."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from benchmarks.record import Closed, Open, Row
from benchmarks.report.blocks import Block, Heading, Paragraph, Picture, Pictures
from benchmarks.report.curves import Curve, Point, curves
from benchmarks.report.figures import by_setting, load_of, open_loops

_LEAST_POINTS = 3
_ANSWERED = 0.95
_REFUSED = 0.01

_Draw: TypeAlias = Callable[[str, Sequence[Sequence[Row]]], Picture]


def blocks(rows: Sequence[Row], prefix: str) -> list[Block]:
    """Return the curves of every network that was measured at three loads or more, and the table of the open loops.

    Args:
        rows: of one machine, one round.
        prefix: the beginning of the pictures' names.
    """
    served = [row for row in rows if row.target == "ensemble"]
    made: list[Block] = [Heading(3, "Latency against load")]
    closed = _charts([row for row in served if isinstance(row.load, Closed)], f"{prefix}-closed", _closed)
    if closed:
        made += [
            Paragraph(
                "Closed loops: the figure at a point is how many requests are under way at a time. Where a curve turns "
                "upwards the machine is busy, and more requests only wait longer."
            ),
            Pictures(closed),
        ]
    else:
        made.append(Paragraph("*Closed loops at three loads or more*: not measured here."))
    if not any(isinstance(row.load, Open) for row in served):
        return [
            *made,
            Paragraph("*Open loops, with requests that come whether or not others were answered*: not measured here."),
        ]
    made.append(
        Paragraph(
            "Open loops: requests come at random (Poisson arrivals) at a given rate, whether or not earlier ones were "
            "answered, as those of many users do. Latency is of the answered requests. Overload begins where more than "
            "1 % of the requests are refused, or, above the peak, fewer than 95 % answered."
        )
    )
    opened = _charts([row for row in served if isinstance(row.load, Open)], f"{prefix}-open", _open)
    if opened:
        made.append(Pictures(opened))
    return [*made, *open_loops(served)]


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


def _charts(rows: Sequence[Row], prefix: str, draw: _Draw) -> list[Picture]:
    together: dict[tuple[str, ...], list[list[Row]]] = {}
    for group in by_setting(rows):
        if len(group) >= _LEAST_POINTS:
            row = group[0]
            together.setdefault((row.model, row.photo, row.result), []).append(group)
    return [draw(f"{prefix}-{'-'.join(key)}", groups) for key, groups in together.items()]


def _closed(name: str, groups: Sequence[Sequence[Row]]) -> Picture:
    drawn = [
        Curve(
            _series(group[0], groups),
            [
                Point(row.photos_per_second, row.p50_ms, row.p99_ms, f"{load_of(row):.0f}", f"{row.load}, {_tip(row)}")
                for row in group
            ],
        )
        for group in groups
    ]
    return curves(name, _title(groups[0][0]), drawn, across="photos a second, closed loop")


def _open(name: str, groups: Sequence[Sequence[Row]]) -> Picture:
    drawn = [
        Curve(
            _series(group[0], groups),
            [Point(load_of(row), row.p50_ms, row.p99_ms, tip=f"{row.load}, {_tip(row)}") for row in group],
        )
        for group in groups
    ]
    marks = []
    for group in groups:
        first = overload(group)
        if first is not None:
            whose = f", {_series(group[0], groups)}" if len(groups) > 1 else ""
            marks.append((load_of(first), f"overload{whose}"))
    return curves(name, _title(groups[0][0]), drawn, across="requests a second, open loop", marks=marks)


def _series(row: Row, groups: Sequence[Sequence[Row]]) -> str:
    both = len({group[0].protocol for group in groups}) > 1
    return f"{row.format}, {'gRPC' if row.protocol == 'grpc' else 'HTTP'}" if both else row.format


def _title(row: Row) -> str:
    return f"{row.model}, {row.photo}, {row.result}"


def _tip(row: Row) -> str:
    return f"{row.photos_per_second:.1f} photos/s, p50 {row.p50_ms:.0f} ms, p99 {row.p99_ms:.0f} ms"
