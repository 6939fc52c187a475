"""The report as one HTML page that needs nothing else: no server, no network, no other file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from room_report.album import Disagreement, Placed, Shot, photo_of
from room_report.annotated import annotated, stands_apart
from room_report.measures import Wall
from room_report.pictures import jpeg_url
from room_report.plan import plan
from room_report.results import MeasureRow, ProductRow, Results, photo_row, product_row
from room_report.space_view import still, viewer_data
from room_report.verdicts import Verdict, Word
from room_report.words import Language, Words

_HERE = Path(__file__).parent
_TONES: dict[Word, str] = {
    "fits": "yes", "tight": "maybe", "not seen": "open", "probably not": "no", "does not fit": "no",
}  # fmt: skip
_LONGEST = 1600
_PHOTOS = 800_000
"""Bytes for all photos together, so that the page stays below 2 MB."""
_FIRST = 12
_ALTERNATIVES = 3


class Report(NamedTuple):
    """A report: its page and its numbers."""

    html: str
    results: Results


def make_report(
    shots: Sequence[Shot],
    placed: Sequence[Placed],
    *,
    language: Language = "en",
    differing: Sequence[Disagreement] = (),
    left_out: Sequence[tuple[str, str]] = (),
    piece: str | None = None,
    catalogue: str = "",
    invented: bool = False,
    settings: Sequence[str] = (),
    created: datetime | None = None,
) -> Report:
    """Write the report of a room.

    Args:
        shots: the photos as measured, at least one.
        placed: the verdicts, the best first.
        language: of the page, and of the sentences in its numbers.
        differing: shots that differ, as `agreed` found them.
        left_out: photos that could not be measured, with the reason.
        piece: number of the product that it is about; otherwise the largest that fits for sure, or else the first.
        catalogue: its name for the reader.
        invented: whether its pieces do not exist.
        settings: free space that was kept, in words.
        created: when; now, unless it is given.
    """
    words = Words(language)
    chosen = _chosen(placed, piece)
    measured = [number for number, shot in enumerate(shots) if shot.survey.space is not None]
    main = chosen.shot if chosen else measured[0] if measured else 0
    results = Results(
        created=created or datetime.now().astimezone(),
        language=language,
        kind=shots[main].survey.kind,
        catalogue=catalogue,
        settings=list(settings),
        piece=chosen.verdict.product.number if chosen else None,
        notes=_notes(shots, words, differing, left_out, invented=invented),
        photos=[photo_row(shot, words) for shot in shots],
        products=[product_row(each, words) for each in placed],
    )
    return Report(_page(shots, results, chosen.verdict if chosen else None, main, words), results)


def _chosen(placed: Sequence[Placed], piece: str | None) -> Placed | None:
    """The product that the report is about."""
    if piece is not None:
        return next((each for each in placed if each.verdict.product.number == piece), None)
    sure = [each for each in placed if each.verdict.word == "fits"]
    return max(sure or placed[:1], key=lambda each: each.verdict.product.width * each.verdict.product.depth,
               default=None)  # fmt: skip


def _notes(
    shots: Sequence[Shot],
    words: Words,
    differing: Sequence[Disagreement],
    left_out: Sequence[tuple[str, str]],
    *,
    invented: bool,
) -> list[str]:
    """What a reader must know before he relies on it."""
    notes = []
    if any(shot.depth.weights == "untrained" for shot in shots):
        notes.append(words("untrained"))
    notes += [words("photo_failed", photo=name, why=why) for name, why in left_out]
    for shot in shots:
        if shot.survey.space is None:
            notes.append(words("photo_relative", photo=shot.name))
        elif shot.assumed:
            notes.append(words("focal_assumed", photo=shot.name, why=shot.assumed))
    for each in differing:
        one, other = (shots[number].name for number in each.shots)
        notes.append(words("heights_differ", one=one, other=other, first=each.values[0], second=each.values[1]))
    notes += [words(note.key, *note.values) for shot in shots for note in shot.survey.notes]
    found = [shot.survey for shot in shots if shot.survey.space is not None]
    if found and all(survey.of("height") is None for survey in found):
        notes.append(words("no_ceiling"))
    if any(isinstance(measure, Wall) and not measure.whole for survey in found for measure, _ in survey.values):
        notes.append(words("wall_is_least"))
    if invented:
        notes.append(words("invented"))
    return notes


def _page(shots: Sequence[Shot], results: Results, verdict: Verdict | None, main: int, words: Words) -> str:
    row = next((each for each in results.products if each.number == results.piece), None)
    drawn = []
    for number, (shot, photo) in enumerate(zip(shots, results.photos, strict=True)):
        url = jpeg_url(photo_of(shot), _LONGEST, _PHOTOS // len(shots))
        shown = verdict if number == main else None
        svg = annotated(url, shot.camera.size, shot.references, shot.survey, shown, words)
        drawn.append({"svg": _own(svg), "row": photo})
    space = shots[main].survey.space
    floor_plan = plan(shots[main].survey, verdict, words)
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    counts = [(word, sum(each.verdict == word for each in results.products)) for word in _TONES]
    shown_alone = {"wall", "height", "free width", "free depth"}
    return environment.get_template("page.html").render(
        words=words,
        results=results,
        headline=_headline(row, results, words),
        tone=_TONES[row.verdict] if row else "open",
        tones=_TONES,
        counts=[(word, count) for word, count in counts if count],
        piece=row,
        drawn=verdict is not None and verdict.place is not None,
        apart=verdict is not None and stands_apart(shots[main].survey, verdict),
        figures=[each for each in results.photos[main].measures if each.name in shown_alone],
        measured=any(photo.measures for photo in results.photos),
        others=_others(results),
        main=main,
        photos=drawn,
        plan=floor_plan and floor_plan._replace(svg=_own(floor_plan.svg)),
        space=space and {"still": still(space, photo_of(shots[main])), "data": _own(viewer_data(space))},
        first=_FIRST,
        cm=lambda metres: f"{100 * metres:.0f}",
        budget=budget,
        style=_own((_HERE / "page.css").read_text(encoding="utf-8")),
        viewer=_own((_HERE / "view.js").read_text(encoding="utf-8")),
        font=_own(_font()),
    )


def _own(text: str) -> Markup:
    """Text of this package's own making, whose foreign parts are escaped already."""
    return Markup(text)  # noqa: S704


def _font() -> str:
    data = (_HERE / "instrument-sans-latin-wght-normal.woff2").read_bytes()
    return f"data:font/woff2;base64,{base64.b64encode(data).decode()}"


def _headline(piece: ProductRow | None, results: Results, words: Words) -> str:
    if piece is None:
        return words("title_relative" if results.kind == "relative" else "title")
    return words(f"{piece.verdict}_headline", name=piece.name, cm=round(abs(piece.margin) * 100))


def _others(results: Results) -> list[ProductRow]:
    """The cheapest others that fit for sure."""
    return [row for row in results.products if row.verdict == "fits" and row.number != results.piece][:_ALTERNATIVES]


def budget(row: MeasureRow) -> list[tuple[str, str]]:
    """The sources that count in a measure's ±, the largest first, each with its size in cm, or m² of an area."""
    area = row.unit == "m²"
    parts = sorted(row.parts.items(), key=lambda part: -part[1])
    return [
        (source, f"{size:.2f}" if area else f"{100 * size:.1f}")
        for source, size in parts
        if size > 0.1 * row.half_width
    ]
