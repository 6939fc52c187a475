"""Where the time goes: bars of each step's wait, work and copies."""

from collections.abc import Callable, Sequence

from benchmarks.record import Closed, Row, Step
from reports.plots.bars import Bar, Group, Part, bars
from reports.plots.sheet import Picture

_ORDER = ("preprocess", "network", "postprocess")
_LOADS = (1, 8)


def step_pictures(rows: Sequence[Row], prefix: str) -> list[Picture]:
    """Return a picture for each network of the photo and result that most share, and one of photos and results.

    Args:
        rows: of the whole pipeline, on one machine, in one round.
        prefix: the beginning of the pictures' names.
    """
    shown = [
        row
        for row in rows
        if row.protocol == "grpc" and row.steps and isinstance(row.load, Closed) and row.load.concurrency in _LOADS
    ]
    settings = [(row.photo, row.result) for row in shown]
    usual = max(settings, key=settings.count, default=None)
    networks: dict[str, list[Row]] = {}
    kinds: dict[tuple[str, str], list[Row]] = {}
    for row in shown:
        if (row.photo, row.result) == usual:
            networks.setdefault(row.model, []).append(row)
        elif isinstance(row.load, Closed) and row.load.concurrency == 1:
            kinds.setdefault((row.model, row.build), []).append(row)
    pictures = [
        _picture(
            f"{prefix}-steps-{model}", f"{model}, {of[0].photo}, {of[0].result}", of, lambda r: f"{r.build}, {r.load}"
        )
        for model, of in networks.items()
    ]
    if kinds:
        (model, build), of = max(kinds.items(), key=lambda item: len(item[1]))
        usual_one = [row for row in networks.get(model, []) if row.build == build and row.load == of[0].load]
        title = f"{model}, {build}, one photo at a time"
        name = f"{prefix}-steps-photos-results"
        pictures.append(_picture(name, title, [*usual_one, *of], lambda row: f"{row.photo}, {row.result}"))
    return pictures


def _picture(name: str, title: str, rows: Sequence[Row], label: Callable[[Row], str]) -> Picture:
    groups = [Group(label(row), [_bar(row.steps)]) for row in rows]
    across = "ms for a photo; solid: work, pale: waiting before it, thin: copies"
    return bars(title, groups, series=_ORDER, across=across).picture(name)


def _bar(steps: Sequence[Step]) -> Bar:
    parts = []
    for step in sorted(steps, key=_place):
        series = _place(step)
        parts.append(Part(series, step.queue_ms, faint=True, tip=f"{step.step}: waits {step.queue_ms:.1f} ms"))
        parts.append(Part(series, step.compute_ms, tip=f"{step.step}: works {step.compute_ms:.1f} ms"))
        parts.append(Part(series, step.copy_ms, thin=True, tip=f"{step.step}: copies {step.copy_ms:.1f} ms"))
    whole = sum(part.value for part in parts)
    batch = next((step.batch for step in steps if step.step == "network"), 1.0)
    return Bar(parts, f"{whole:.0f} ms, x{batch:.1f}")


def _place(step: Step) -> int:
    return _ORDER.index(step.step) if step.step in _ORDER else len(_ORDER)
