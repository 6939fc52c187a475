"""The figures as tables: for the terminal and in Markdown."""

from collections.abc import Sequence

from rich.box import SIMPLE
from rich.table import Table

from accuracy.evaluate import Result
from accuracy.metrics import LARGER_IS_BETTER, Figures

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


def columns(results: Sequence[Result]) -> list[str]:
    """The names of the figures that at least one photo has, in their fixed order."""
    return [
        name
        for name in TITLES
        if any(getattr(photo.figures, name) is not None for result in results for photo in result.photos)
    ]


def mean_table(results: Sequence[Result]) -> Table:
    """A line for each predictor: the means over all photos, the median time, and the weights."""
    names = columns(results)
    table = Table(title="Mean over the photos", box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("network")
    _add_columns(table, names)
    table.add_column("weights", overflow="fold")
    for result in results:
        time = "-" if result.model is None else f"{result.milliseconds:.0f}"
        best = [_is_best(result, name, results) for name in names]
        cells = [
            f"[bold]{text}[/]" if bold else text for text, bold in zip(_cells(result.mean, names), best, strict=True)
        ]
        table.add_row(result.label, *cells, time, _short(result.weights))
    return table


def photo_table(result: Result, names: Sequence[str]) -> Table:
    """A line for each photo of one predictor, worst first; at most 20."""
    ordered = sorted(result.photos, key=lambda photo: -(photo.figures.abs_rel or 0.0))
    title = result.label if len(ordered) <= MOST_ROWS else f"{result.label}: the worst {MOST_ROWS} of {len(ordered)}"
    table = Table(title=title, box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("photo", overflow="fold")
    _add_columns(table, names)
    for photo in ordered[:MOST_ROWS]:
        table.add_row(photo.sample.name, *_cells(photo.figures, names), f"{photo.milliseconds:.0f}")
    return table


def mean_markdown(results: Sequence[Result]) -> str:
    """The table of means in Markdown."""
    names = columns(results)
    lines = [_heading(["network", *(_arrowed(name) for name in names), "ms a photo", "weights"])]
    for result in results:
        time = "-" if result.model is None else f"{result.milliseconds:.0f}"
        lines.append(_line([result.label, *_cells(result.mean, names), time, _short(result.weights)]))
    return "\n".join(lines)


def photo_markdown(result: Result, names: Sequence[str]) -> str:
    """The table of all photos of one predictor in Markdown, in the order of the data."""
    lines = [_heading(["photo", *(_arrowed(name) for name in names), "ms"])]
    lines += [
        _line([photo.sample.name, *_cells(photo.figures, names), f"{photo.milliseconds:.0f}"])
        for photo in result.photos
    ]
    return "\n".join(lines)


def _add_columns(table: Table, names: Sequence[str]) -> None:
    for name in names:
        table.add_column(_arrowed(name), justify="right")
    table.add_column("ms", justify="right")


def _arrowed(name: str) -> str:
    return f"{TITLES[name]} {'up' if LARGER_IS_BETTER[name] else 'down'}"


def _cells(figures: Figures, names: Sequence[str]) -> list[str]:
    return ["-" if (value := getattr(figures, name)) is None else f"{value:.3f}" for name in names]


def _is_best(result: Result, name: str, results: Sequence[Result]) -> bool:
    values = [value for each in results if (value := getattr(each.mean, name)) is not None]
    choose = max if LARGER_IS_BETTER[name] else min
    return len(results) > 1 and bool(values) and getattr(result.mean, name) == choose(values)


def _short(weights: str) -> str:
    return weights[:15] if weights.startswith("sha256:") else weights


def _heading(cells: Sequence[str]) -> str:
    return _line(cells) + "\n|" + "---|" + "---:|" * (len(cells) - 1)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
