"""The loss over the steps, as a picture: every step faintly, the running mean strongly, evaluations below."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from reports.plots.lines import hold
from reports.plots.sheet import Sheet, colour, styled

_SMOOTHING = 0.98
_MOST_POINTS = 3000

Curve = Sequence[tuple[float, float]]


@styled
def draw_curve(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Write the picture of a run's log: the loss above, AbsRel of each held-out set below.

    Args:
        path: the PNG.
        lines: of the log, at least one of them with a `loss`.
    """
    losses = [(float(line["step"]), float(line["loss"])) for line in lines if "loss" in line]
    sets = {
        name: [
            (float(line["step"]), float(line["evaluation"][name]["abs_rel"]))
            for line in lines
            if name in line.get("evaluation", {})
        ]
        for name in sorted({name for line in lines for name in line.get("evaluation", {})})
    }
    sheet = Sheet(6.0 if sets else 4.0, panels=2 if sets else 1)
    above, below = sheet.panels[0], sheet.panels[-1]
    _draw(above, losses, "loss, each step", 0, alpha=0.35)
    _draw(above, _smooth(losses), "loss, running mean", 0)
    hold(above, [value for _, value in losses])
    above.legend(loc="upper right")
    if sets:
        for number, (name, series) in enumerate(sets.items(), 1):
            _draw(below, series, f"AbsRel, {name}", number)
        hold(below, [value for series in sets.values() for _, value in series])
        below.legend(loc="upper right")
    below.set_xlabel("steps")
    sheet.save_png(path)


def _draw(axes: Axes, series: Curve, name: str, number: int, alpha: float = 1.0) -> None:
    thinned = series[:: max(1, len(series) // _MOST_POINTS)]
    mark = "o" if len(thinned) == 1 else ""
    steps, values = zip(*thinned, strict=True)
    axes.plot(steps, values, color=colour(number), alpha=alpha, linewidth=2 * alpha, marker=mark, label=name)


def _smooth(values: Curve) -> Curve:
    smooth, mean, weight = [], 0.0, 0.0
    for step, value in values:
        mean = _SMOOTHING * mean + (1 - _SMOOTHING) * value
        weight = _SMOOTHING * weight + (1 - _SMOOTHING)
        smooth.append((step, mean / weight))
    return smooth
