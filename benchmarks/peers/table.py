"""The comparison as a table for people."""

import math
from collections.abc import Sequence

from rich.table import Table

from benchmarks.peers.comparison import Measured, ratio, summary
from benchmarks.peers.service import OURS, Service


def comparison_table(title: str, measured: Sequence[Measured], services: Sequence[Service]) -> Table:
    """Return a table with a section for each number of clients.

    A column for each of our builds says how many times as many photos a second it answers as the row's service.
    """
    mine = [service for service in services if service.name == OURS]
    made = Table(
        title=title,
        caption="medians of the rounds, times in ms; lost: no answer in 30 s, or an error; refused: sent again after a "
        "pause, which is in its latency; times: photos/s of ours over the row's, median of the rounds' ratios",
        pad_edge=False,
    )
    made.add_column("at a time", justify="right")
    made.add_column("service", no_wrap=True)
    for heading in ("photos/s", "p50", "p99", "answered", "lost", "refused", "cores", "core ms\na photo"):
        made.add_column(heading, justify="right")
    for service in mine:
        made.add_column(f"{service.build},\ntimes", justify="right")
    for clients in sorted({each.clients for each in measured}):
        made.add_section()
        for number, service in enumerate(services):
            row = summary(measured, service, clients)
            made.add_row(
                str(clients) if number == 0 else "",
                service.label,
                f"{row.photos_per_second:.1f}",
                *("-" if math.isnan(value) else f"{value:.0f}" for value in (row.p50_ms, row.p99_ms)),
                *(str(count) for count in (row.answered, row.lost, row.refused)),
                f"{row.cores:.2f}",
                f"{1000 * row.cores / row.photos_per_second:.0f}" if row.photos_per_second else "-",
                *("" if each is service else f"{ratio(measured, each, service, clients):.2f}" for each in mine),
            )
    return made
