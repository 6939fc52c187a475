"""All numbers of a report: what its page shows and its JSON and CSV files hold."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from room_report.album import Placed, Shot
from room_report.measures import Measure, Name, Wall
from room_report.quality import Grade, check_photo
from room_report.references import CameraHeight, KnownDistance, KnownLength, KnownRectangle, Reference
from room_report.scale import Kind, Source
from room_report.uncertainty import COVER, Value
from room_report.verdicts import Cause, Clearances, Side, Word
from room_report.words import Words, advice, reason

ThingName = Literal["thing width", "thing height"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class MeasureRow(_Frozen):
    """A measure: metres, or square metres of an area.

    Attributes:
        label: of the thing that was measured; empty for the room.
        half_width: the true value lies within `value` ± it about 95 times in 100.
        text: rounded to its uncertainty, as it is to be read.
        at_least: the photo does not show where it ends.
        parts: the half-width that each source of uncertainty would give alone.
    """

    name: Name | ThingName
    label: str = ""
    value: float
    half_width: float
    unit: str
    text: str
    kind: Kind
    at_least: bool
    parts: dict[Source, float]


class QualityRow(_Frozen):
    """A check of the photo."""

    name: str
    value: float
    unit: str
    grade: Grade


class Focal(_Frozen):
    """The focal length in pixels, where it is from, and its half-width (95 %) as a share of it."""

    pixels: float
    source: str
    half_width: float


class PhotoRow(_Frozen):
    """A photo and how its depth was made; `known` is what was known, in the report's language."""

    name: str
    width: int
    height: int
    kind: Kind
    focal: Focal
    known: list[str]
    model: str
    network: str
    network_size: tuple[int, int]
    weights: str
    licence: str | None
    quality: list[QualityRow]
    measures: list[MeasureRow]


class ProductRow(_Frozen):
    """A piece with its verdict; sizes and the margin in metres.

    Attributes:
        photo: the number of the photo that the verdict is about, from 0.
        margin: to spare where it is tightest; below 0 what is missing.
        reason, advice: in the report's language.
    """

    number: str
    name: str
    kind: str
    width: float
    depth: float
    height: float
    price: float
    verdict: Word
    cause: Cause
    side: Side | None
    margin: float
    half_width: float
    reason: str
    advice: str
    photo: int


class Results(_Frozen):
    """A report's numbers.

    Attributes:
        created: in the time of the machine that made it.
        catalogue: a name for the reader.
        settings: free space that was kept, in the report's language.
        piece: number of the product that the report is about; None where there is none.
        notes: what a reader must know, in the report's language.
    """

    version: int = 1
    created: datetime
    language: str
    kind: Kind
    catalogue: str
    settings: list[str]
    piece: str | None
    notes: list[str]
    photos: list[PhotoRow]
    products: list[ProductRow]


def measure_row(measure: Measure, value: Value) -> MeasureRow:
    """A measure as a row."""
    return MeasureRow(
        name=measure.name,
        value=value.value,
        half_width=value.half_width,
        unit="m²" if measure.name == "free area" else "m",
        text=str(value),
        kind=value.kind,
        at_least=isinstance(measure, Wall) and not measure.whole,
        parts={source: COVER * part for source, part in value.parts.items()},
    )


def thing_row(label: str, name: ThingName, value: Value) -> MeasureRow:
    """A thing's width or height as a row."""
    return MeasureRow(
        name=name,
        label=label,
        value=value.value,
        half_width=value.half_width,
        unit="m",
        text=str(value),
        kind=value.kind,
        at_least=False,
        parts={source: COVER * part for source, part in value.parts.items()},
    )


def photo_row(shot: Shot, words: Words) -> PhotoRow:
    """A shot as a row."""
    checks = check_photo(shot.photo, shot.camera, shot.references, shot.survey.space)
    height, width = shot.photo.shape[:2]
    return PhotoRow(
        name=shot.name,
        width=width,
        height=height,
        kind=shot.survey.kind,
        focal=Focal(
            pixels=shot.camera.focal * width / shot.camera.size[0],
            source=shot.camera.source,
            half_width=COVER * shot.camera.spread,
        ),
        known=[known(reference, words) for reference in shot.references],
        model=shot.depth.model,
        network=shot.depth.variant,
        network_size=shot.depth.network_size,
        weights=shot.depth.weights,
        licence=shot.depth.licence,
        quality=[QualityRow(name=each.name, value=each.value, unit=each.unit, grade=each.grade) for each in checks],
        measures=[
            *(measure_row(measure, value) for measure, value in shot.survey.values),
            *(thing_row(label, "thing width", width) for label, width, _ in shot.survey.things),
            *(thing_row(label, "thing height", height) for label, _, height in shot.survey.things),
        ],
    )


def product_row(placed: Placed, words: Words) -> ProductRow:
    """A verdict as a row."""
    verdict, product = placed.verdict, placed.verdict.product
    return ProductRow(
        number=product.number,
        name=product.name,
        kind=product.kind,
        width=product.width,
        depth=product.depth,
        height=product.height,
        price=product.price,
        verdict=verdict.word,
        cause=verdict.cause,
        side=verdict.side,
        margin=verdict.margin,
        half_width=verdict.half_width,
        reason=reason(verdict, words),
        advice=advice(verdict, words),
        photo=placed.shot,
    )


def known(reference: Reference, words: Words) -> str:
    """What was known, in words."""
    tolerance = f"± {round(100 * reference.tolerance, 2):g} cm"
    if isinstance(reference, KnownRectangle):
        what = words("door" if reference.upright else "sheet")
        return f"{what} {round(reference.width, 3):g} × {round(reference.height, 3):g} m {tolerance}"
    name = {KnownLength: "length", KnownDistance: "point", CameraHeight: "camera_up"}[type(reference)]
    return f"{words(name)} {round(reference.metres, 3):g} m {tolerance}"


def settings_of(clearances: Clearances, entrance: tuple[float, float] | None, skirting: float, words: Words) -> (
    list[str]
):  # fmt: skip
    """The free space that was kept."""
    kept = [words("side_gap", cm=f"{100 * clearances.side:g}"), words("skirting", cm=f"{100 * skirting:g}")]
    if clearances.front:
        kept.append(words("front_gap", cm=f"{100 * clearances.front:g}"))
    if entrance:
        kept.append(words("way_in", width=f"{100 * entrance[0]:g}", height=f"{100 * entrance[1]:g}"))
    return kept


def measures_csv(results: Results) -> str:
    """The measures of all photos, a line each; a spreadsheet opens it."""
    sources: tuple[Source, ...] = (
        "reference", "clicks", "right angles", "focal length", "gravity", "planes", "network",
    )  # fmt: skip
    head = ["photo", "name", "label", "at_least", "value", "half_width", "unit", "kind", *sources]
    return _csv(
        head,
        (
            [photo.name, row.name, row.label, int(row.at_least), f"{row.value:.4f}", f"{row.half_width:.4f}", row.unit,
             row.kind, *(f"{row.parts.get(source, 0.0):.4f}" for source in sources)]
            for photo in results.photos
            for row in photo.measures
        ),
    )  # fmt: skip


def products_csv(results: Results) -> str:
    """The products, a line each, best first."""
    head = [name for name in ProductRow.model_fields if name != "photo"]
    return _csv(
        [*head, "photo"],
        ([*(getattr(row, name) for name in head), results.photos[row.photo].name] for row in results.products),
    )


def _csv(head: list[str], rows: Iterable[list[object]]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(head)
    table.writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def _harmless(cell: object) -> object:
    """A cell that a spreadsheet does not take for a formula: names come from files and catalogues of others."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t\r" else cell
