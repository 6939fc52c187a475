"""A soak's file as a page: what was lost, how long each fault lasted, and whether anything grew."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.soak.faults import FULL_FOR, STOPPED_FOR
from reports.page import markdown
from reports.plots.lines import Line, Point, lines
from reports.plots.sheet import Picture
from reports.tables import Table

TEMPLATE = Path(__file__).with_name("soak.md")

SETTLED = 5.0
"""Seconds after everything is ready again in which a failure is still the fault's."""

_POINTS = 60
_WARM = 0.1
"""The part of a soak in which memory still grows to what the largest batches need."""

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Failures:
    """What failed: near faults, by fault, and far from any."""

    sent: int
    by_fault: Mapping[str, Counter[str]]
    elsewhere: Counter[str]


def failures(entries: Sequence[Entry]) -> Failures:
    """Sort what failed by the fault during which it was under way, until all was ready again and `SETTLED`."""
    spans: list[tuple[str, float, float]] = []
    for each in entries:
        if each["kind"] == "fault":
            spans.append((each["name"], each["at"], float("inf")))
        elif each["kind"] == "recovered":
            name, begin, _ = spans.pop()
            spans.append((name, begin, begin + each["seconds"] + SETTLED))
    by_fault: defaultdict[str, Counter[str]] = defaultdict(Counter)
    elsewhere: Counter[str] = Counter()
    for each in entries:
        if each["kind"] == "failed":
            during = [name for name, begin, end in spans if begin <= each["at"] and each["began"] <= end]
            (by_fault[during[-1]] if during else elsewhere)[f"{each['way']}: {each['outcome']}"] += 1
    sent = sum(sum(each["outcomes"].values()) for each in entries if each["kind"] == "requests")
    return Failures(sent, by_fault, elsewhere)


def growth(entries: Sequence[Entry]) -> list[tuple[str, float, float]]:
    """(what, its median in the first quarter, in the last one), after the warm-up of the soak's first tenth."""
    end = max((float(each["at"]) for each in entries), default=0.0)
    begin = _WARM * end
    quarter = (end - begin) / 4
    found = []
    for what, points in series(entries).items():
        first = [y for x, y in points if begin <= x <= begin + quarter]
        last = [y for x, y in points if x >= end - quarter]
        if first and last:
            found.append((what, median(first), median(last)))
    return found


def series(entries: Iterable[Entry]) -> dict[str, list[tuple[float, float]]]:
    """(seconds, value) of each figure of the samples, by its name and unit."""
    found: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for each in entries:
        if each["kind"] != "sample":
            continue
        for kind, unit in (("megabytes", "MB"), ("descriptors", "descriptors"), ("threads", "threads")):
            for what, value in each[kind].items():
                found[f"{what}, {unit}"].append((each["at"], value))
        for kind, words in (("shm_mb", "shared memory, MB"), ("disk_mb", "gateway's disk, MB")):
            if kind in each:
                found[words].append((each["at"], each[kind]))
    return dict(found)


def contents(entries: Sequence[Entry], folder: str) -> tuple[str, list[Picture]]:
    """The page as Markdown, and its pictures.

    Args:
        entries: the lines of the file.
        folder: where the pictures lie, relative to the page.
    """
    lost = failures(entries)
    done = Counter(str(each["name"]) for each in entries if each["kind"] == "fault")
    recovered: defaultdict[str, list[float]] = defaultdict(list)
    for each in entries:
        if each["kind"] == "recovered":
            recovered[each["name"]].append(each["seconds"])
    table = Table(
        ("fault", "times", "ready again after, s: median", "longest", "failed requests"),
        [
            [
                name,
                str(count),
                f"{median(recovered[name]):.1f}" if recovered[name] else "",
                f"{max(recovered[name]):.1f}" if recovered[name] else "never",
                str(sum(lost.by_fault.get(name, Counter()).values())),
            ]
            for name, count in sorted(done.items())
        ],
    )
    grown = Table(
        ("figure", "median of the first quarter", "of the last", "times"),
        [
            [what, f"{first:.0f}", f"{last:.0f}", f"{last / first:.2f}" if first else ""]
            for what, first, last in growth(entries)
        ],
    )
    told = [f"{what} ({count})" for what, count in lost.elsewhere.most_common()]
    pictures = _pictures(entries)
    starts = [each for each in entries if each["kind"] == "start"]
    text = markdown(
        TEMPLATE,
        hours=max((each["at"] for each in entries), default=0.0) / 3600,
        starts=starts,
        sent=lost.sent,
        failed=sum(sum(each.values()) for each in lost.by_fault.values()),
        elsewhere=", ".join(told),
        faults=table,
        full=f"{FULL_FOR:.0f}",
        still=f"{STOPPED_FOR:.0f}",
        growth=grown,
        folder=folder,
        pictures=pictures,
    )
    return text, pictures


def _pictures(entries: Sequence[Entry]) -> list[Picture]:
    found = series(entries)
    memory = {what: points for what, points in found.items() if what.endswith(", MB")}
    drawn = [
        _picture("memory", "Private and shared memory, disk", memory, "MB"),
        _picture("descriptors", "Open descriptors", {k: v for k, v in found.items() if "descr" in k}, "descriptors"),
        _picture("threads", "Threads", {k: v for k, v in found.items() if "threads" in k}, "threads"),
        _picture("latency", "Latency of answered requests", _latency(entries), "ms, p99 of ten seconds"),
    ]
    return [each for each in drawn if each]


def _latency(entries: Sequence[Entry]) -> dict[str, list[tuple[float, float]]]:
    found: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for each in entries:
        if each["kind"] == "requests" and "p99_ms" in each and each["way"] != "slow":
            found[each["way"]].append((each["at"], max(each["p99_ms"], 1.0)))
    return found


def _picture(name: str, title: str, found: Mapping[str, Sequence[tuple[float, float]]], upwards: str) -> Picture | None:
    drawn = [
        Line(number, [Point(x / 3600, y) for x, y in _thinned(points)])
        for number, points in enumerate(found.values())
        if points
    ]
    if not drawn:
        return None
    names = [each.removesuffix(", MB").removesuffix(f", {upwards}") for each in found]
    return lines(title, drawn, series=names, across="hours", upwards=upwards).picture(name)


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most `_POINTS` points: the medians of stretches of equal length."""
    size = -(-len(points) // _POINTS)
    parts = [points[begin : begin + size] for begin in range(0, len(points), size)]
    return [(part[len(part) // 2][0], median(y for _, y in part)) for part in parts]
