"""Other ways to serve the same network, under the same load."""

import math
from collections.abc import Sequence

from benchmarks.record import PeerRow
from reports.plots.bars import Bar, Group, Part, bars
from reports.plots.sheet import Picture
from reports.tables import Table

OURS = "midas on triton"


def together(peers: Sequence[PeerRow]) -> list[list[PeerRow]]:
    """Group peers of one network, photo and result."""
    found: dict[tuple[str, ...], list[PeerRow]] = {}
    for peer in peers:
        found.setdefault((peer.model, peer.photo, peer.result), []).append(peer)
    return list(found.values())


def peers_table(found: Sequence[PeerRow]) -> Table:
    """Return the table of one group; this project is one of its peers, called `OURS`."""
    lines = []
    for peer in sorted(found, key=lambda peer: (peer.clients, -peer.photos_per_second)):
        ours = [other for other in found if other.peer == OURS and other.clients == peer.clients]
        alike = [other for other in ours if _precision(other) == _precision(peer)]
        lines.append(
            [
                f"{peer.clients}",
                f"**{peer.peer}**" if peer.peer == OURS else peer.peer,
                peer.build,
                f"{peer.photos_per_second:.1f}",
                _ms(peer.p50_ms),
                _ms(peer.p99_ms),
                f"{peer.answered:,}",
                f"{peer.lost:,}",
                _times(alike, peer),
                _times(ours, peer),
            ]
        )
    first = found[0]
    head = (f"clients: {first.model}, {first.photo}", "peer", "build", "images/s", "p50 ms", "p99 ms", "answered")
    return Table((*head, "lost", "same precision: ours / peer", "fastest: ours / peer"), lines, words=3)


def _precision(peer: PeerRow) -> str:
    return peer.build.rpartition(" ")[2]


def _times(ours: Sequence[PeerRow], peer: PeerRow) -> str:
    if peer.peer == OURS or not ours or not peer.photos_per_second:
        return ""
    return f"{max(each.photos_per_second for each in ours) / peer.photos_per_second:.1f}"


def peers_picture(found: Sequence[PeerRow], prefix: str) -> Picture:
    """Return the picture of one group, whose file's name begins with `prefix`."""
    clients = sorted({peer.clients for peer in found})
    named: dict[tuple[str, str], list[PeerRow]] = {}
    for peer in sorted(found, key=lambda peer: peer.clients):
        named.setdefault((peer.peer, peer.build), []).append(peer)
    groups = [
        Group(
            f"{peer}, {build}",
            [
                Bar(
                    [Part(clients.index(each.clients), each.photos_per_second)],
                    f"{each.photos_per_second:.1f}, p99 {_ms(each.p99_ms)} ms"
                    + (f", {each.lost} lost" if each.lost else ""),
                )
                for each in lines
            ],
        )
        for (peer, build), lines in sorted(named.items(), key=lambda item: -max(p.photos_per_second for p in item[1]))
    ]
    first = found[0]
    series = [f"{number} client{'s' * (number > 1)}" for number in clients]
    chart = bars(f"{first.model}, {first.photo}", groups, series=series, across="images a second")
    return chart.picture(f"{prefix}-peers-{first.model}-{first.photo}-{first.result}")


def _ms(value: float) -> str:
    """Write a latency; a dash where nothing was answered, so that there is none."""
    return "-" if math.isnan(value) else f"{value:,.0f}"
