"""Pieces of a drawing: lines with arrow heads, outlines, and labels that stay legible on anything."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

Point = tuple[float, float]


class Drawing:
    """An SVG picture that is put together piece by piece.

    Args:
        width, height: in its own units.
        unit: what one pixel of a drawing 960 pixels wide is in these units; strokes and letters are sized by it.
        label: what it shows, for those who do not see it.
    """

    def __init__(self, width: float, height: float, unit: float, label: str) -> None:
        self.width, self.height, self.unit = width, height, unit
        self._label = label
        self._parts: list[str] = []
        self._labels: list[str] = []
        self._boxes: list[tuple[float, float, float, float]] = []

    def picture(self, url: str, x: float, y: float, width: float, height: float, *, pixelated: bool = False) -> None:
        """A picture by its data URL."""
        style = ' style="image-rendering:pixelated"' if pixelated else ""
        self._parts.append(
            f'<image href="{url}" x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" '
            f'preserveAspectRatio="none"{style}/>'
        )

    def outline(self, points: Sequence[Point], colour: str, *, fill: float = 0.0, dashed: bool = False, wide: float = 2) -> None:  # fmt: skip  # noqa: E501
        """A closed outline, filled with a share of its colour."""
        path = " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
        dash = f' stroke-dasharray="{7 * self.unit:.3f} {4 * self.unit:.3f}"' if dashed else ""
        self._parts.append(
            f'<polygon points="{path}" fill="{colour}" fill-opacity="{fill}" stroke="{colour}" '
            f'stroke-width="{wide * self.unit:.3f}" stroke-linejoin="round"{dash}/>'
        )

    def line(self, start: Point, end: Point, colour: str, *, wide: float = 2, dashed: bool = False) -> None:
        """A straight line."""
        dash = f' stroke-dasharray="{6 * self.unit:.3f} {5 * self.unit:.3f}"' if dashed else ""
        self._parts.append(
            f'<line x1="{start[0]:.2f}" y1="{start[1]:.2f}" x2="{end[0]:.2f}" y2="{end[1]:.2f}" stroke="{colour}" '
            f'stroke-width="{wide * self.unit:.3f}" stroke-linecap="round"{dash}/>'
        )

    def dimension(
        self, start: Point, end: Point, text: str, colour: str, *, heads: tuple[bool, bool] = (True, True)
    ) -> None:
        """A line between two points with its length in its middle; without a head where it goes on unseen."""
        for ink, wide in (("#ffffff", 5.5), (colour, 2.6)):
            self.line(start, end, ink, wide=wide)
        a, b = np.array(start), np.array(end)
        along = (b - a) / max(float(np.linalg.norm(b - a)), 1e-9)
        across = np.array([-along[1], along[0]])
        for at, direction, shown in ((a, along, heads[0]), (b, -along, heads[1])):
            if not shown:
                continue
            tips = [at, *(at + (13 * direction + side * 5 * across) * self.unit for side in (1, -1))]
            corners = " ".join(f"{x:.2f},{y:.2f}" for x, y in tips)
            self._parts.append(
                f'<polygon points="{corners}" fill="{colour}" stroke="#ffffff" stroke-width="{1.2 * self.unit:.3f}"/>'
            )
        self.label(((start[0] + end[0]) / 2, (start[1] + end[1]) / 2), text, colour)

    def label(self, at: Point, text: str, colour: str, *, size: float = 21) -> None:
        """White letters on a pill, moved away from the drawing's edges and from the labels before it."""
        letter = size * self.unit
        wide = sum(1.0 if ord(each) > 0x2E00 else 0.56 for each in text) * letter + 0.9 * letter
        high = 1.55 * letter
        x = min(max(at[0], wide / 2 + letter / 4), self.width - wide / 2 - letter / 4)
        y = min(max(at[1], high / 2 + letter / 4), self.height - high / 2 - letter / 4)
        for step in (0, 1, -1, 2, -2, 3, -3):
            moved = y + step * high * 1.1
            box = (x - wide / 2, moved - high / 2, x + wide / 2, moved + high / 2)
            inside = box[1] >= 0 and box[3] <= self.height
            if inside and not any(_meet(box, other) for other in self._boxes):
                y = moved
                break
        self._boxes.append((x - wide / 2, y - high / 2, x + wide / 2, y + high / 2))
        self._labels.append(
            f'<rect x="{x - wide / 2:.2f}" y="{y - high / 2:.2f}" width="{wide:.2f}" height="{high:.2f}" '
            f'rx="{high / 2:.2f}" fill="{colour}" stroke="#ffffff" stroke-width="{1.5 * self.unit:.3f}"/>'
            f'<text x="{x:.2f}" y="{y + 0.36 * letter:.2f}" font-size="{letter:.3f}" font-weight="600" fill="#ffffff" '
            f'text-anchor="middle">{escape(text)}</text>'
        )

    def words(self, at: Point, text: str, colour: str, *, size: float = 17, anchor: str = "middle") -> None:
        """Letters without a ground."""
        self._parts.append(
            f'<text x="{at[0]:.2f}" y="{at[1]:.2f}" font-size="{size * self.unit:.3f}" fill="{colour}" '
            f'text-anchor="{anchor}">{escape(text)}</text>'
        )

    def circle(self, at: Point, radius: float, colour: str) -> None:
        """A dot, its radius in pixels of a drawing 960 wide."""
        self._parts.append(
            f'<circle cx="{at[0]:.2f}" cy="{at[1]:.2f}" r="{radius * self.unit:.3f}" fill="{colour}" stroke="#ffffff" '
            f'stroke-width="{1.5 * self.unit:.3f}"/>'
        )

    def __str__(self) -> str:
        # on paper, the page's style does not reach into a drawing
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:.2f} {self.height:.2f}" role="img" '
            f'aria-label="{escape(self._label)}" font-family="Instrument Sans, sans-serif">'
            f"{''.join(self._parts + self._labels)}</svg>"
        )


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
