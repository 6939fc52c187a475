"""Where the time goes: bars of each step's wait, work and copies."""

from collections.abc import Callable, Sequence

from benchmarks.record import Closed, Row, Step
from benchmarks.report.bars import Bar, Group, Part, bars
from benchmarks.report.blocks import Block, Heading, Paragraph, Picture, Pictures

_ORDER = ("preprocess", "network", "postprocess")
_LOADS = (1, 8)


def blocks(rows: Sequence[Row], prefix: str) -> list[Block]:
    """Return a picture for each network of the photo and result that most share, and one of photos and results."""
    made: list[Block] = [Heading(3, "Where the time goes")]
    shown = [
        row
        for row in rows
        if row.target == "ensemble" and row.steps and isinstance(row.load, Closed) and row.load.concurrency in _LOADS
    ]
    if not shown:
        return [*made, Paragraph("*Time by step*: not measured here.")]
    shown = [row for row in shown if row.protocol == "grpc"]
    settings = [(row.photo, row.result) for row in shown]
    usual = max(settings, key=settings.count)
    networks: dict[str, list[Row]] = {}
    kinds: dict[tuple[str, str], list[Row]] = {}
    for row in shown:
        if (row.photo, row.result) == usual:
            networks.setdefault(row.model, []).append(row)
        elif isinstance(row.load, Closed) and row.load.concurrency == 1:
            kinds.setdefault((row.model, row.format), []).append(row)
    pictures = [
        _picture(
            f"{prefix}-steps-{model}", f"{model}, {usual[0]}, {usual[1]}", rows, lambda row: f"{row.format}, {row.load}"
        )
        for model, rows in networks.items()
    ]
    if kinds:
        (model, form), rows = max(kinds.items(), key=lambda item: len(item[1]))
        usual_one = [row for row in networks.get(model, []) if row.format == form and row.load == rows[0].load]
        title = f"{model}, {form}, one photo at a time"
        pictures.append(
            _picture(
                f"{prefix}-steps-photos-results", title, [*usual_one, *rows], lambda row: f"{row.photo}, {row.result}"
            )
        )
    return [
        *made,
        Paragraph(
            "By Triton's own counters, per photo; a photo in a batch is charged the whole execution of that batch, "
            "since it waits for it. At the end of a bar: the sum in ms, and how many photos one execution of the "
            "network held."
        ),
        Pictures(pictures),
    ]


def _picture(name: str, title: str, rows: Sequence[Row], label: Callable[[Row], str]) -> Picture:
    return bars(
        name,
        title,
        [Group(label(row), [_bar(row.steps)]) for row in rows],
        series=_ORDER,
        across="ms for a photo",
        note="solid: work; pale: waiting before it; thin: copies",
    )


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
