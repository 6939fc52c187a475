"""The report's parts in their order, of one machine or of several."""

import re
from collections.abc import Mapping, Sequence

from benchmarks.record import Closed, Record
from benchmarks.report import accuracy, advice, figures, headline, load, peers, place, steps
from benchmarks.report.blocks import Block, Heading, Paragraph, Table
from benchmarks.report.rounds import medians


def contents(
    records: Sequence[Record],
    errors: Mapping[tuple[str, str], str],
    commands: Mapping[str, Sequence[str]] | None = None,
) -> list[Block]:
    """Return the whole report.

    Args:
        records: one of each machine, in the order of their sections.
        errors: the exported formats' errors against PyTorch, by network and format.
        commands: what repeats the measurements, by the machine's name; where it is missing, the record's own.
    """
    made: list[Block] = [
        Heading(1, "MiDaS on Triton: benchmarks"),
        Paragraph(
            "Latency and throughput of MiDaS depth networks served by NVIDIA Triton, from the bytes of a photo to its "
            "depth, measured with Triton's own load generator, beside what the same machine does without a server and "
            "beside other ways to serve the same networks. Nothing is estimated, and parts that "
            "were not measured are named."
        ),
    ]
    if len(records) > 1:
        made += [Heading(2, "Machines"), _machines(records)]
    for number, record in enumerate(records):
        middle = medians(record)
        prefix = _short(record.machine.gpu.name if record.machine.gpu else record.machine.processor, number)
        made += [
            Heading(
                2,
                record.machine.gpu.name
                if record.machine.gpu
                else f"{record.machine.processor}, {record.machine.cores} cores",
            ),
            *place.blocks(record, (commands or {}).get(record.machine.name, [record.command])),
            Heading(3, "Served against in-process"),
            *headline.blocks(headline.headlines(record, middle)),
            Heading(3, "Which network, which settings"),
            *advice.blocks(middle.rows, errors),
            *figures.blocks(middle.rows),
            *load.blocks(middle.rows, prefix),
            *steps.blocks(middle.rows, prefix),
            *accuracy.blocks(middle.rows, errors, prefix),
            *peers.blocks(middle.peers, prefix),
        ]
    return made


def _machines(records: Sequence[Record]) -> Table:
    """Return the highest photos a second of each network and format that was measured, a column a machine."""
    peaks: dict[tuple[str, str, str, str], dict[int, float]] = {}
    for number, record in enumerate(records):
        closed = [row for row in medians(record).rows if isinstance(row.load, Closed)]
        for group in figures.by_setting(closed):
            row = group[0]
            if row.target == "ensemble" and row.protocol == "grpc":
                at = peaks.setdefault((row.model, row.format, row.photo, row.result), {})
                at[number] = max(at.get(number, 0.0), *(row.photos_per_second for row in group))
    head = ["highest photos/s", "format", "photo", "result", *(record.machine.name for record in records)]
    rows = [
        [*what, *(f"{at[number]:.1f}" if number in at else "" for number in range(len(records)))]
        for what, at in sorted(peaks.items())
    ]
    return Table(head, rows, words=4)


def _short(machine: str, number: int) -> str:
    """Return a machine's part of its pictures' names, for instance ``m1-tesla-t4``."""
    words = re.sub(r"\(.*?\)", "", machine).lower()
    return f"m{number + 1}-{re.sub(r'[^a-z0-9]+', '-', words).strip('-')[:24].strip('-')}"
