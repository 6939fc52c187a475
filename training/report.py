"""The report of a fine-tuning: what was better before, what is better after, and pictures of both."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from accuracy.metrics import LARGER_IS_BETTER, Figures, mean
from training.evaluation import Evaluated
from training.pictures import coloured, save_rows

PICTURED = 8
_NAMES = {
    "delta_1": "delta-1",
    "abs_rel": "AbsRel",
    "rmse_log": "RMSE-log",
    "spearman": "Spearman",
    "edge_f1": "edge F1",
    "whdr": "WHDR",
}
_OF_EACH_PHOTO = ("abs_rel", "delta_1", "spearman")


def write_report(
    folder: Path,
    *,
    variant: str,
    start: str,
    weights: Path,
    learnt_from: int,
    step: int,
    names: Sequence[str],
    before: Sequence[Figures],
    after: Sequence[Figures],
    pictures: Sequence[tuple[Evaluated, Evaluated]],
) -> Path:
    """Write `report.md` and `before_after.png` into `folder`.

    Args:
        folder: of the run.
        variant: what was fine-tuned.
        start: name of the checkpoint that it started from.
        weights: the checkpoint that was written.
        learnt_from: number of photos.
        step: after which the kept weights were reached; 0 if none were better than the start.
        names: of the validation photos.
        before, after: their figures.
        pictures: some of them, before and after.

    Returns:
        The report.
    """
    rows = [
        [was.photo, coloured(was.truth, was.truth > 0), coloured(was.depth), coloured(now.depth)]
        for was, now in pictures
    ]
    save_rows(folder / "before_after.png", ["photo", "truth", "before", "after"], rows)
    verdict = (
        f"The weights after step {step} are the best on the validation photos and are kept."
        if step
        else "Nothing was better than the start on the validation photos, so the start is kept."
    )
    text = f"""\
# {variant}, fine-tuned

{start}, on {learnt_from} photos with depth; judged on {len(names)} others that it did not learn from. {verdict}

By the protocol of MiDaS (scale and shift of inverse depth by least squares for each photo), means over the validation
photos:

{_means(mean(before), mean(after))}

![photo, truth, before, after](before_after.png)

Bright is near; grey has no truth.

## Each photo

{_photos(names, before, after)}

## Use it

    python -m export {variant} --weights {weights}

![loss and validation](curve.png)
"""
    report = folder / "report.md"
    report.write_text(text)
    return report


def _means(before: Figures, after: Figures) -> str:
    lines = ["| | before | after | |", "|---|---|---|---|"]
    for field in fields(Figures):
        was, now = getattr(before, field.name), getattr(after, field.name)
        if was is None or now is None:
            continue
        better = (now > was) == LARGER_IS_BETTER[field.name]
        word = "the same" if round(was, 3) == round(now, 3) else "better" if better else "worse"
        lines.append(f"| {_NAMES[field.name]} | {was:.3f} | {now:.3f} | {word} |")
    return "\n".join(lines)


def _photos(names: Sequence[str], before: Sequence[Figures], after: Sequence[Figures]) -> str:
    heads = [f"{_NAMES[name]} {when}" for name in _OF_EACH_PHOTO for when in ("before", "after")]
    lines = [f"| photo | {' | '.join(heads)} |", "|---" * (1 + len(heads)) + "|"]
    for photo, was, now in zip(names, before, after, strict=True):
        values = [_number(getattr(figures, name)) for name in _OF_EACH_PHOTO for figures in (was, now)]
        lines.append(f"| {photo} | {' | '.join(values)} |")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
