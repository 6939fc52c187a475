"""Latency against load as curves: the median as a line, the 99th percentile dashed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.report.axis import Axis, linear, logarithmic, written
from benchmarks.report.blocks import Picture
from benchmarks.report.drawing import WIDTH, Drawing

_HEIGHT = 250
_LEFT, _RIGHT = 52, 16


@dataclass(frozen=True)
class Point:
    """One load: photos a second, p50 and p99 in milliseconds, and what to write beside it."""

    x: float
    p50_ms: float
    p99_ms: float
    label: str = ""
    tip: str = ""


@dataclass(frozen=True)
class Curve:
    """A series of points in the order of their loads."""

    name: str
    points: Sequence[Point] = field(default_factory=tuple)


def curves(
    name: str, title: str, drawn: Sequence[Curve], *, across: str, marks: Sequence[tuple[float, str]] = ()
) -> Picture:
    """Return the chart of at least one curve.

    Args:
        name: the picture's file name.
        title: is written above the chart.
        drawn: the curves, at most eight that look different.
        across: what the horizontal axis shows.
        marks: loads with a dotted upright line, and the words beside it.
    """
    sheet = Drawing()
    sheet.text(12, 24, title, kind="title")
    top = sheet.legend(14, 46, [curve.name for curve in drawn]) + 4
    sheet.text(14, top, "p50 solid, p99 dashed, in ms (logarithmic)", kind="soft small")
    top += 12
    bottom = top + _HEIGHT
    points = [point for curve in drawn for point in curve.points]
    x = linear([*(point.x for point in points), *(at for at, _ in marks)], _LEFT, WIDTH - _RIGHT)
    y = logarithmic([value for point in points for value in (point.p50_ms, point.p99_ms)], bottom, top)
    grid(sheet, x, y, top, bottom, across)
    for at, words in marks:
        place = x.place(at)
        sheet.line(place, top, place, bottom, "mark")
        to_the_left = place > (x.start + x.end) / 2
        sheet.text(
            place + (-5 if to_the_left else 5),
            top + 13,
            words,
            anchor="end" if to_the_left else "start",
            kind="soft small",
        )
    for number, curve in enumerate(drawn):
        for dashed in (True, False):
            places = [(x.place(p.x), y.place(p.p99_ms if dashed else p.p50_ms)) for p in curve.points]
            sheet.path(places, number, dashed=dashed)
            for point, (left, down) in zip(curve.points, places, strict=True):
                sheet.marker(left, down, number, hollow=dashed, tip=f"{curve.name}: {point.tip}" if point.tip else "")
                if point.label and not dashed:
                    sheet.text(left + 8, down + 6, point.label, kind="small")
    words = f"{title}: {', '.join(curve.name for curve in drawn)}; latency in ms against {across}"
    return sheet.picture(name, words, bottom + 44)


def grid(sheet: Drawing, x: Axis, y: Axis, top: float, bottom: float, across: str) -> None:
    """Draw the lines behind a chart and the figures beside its two axes."""
    for tick in y.ticks():
        sheet.line(x.start, y.place(tick), x.end, y.place(tick))
        sheet.text(x.start - 6, y.place(tick) + 4, written(tick), anchor="end", kind="soft small")
    for tick in x.ticks():
        sheet.line(x.place(tick), top, x.place(tick), bottom)
        sheet.text(x.place(tick), bottom + 16, written(tick), anchor="middle", kind="soft small")
    sheet.text((x.start + x.end) / 2, bottom + 35, across, anchor="middle", kind="soft")
