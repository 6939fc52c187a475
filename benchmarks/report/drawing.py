"""Lines, boxes, markers and words of a chart as SVG; colours are classes, see :mod:`benchmarks.report.colours`."""

from collections.abc import Sequence
from html import escape
from typing import Literal

from benchmarks.report.blocks import Picture
from benchmarks.report.colours import SERIES

WIDTH = 480
"""Of every chart: a phone shows it without shrinking its words much, and a page has room for two side by side."""

_CHARACTER = 6.9
"""Width of a character of 13 pixels, on average, a little too wide rather than too narrow."""

_MARKER = 4.2


class Drawing:
    """A sheet of paper :data:`WIDTH` pixels wide; x runs to the right and y down, in pixels."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    def text(
        self, x: float, y: float, words: str, *, anchor: Literal["start", "middle", "end"] = "start", kind: str = ""
    ) -> None:
        """Write ``words`` with their baseline at ``y``; ``kind`` is any of "soft", "small", "title"."""
        named = f' class="{kind}"' if kind else ""
        self._parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{named}>{escape(words)}</text>')

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str = "grid") -> None:
        """Draw a straight line; ``kind`` is "grid" or "mark"."""
        self._parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>')

    def path(self, points: Sequence[tuple[float, float]], series: int, *, dashed: bool = False) -> None:
        """Draw a line through ``points`` in the colour of ``series``."""
        through = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        kind = "dash" if dashed else "line"
        self._parts.append(f'<polyline points="{through}" class="{kind} l{series % SERIES}"/>')

    def box(
        self, x: float, y: float, width: float, height: float, series: int, *, faint: bool = False, tip: str = ""
    ) -> None:
        """Fill a rectangle; ``tip`` shows when the pointer rests on it."""
        opacity = ' opacity="0.4"' if faint else ""
        self._parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.6):.1f}" height="{height:.1f}" '
            f'class="f{series % SERIES}"{opacity}>{_tip(tip)}</rect>'
        )

    def marker(self, x: float, y: float, series: int, *, hollow: bool = False, tip: str = "") -> None:
        """Draw a point whose shape, like its colour, belongs to ``series``."""
        kind = f"{'h' if hollow else 'f'}{series % SERIES}"
        r = _MARKER
        shape = series % 4
        if shape == 0:
            drawn = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" class="{kind}">{_tip(tip)}</circle>'
        elif shape == 1:
            side = 2 * r - 0.8
            drawn = (
                f'<rect x="{x - side / 2:.1f}" y="{y - side / 2:.1f}" width="{side:.1f}" height="{side:.1f}" '
                f'class="{kind}">{_tip(tip)}</rect>'
            )
        else:
            corners = (
                ((0, -1.2), (1.1, 0.8), (-1.1, 0.8)) if shape == 2 else ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0))
            )
            points = " ".join(f"{x + dx * r:.1f},{y + dy * r:.1f}" for dx, dy in corners)
            drawn = f'<polygon points="{points}" class="{kind}">{_tip(tip)}</polygon>'
        self._parts.append(drawn)

    def legend(self, x: float, y: float, names: Sequence[str], *, boxes: bool = False) -> float:
        """Name the series 0, 1, ... from ``(x, y)`` on, in as many lines as it takes; return the y below them."""
        left = x
        for number, name in enumerate(names):
            length = 16 + width(name) + 14
            if left > x and left + length > WIDTH:
                left, y = x, y + 19
            if boxes:
                self.box(left, y - 10, 11, 11, number)
            else:
                self.marker(left + 5, y - 4.5, number)
            self.text(left + 16, y, name)
            left += length
        return y + 19

    def picture(self, name: str, words: str, height: float) -> Picture:
        """Return what was drawn, on paper of ``height`` pixels."""
        whole = round(height)
        paper = f'<rect width="{WIDTH}" height="{whole}" class="paper"/>'
        return Picture(name=name, words=words, width=WIDTH, height=whole, body=paper + "".join(self._parts))


def width(words: str) -> float:
    """Return about how wide ``words`` are, in pixels."""
    return len(words) * _CHARACTER


def _tip(words: str) -> str:
    return f"<title>{escape(words)}</title>" if words else ""
