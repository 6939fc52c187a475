"""The report: the words of `benchmarks.md` beside this file, with the figures of one machine or several."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.record import Closed, Open, Record
from benchmarks.report.accuracy import accuracy_pictures, accuracy_table, comparable
from benchmarks.report.choices import choices_table
from benchmarks.report.figures import all_closed_loops, by_setting, closed_loops, open_loops
from benchmarks.report.headline import headline_table, headlines
from benchmarks.report.loads import load_pictures
from benchmarks.report.networks import networks_table
from benchmarks.report.peers import peers_picture, peers_table, together
from benchmarks.report.published import T4_SERVICE
from benchmarks.report.rounds import medians
from benchmarks.report.steps import step_pictures
from reports.page import markdown
from reports.plots.sheet import Picture
from reports.published import SOURCE
from reports.tables import Table

TEMPLATE = Path(__file__).with_name("benchmarks.md")


def contents(
    records: Sequence[Record], errors: Mapping[tuple[str, str], str], *, folder: str = "benchmarks", advice: str = ""
) -> tuple[str, list[Picture]]:
    """Return the whole report as Markdown, and its pictures.

    Args:
        records: one of each machine, in the order of their sections.
        errors: the exported builds' errors against PyTorch, by network and build.
        folder: where the pictures lie, relative to the document.
        advice: which network and settings to choose, in words; Markdown.
    """
    sections = [_section(record, number, errors) for number, record in enumerate(records)]
    text = markdown(
        TEMPLATE,
        sections=sections,
        machines=_machines(records) if len(records) > 1 else None,
        advice=advice,
        folder=folder,
        source=SOURCE,
        t4=T4_SERVICE,
        has_errors=bool(errors),
    )
    kinds = ("closed_pictures", "open_pictures", "step_pictures", "accuracy_pictures", "peer_pictures")
    return text, [picture for section in sections for kind in kinds for picture in section[kind]]


def _section(record: Record, number: int, errors: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """Return what the template names of one machine."""
    middle = medians(record)
    rounds = [entry.round for entries in (record.rows, record.limits, record.peers) for entry in entries]
    machine = record.machine
    prefix = _short(machine.gpu.name if machine.gpu else machine.processor, number)
    served = [row for row in middle.rows if row.target == "ensemble"]
    closed = [row for row in middle.rows if isinstance(row.load, Closed)]
    closed_pictures, open_pictures = load_pictures(served, prefix)
    found = headlines(record, middle)
    groups = comparable(middle.rows)
    peers = together(middle.peers)
    return {
        "title": machine.gpu.name if machine.gpu else f"{machine.processor}, {machine.cores} cores",
        "record": record,
        "rounds": max(rounds, default=1),
        "untrained": sorted({row.model for row in record.rows if row.weights == "untrained"}),
        "headline": headline_table(found) if found else None,
        "served": closed_loops([row for row in closed if row.target == "ensemble"]),
        "alone": closed_loops([row for row in closed if row.target == "network"]),
        "all": all_closed_loops(closed) if closed else None,
        "closed_pictures": closed_pictures,
        "open_pictures": open_pictures,
        "open": open_loops(served) if any(isinstance(row.load, Open) for row in served) else None,
        "step_pictures": step_pictures(served, prefix),
        "compared": accuracy_table(groups, errors) if groups else None,
        "photo": groups[0][0].photo if groups else "",
        "accuracy_pictures": accuracy_pictures(groups, prefix),
        "choices": choices_table(record.choices, middle.rows) if record.choices else None,
        "networks": networks_table(record.networks) if record.networks else None,
        "peers": [peers_table(each) for each in peers],
        "peer_pictures": [peers_picture(each, prefix) for each in peers],
    }


def _machines(records: Sequence[Record]) -> Table:
    """Return the highest photos a second of each network and build that was measured, a column a machine."""
    peaks: dict[tuple[str, str, str, str], dict[int, float]] = {}
    for number, record in enumerate(records):
        closed = [row for row in medians(record).rows if isinstance(row.load, Closed)]
        for group in by_setting(closed):
            row = group[0]
            if row.target == "ensemble" and row.protocol == "grpc":
                at = peaks.setdefault((row.model, row.build, row.photo, row.result), {})
                at[number] = max(at.get(number, 0.0), *(row.photos_per_second for row in group))
    head = ["highest photos/s", "build", "photo", "result", *(record.machine.name for record in records)]
    rows = [
        [*what, *(f"{at[number]:.1f}" if number in at else "" for number in range(len(records)))]
        for what, at in sorted(peaks.items())
    ]
    return Table(head, rows, words=4)


def _short(machine: str, number: int) -> str:
    """Return a machine's part of its pictures' names, for instance `m1-tesla-t4`."""
    words = re.sub(r"\(.*?\)", "", machine).lower()
    return f"m{number + 1}-{re.sub(r'[^a-z0-9]+', '-', words).strip('-')[:24].strip('-')}"
