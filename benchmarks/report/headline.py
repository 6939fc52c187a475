"""The headline: what is served, against what the same steps do in one process without a server."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.record import Closed, Limit, Record, Row
from reports.tables import Table

AT = 8
"""Requests under way at a time, for the throughput of the headline."""


@dataclass(frozen=True)
class Headline:
    """One network in one build, served and in-process; what was not measured is None.

    `throughput` is served over in-process photos a second, `latency` the served p50 of one photo at a time over
    its in-process time: the median of the rounds' ratios, each of figures that were measured one after the other.
    """

    limit: Limit
    served: Row | None
    alone: Row | None
    throughput: float | None
    latency: float | None


def headlines(record: Record, middle: Record) -> list[Headline]:
    """Return a headline for each limit that something served can be held against.

    Args:
        record: with its rounds.
        middle: the same with the median of the rounds, see `benchmarks.report.rounds.medians`.
    """
    found = []
    for limit in middle.limits:
        served, alone = _served(middle.rows, limit, AT), _served(middle.rows, limit, 1)
        if served is None and alone is None:
            continue
        ratios: list[float] = []
        times: list[float] = []
        for each in record.limits:
            if _same(each, limit):
                rows = [row for row in record.rows if row.round == each.round]
                at, one = _served(rows, each, AT), _served(rows, each, 1)
                ratios += [at.photos_per_second / each.photos_per_second] if at and each.photos_per_second else []
                times += [one.p50_ms / each.one_ms] if one and each.one_ms else []
        found.append(
            Headline(limit, served, alone, median(ratios) if ratios else None, median(times) if times else None)
        )
    return found


def headline_table(found: Sequence[Headline]) -> Table:
    """Return the headline as a table."""
    rows = [
        [
            f"{each.limit.model}, {each.limit.build}",
            each.limit.photo,
            each.limit.result,
            _figure(each.served.photos_per_second if each.served else None),
            _figure(each.limit.photos_per_second),
            f"**{each.throughput:.2f}**" if each.throughput is not None else "",
            _figure(each.alone.p50_ms if each.alone else None),
            _figure(each.limit.one_ms),
            f"**{each.latency:.2f}**" if each.latency is not None else "",
        ]
        for each in found
    ]
    head = ("network", "photo", "result", f"served, {AT} at a time", "in-process", "served / in-process")
    more = ("served, 1 at a time: p50 ms", "in-process ms", "served / in-process")
    return Table((*head, *more), rows, words=3)


def _served(rows: Sequence[Row], limit: Limit, concurrency: int) -> Row | None:
    for row in rows:
        same = (row.model, row.build, row.photo, row.result) == (limit.model, limit.build, limit.photo, limit.result)
        ours = row.target == "ensemble" and row.protocol == "grpc"
        if same and ours and isinstance(row.load, Closed) and row.load.concurrency == concurrency:
            return row
    return None


def _same(one: Limit, other: Limit) -> bool:
    return (one.model, one.build, one.photo, one.result) == (other.model, other.build, other.photo, other.result)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
