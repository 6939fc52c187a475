"""Several rounds of the same measurement as one: the median of each figure."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from statistics import median
from typing import TypeVar

from benchmarks.record import Limit, Peer, Record, Row, Step

_Entry = TypeVar("_Entry", Row, Limit, Peer)


def medians(record: Record) -> Record:
    """Return the record with the rounds of each row, limit and peer as one; the figures of one round stay as they are.

    Of a peer's requests, those answered and those lost are added up.
    """
    return replace(
        record,
        rows=tuple(_row(rows) for rows in _rounds(record.rows)),
        limits=tuple(_limit(limits) for limits in _rounds(record.limits)),
        peers=tuple(_peer(peers) for peers in _rounds(record.peers)),
    )


def _rounds(entries: Iterable[_Entry]) -> list[list[_Entry]]:
    found: dict[Hashable, list[_Entry]] = {}
    for entry in entries:
        found.setdefault(replace(entry, round=1).key, []).append(entry)
    return list(found.values())


def _row(rows: Sequence[Row]) -> Row:
    def middle(figure: Callable[[Row], float]) -> float:
        return median(map(figure, rows))

    def middle_known(figure: Callable[[Row], float | None]) -> float | None:
        known = [value for value in map(figure, rows) if value is not None]
        return median(known) if known else None

    return replace(
        rows[0],
        photos_per_second=middle(lambda row: row.photos_per_second),
        mean_ms=middle(lambda row: row.mean_ms),
        p50_ms=middle(lambda row: row.p50_ms),
        p90_ms=middle(lambda row: row.p90_ms),
        p95_ms=middle(lambda row: row.p95_ms),
        p99_ms=middle(lambda row: row.p99_ms),
        refused=middle_known(lambda row: row.refused),
        refused_p99_ms=middle_known(lambda row: row.refused_p99_ms),
        steps=_steps(rows),
        cpu_cores=middle_known(lambda row: row.cpu_cores),
        memory_mb=middle_known(lambda row: row.memory_mb),
        shared_memory_mb=middle_known(lambda row: row.shared_memory_mb),
        gpu_percent=middle_known(lambda row: row.gpu_percent),
        gpu_memory_mb=middle_known(lambda row: row.gpu_memory_mb),
        round=1,
    )


def _steps(rows: Sequence[Row]) -> tuple[Step, ...]:
    named: dict[str, list[Step]] = {}
    for row in rows:
        for step in row.steps:
            named.setdefault(step.step, []).append(step)
    return tuple(
        Step(
            step=name,
            queue_ms=median(step.queue_ms for step in steps),
            compute_ms=median(step.compute_ms for step in steps),
            copy_ms=median(step.copy_ms for step in steps),
            batch=median(step.batch for step in steps),
        )
        for name, steps in named.items()
    )


def _limit(limits: Sequence[Limit]) -> Limit:
    return replace(
        limits[0],
        photos_per_second=median(limit.photos_per_second for limit in limits),
        one_ms=median(limit.one_ms for limit in limits),
        round=1,
    )


def _peer(peers: Sequence[Peer]) -> Peer:
    return replace(
        peers[0],
        photos_per_second=median(peer.photos_per_second for peer in peers),
        p50_ms=median(peer.p50_ms for peer in peers),
        p99_ms=median(peer.p99_ms for peer in peers),
        answered=sum(peer.answered for peer in peers),
        lost=sum(peer.lost for peer in peers),
        round=1,
    )
