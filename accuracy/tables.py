"""The figures as tables."""

from collections.abc import Sequence

from accuracy.evaluate import PhotoResult, PredictorResult
from accuracy.metrics import LARGER_IS_BETTER, Figures
from reports.tables import Table

TITLES = {
    "delta_1": "delta-1",
    "abs_rel": "AbsRel",
    "rmse_log": "RMSE-log",
    "spearman": "Spearman",
    "edge_f1": "edge F1",
    "whdr": "WHDR",
}
# On a screen, more photos than this are the worst ones only; the report has all.
MOST_ROWS = 20


def columns(results: Sequence[PredictorResult]) -> list[str]:
    """The names of the figures that at least one photo has, in their fixed order."""
    return [
        name
        for name in TITLES
        if any(getattr(photo.figures, name) is not None for result in results for photo in result.photos)
    ]


def mean_table(results: Sequence[PredictorResult]) -> Table:
    """A line for each predictor: the weights, the means over all photos, the best in bold, and the median time."""
    names = columns(results)
    lines = []
    for result in results:
        time = "-" if result.model is None else f"{result.milliseconds:.0f}"
        figures = [
            f"**{text}**" if _is_best(result, name, results) else text
            for name, text in zip(names, _cells(result.mean, names), strict=True)
        ]
        lines.append([result.label, _short(result.weights), *figures, time])
    return Table(["network", "weights", *map(_arrowed, names), "ms a photo"], lines, words=2)


def photo_table(photos: Sequence[PhotoResult], names: Sequence[str]) -> Table:
    """A line for each of some photos of one predictor."""
    lines = [[photo.sample.name, *_cells(photo.figures, names), f"{photo.milliseconds:.0f}"] for photo in photos]
    return Table(["photo", *map(_arrowed, names), "ms"], lines)


def worst(result: PredictorResult) -> tuple[str, list[PhotoResult]]:
    """A title, and the photos of one predictor that a screen shows, worst first; at most 20."""
    ordered = sorted(result.photos, key=lambda photo: -(photo.figures.abs_rel or 0.0))
    title = result.label if len(ordered) <= MOST_ROWS else f"{result.label}: the worst {MOST_ROWS} of {len(ordered)}"
    return title, ordered[:MOST_ROWS]


def _arrowed(name: str) -> str:
    return f"{TITLES[name]} {'up' if LARGER_IS_BETTER[name] else 'down'}"


def _cells(figures: Figures, names: Sequence[str]) -> list[str]:
    return ["-" if (value := getattr(figures, name)) is None else f"{value:.3f}" for name in names]


def _is_best(result: PredictorResult, name: str, results: Sequence[PredictorResult]) -> bool:
    values = [value for each in results if (value := getattr(each.mean, name)) is not None]
    choose = max if LARGER_IS_BETTER[name] else min
    return len(results) > 1 and bool(values) and getattr(result.mean, name) == choose(values)


def _short(weights: str) -> str:
    return weights[:15] if weights.startswith("sha256:") else weights
