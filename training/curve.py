"""The loss over the steps, as a picture: every step faintly, the running mean strongly, evaluations below."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

_SIZE = (900, 560)
_MARGIN = 56
_SMOOTHING = 0.98
_MOST_POINTS = 3000
_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b")

Series = Sequence[tuple[float, float]]
Box = tuple[int, int, int, int]  # left, top, right, bottom


def draw_curve(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Write the picture of a run's log: the loss above, AbsRel of each held-out set below.

    Args:
        path: the PNG.
        lines: of the log, at least one of them with a `loss`.
    """
    losses = [(float(line["step"]), float(line["loss"])) for line in lines if "loss" in line]
    sets = sorted({name for line in lines for name in line.get("evaluation", {})})
    picture = Image.new("RGB", _SIZE, "white")
    draw = ImageDraw.Draw(picture)
    width, height = _SIZE
    middle = height * 3 // 5 if sets else height
    curves = {"loss, each step": _thinned(losses), "loss, running mean": _thinned(_smooth(losses))}
    _panel(draw, (_MARGIN, 24, width - 16, middle - 24), curves, ("#c8d8ea", _COLOURS[0]))
    if sets:
        figures = {
            f"AbsRel, {name}": [
                (float(line["step"]), float(line["evaluation"][name]["abs_rel"]))
                for line in lines
                if name in line.get("evaluation", {})
            ]
            for name in sets
        }
        _panel(draw, (_MARGIN, middle + 8, width - 16, height - 24), figures, _COLOURS[1:])
    picture.save(path)


def _smooth(values: Series) -> Series:
    smooth, mean, weight = [], 0.0, 0.0
    for step, value in values:
        mean = _SMOOTHING * mean + (1 - _SMOOTHING) * value
        weight = _SMOOTHING * weight + (1 - _SMOOTHING)
        smooth.append((step, mean / weight))
    return smooth


def _thinned(values: Series) -> Series:
    return values[:: max(1, len(values) // _MOST_POINTS)]


def _panel(draw: ImageDraw.ImageDraw, box: Box, curves: Mapping[str, Series], colours: Sequence[str]) -> None:
    """Curves over a logarithmic vertical axis, with their names and the axes' numbers."""
    points = [point for series in curves.values() for point in series]
    left, top, right, bottom = box
    last = max(step for step, _ in points)
    logarithms = [math.log(max(value, 1e-6)) for _, value in points]
    low, high = min(logarithms), max(logarithms)
    high = max(high, low + 1e-3)

    def place(step: float, value: float) -> tuple[float, float]:
        share = (math.log(max(value, 1e-6)) - low) / (high - low)
        return left + (right - left) * step / max(last, 1), bottom - (bottom - top) * share

    for quarter in range(5):
        value = math.exp(low + (high - low) * quarter / 4)
        y = place(0, value)[1]
        draw.line([(left, y), (right, y)], fill="#e4e4e4")
        draw.text((4, y - 6), f"{value:.3f}", fill="black")
        step = last * quarter / 4
        draw.text((place(step, value)[0] - 6 * quarter, bottom + 4), f"{step:.0f}", fill="black")
    for number, ((name, series), colour) in enumerate(zip(curves.items(), _cycled(colours, len(curves)), strict=True)):
        if len(series) > 1:
            draw.line([place(*point) for point in series], fill=colour, width=2)
        draw.text((right - 220, top + 4 + 14 * number), name, fill=colour)


def _cycled(colours: Sequence[str], count: int) -> list[str]:
    return [colours[number % len(colours)] for number in range(count)]
