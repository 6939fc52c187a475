"""The report of a fine-tuning: what was better before, what is better after, and pictures of both."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from accuracy.metrics import LARGER_IS_BETTER, Figures, mean
from accuracy.tables import TITLES
from reports.page import markdown
from reports.tables import Table
from training.evaluation import Evaluated
from training.pictures import coloured, save_rows

PICTURED = 8
_TEMPLATE = Path(__file__).with_name("report.md")
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
        before: their figures at the start.
        after: their figures with the kept weights.
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
    text = markdown(
        _TEMPLATE,
        variant=variant,
        start=start,
        weights=weights,
        learnt_from=learnt_from,
        count=len(names),
        verdict=verdict,
        means=_means(mean(before), mean(after)),
        photos=_photos(names, before, after),
    )
    report = folder / "report.md"
    report.write_text(text)
    return report


def _means(before: Figures, after: Figures) -> Table:
    lines = []
    for field in fields(Figures):
        was, now = getattr(before, field.name), getattr(after, field.name)
        if was is None or now is None:
            continue
        better = (now > was) == LARGER_IS_BETTER[field.name]
        word = "the same" if round(was, 3) == round(now, 3) else "better" if better else "worse"
        lines.append([TITLES[field.name], f"{was:.3f}", f"{now:.3f}", word])
    return Table(["", "before", "after", ""], lines)


def _photos(names: Sequence[str], before: Sequence[Figures], after: Sequence[Figures]) -> Table:
    heads = [f"{TITLES[name]} {when}" for name in _OF_EACH_PHOTO for when in ("before", "after")]
    lines = []
    for photo, was, now in zip(names, before, after, strict=True):
        values = [getattr(figures, name) for name in _OF_EACH_PHOTO for figures in (was, now)]
        lines.append([photo, *("" if value is None else f"{value:.3f}" for value in values)])
    return Table(["photo", *heads], lines)
