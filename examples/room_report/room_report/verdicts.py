"""What fits: each product against the free floor along the walls, by its margin and how sure that is.

A margin of two standard deviations or more is called a fit, one below minus two is called none; between them it is
tight, or probably not. Where the photo ends before the floor does, the piece may fit in what is not seen: the verdict
says that, and is never "does not fit".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from room_report.catalogue import Product
from room_report.floor import CELL, WallFloor
from room_report.measures import FloorSpan, spans_of
from room_report.passage import Way, gets_in
from room_report.scale import Source
from room_report.survey import Survey
from room_report.uncertainty import COVER, Value, valued

Word = Literal["fits", "tight", "probably not", "does not fit", "not seen"]
Cause = Literal["margin", "entrance", "no floor", "floor not shown", "floor not known"]
Side = Literal["width", "depth", "height"]

_ORDER: tuple[Word, ...] = ("fits", "tight", "not seen", "probably not", "does not fit")
_SURE = 2.0


@dataclass(frozen=True)
class Clearances:
    """Metres that are left free around a piece of furniture.

    Attributes:
        side: on its left and on its right.
        front: to walk past it; where its doors swing farther, that counts.
        above: below the ceiling.
    """

    side: float = 0.01
    front: float = 0.0
    above: float = 0.02


CLOSE = Clearances()
ANY_WAY = Way()


WALKWAY = 0.76
"""Metres that a person needs to walk past."""


@dataclass(frozen=True)
class Verdict:
    """What is said of a product.

    Attributes:
        product: the piece.
        word: fits, tight, probably not, does not fit, or not seen.
        margin: metres to spare in the direction where it is tightest for its uncertainty; below 0 what is missing.
        half_width: of the margin, about 95 %.
        needed: metres of free floor before the wall that it needs.
        cause: what decides: the margin, the way in, or that the floor before the walls is too shallow or not shown.
        place: where it would stand: wall, first and last column of its stretch; None for nowhere.
        side: which way the margin is; None unless the margin decides.
        source: what makes most of its uncertainty; likewise.

    `words.reason` and `words.advice` say it in a sentence.
    """

    product: Product
    word: Word
    margin: float
    half_width: float
    needed: float
    cause: Cause
    place: tuple[WallFloor, int, int] | None = None
    side: Side | None = None
    source: Source | None = None


@dataclass(frozen=True)
class _Margin:
    metres: float
    spread: float
    side: Side
    source: Source

    @property
    def sureness(self) -> float:
        return self.metres / max(self.spread, 1e-6)


def judge(survey: Survey, products: Sequence[Product], clearances: Clearances = CLOSE, way: Way = ANY_WAY) -> (
    list[Verdict]
):  # fmt: skip
    """The verdict on each product: the best first, and the cheaper first among equals."""
    stretches: dict[int, list[tuple[WallFloor, int, int, Value, Value]]] = {}
    verdicts = [_judge(survey, product, clearances, way, stretches) for product in products]
    return sorted(verdicts, key=best_first)


def best_first(verdict: Verdict) -> tuple[int, float]:
    """A key to sort verdicts by: the best first, and the cheaper first among equals."""
    return _ORDER.index(verdict.word), verdict.product.price


def _judge(
    survey: Survey,
    product: Product,
    clearances: Clearances,
    way: Way,
    stretches: dict[int, list[tuple[WallFloor, int, int, Value, Value]]],
) -> Verdict:
    width = product.width + 2 * clearances.side
    depth = product.depth + max(clearances.front, product.swing)
    if not gets_in((product.width, product.depth, product.height), way):
        return Verdict(product, "does not fit", 0.0, 0.0, depth, "entrance")
    upwards = _upwards(survey, product, clearances)
    # pieces of about one depth share their stretches: rounded up, to the safe side
    step = math.ceil(depth / 0.05 - 1e-9)
    if step not in stretches:
        stretches[step] = _stretches(survey, step * 0.05)
    best: tuple[float, _Margin, tuple[WallFloor, int, int]] | None = None
    for floor, first, last, wide, deep in stretches[step]:
        margins = [_Margin(wide.value - width, wide.spread, "width", wide.largest_part()), *upwards]
        if deep.value - depth < _SURE * deep.spread:
            margins.append(_Margin(deep.value - depth, deep.spread, "depth", deep.largest_part()))
        # what counts is the direction in which it is least sure
        worst = min(margins, key=lambda margin: margin.sureness)
        if best is None or worst.sureness > best[0]:
            best = worst.sureness, worst, (floor, first, last)
    if not survey.floors:
        return Verdict(product, "not seen", 0.0, 0.0, depth, "floor not known")
    if best is None:
        if _hidden(survey, depth):
            return Verdict(product, "not seen", 0.0, 0.0, depth, "floor not shown")
        return Verdict(product, "does not fit", 0.0, 0.0, depth, "no floor")
    return _worded(product, best[1], best[2], depth)


def _upwards(survey: Survey, product: Product, clearances: Clearances) -> list[_Margin]:
    high = survey.of("height")
    if high is None:
        return []
    return [_Margin(high.value - product.height - clearances.above, high.spread, "height", high.largest_part())]


def _stretches(survey: Survey, depth: float) -> list[tuple[WallFloor, int, int, Value, Value]]:
    """The longest stretch along each wall that is free to more than a depth, with its width and the depth's values.

    The depth asked for is widened by its own uncertainty until the stretch is surely deep enough; where there is none
    so deep, the depth itself will do, with the uncertainty that it has.
    """
    assert survey.space is not None
    found = []
    for floor in survey.floors:
        deeper = depth
        spans: list[FloorSpan] = []
        for _ in range(2):
            run = floor.run(deeper) or floor.run(depth)
            if run is None:
                break
            rows = next(r for r in (deeper, depth) if floor.run(r) == run)
            spans = spans_of(survey.space, floor, *run, math.ceil(rows / CELL - 1e-6))
            if not spans:
                break
            wide, deep = valued(survey.space, survey.others, spans[:2])
            deeper = depth + _SURE * deep.spread * 1.05 + CELL
        if run is not None and spans:
            found.append((floor, *run, wide, deep))
    return found


def _hidden(survey: Survey, depth: float) -> bool:
    """Whether some stretch of floor along a wall is not blocked by anything seen, so that a piece may fit there."""
    for floor in survey.floors:
        rows = math.ceil(depth / CELL)
        if floor.free.size and (~floor.blocked[:rows]).all(axis=0).any():
            return True
    return False


def _worded(product: Product, margin: _Margin, place: tuple[WallFloor, int, int], depth: float) -> Verdict:
    if margin.sureness >= _SURE:
        word: Word = "fits"
    elif margin.metres >= 0:
        word = "tight"
    elif margin.sureness > -_SURE:
        word = "probably not"
    else:
        word = "not seen" if margin.side != "height" and _goes_on(place, depth) else "does not fit"
    half = COVER * margin.spread
    return Verdict(product, word, margin.metres, half, depth, "margin", place, margin.side, margin.source)


def _goes_on(place: tuple[WallFloor, int, int], depth: float) -> bool:
    """Whether a stretch ends where the photo does, not at a thing or a wall."""
    floor, first, last = place
    rows = math.ceil(depth / CELL)
    return any(
        0 <= column < floor.blocked.shape[1] and not floor.blocked[:rows, column].any() for column in (first - 1, last)
    )
