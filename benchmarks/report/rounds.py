"""Several rounds of the same measurement as one: the median of each figure."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import fields, replace
from statistics import median
from typing import Any, TypeVar

from benchmarks.record import Limit, PeerRow, Record, Row, Step

_Entry = TypeVar("_Entry", Row, Limit, PeerRow)
_Figures = TypeVar("_Figures", Row, Limit, PeerRow, Step)


def medians(record: Record) -> Record:
    """Return the record with the rounds of each row, limit and peer as one; the figures of one round stay as they are.

    Of a peer's requests, those answered and those lost are added up.
    """
    return replace(
        record,
        rows=tuple(replace(_middle(rows), steps=_steps(rows), round=1) for rows in _rounds(record.rows)),
        limits=tuple(replace(_middle(limits), round=1) for limits in _rounds(record.limits)),
        peers=tuple(
            replace(_middle(peers), answered=sum(p.answered for p in peers), lost=sum(p.lost for p in peers), round=1)
            for peers in _rounds(record.peers)
        ),
    )


def _rounds(entries: Iterable[_Entry]) -> list[list[_Entry]]:
    found: dict[Hashable, list[_Entry]] = {}
    for entry in entries:
        found.setdefault(replace(entry, round=1).key, []).append(entry)
    return list(found.values())


def _middle(rounds: Sequence[_Figures]) -> _Figures:
    """Return the first round with the median of each figure, of the rounds in which it is known."""
    middle: dict[str, Any] = {}
    for field in fields(rounds[0]):
        known = [value for each in rounds if isinstance(value := getattr(each, field.name), float)]
        if known:
            middle[field.name] = median(known)
    return replace(rounds[0], **middle)


def _steps(rows: Sequence[Row]) -> tuple[Step, ...]:
    named: dict[str, list[Step]] = {}
    for row in rows:
        for step in row.steps:
            named.setdefault(step.step, []).append(step)
    return tuple(map(_middle, named.values()))
