"""The tables of a run."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from benchmarks.measure.table import table
from benchmarks.record import Closed, Limit, Open, Row, Step

ROW = Row(
    model="small",
    build="onnx int8",
    weights="untrained",
    target="ensemble",
    photo="1920x1080",
    network_size="256x160",
    result="network",
    load=Closed(concurrency=1),
    photos_per_second=12.34,
    mean_ms=81.0,
    p50_ms=80.4,
    p90_ms=90.0,
    p95_ms=95.6,
    p99_ms=101.2,
    steps=(
        Step(step="preprocess", queue_ms=0.1, compute_ms=6.5, copy_ms=0.44, batch=1.0),
        Step(step="network", queue_ms=1.3, compute_ms=60.2, copy_ms=0.1, batch=2.5),
        Step(step="postprocess", queue_ms=0.2, compute_ms=3.1, copy_ms=12.2, batch=1.0),
    ),
    cpu_cores=1.25,
    memory_mb=200.0,
    shared_memory_mb=33.0,
)
LIMIT = Limit(
    model="small",
    build="onnx int8",
    photo="1920x1080",
    result="network",
    photos_per_second=20.0,
    one_ms=67.0,
    workers=2,
    threads=1,
)


def printed(rows: list[Row], limits: tuple[Limit, ...] = ()) -> list[str]:
    console = Console(width=150, record=True, file=io.StringIO())
    console.print(table(rows, limits))
    return console.export_text().splitlines()


def test_each_figure_stands_under_its_heading() -> None:
    title, *rest = printed([ROW])
    assert title == "small, onnx int8: 1920x1080 JPEG to 256x160 depth (the network's size), gRPC"
    (headings,) = [line.split() for line in rest if "photos/s" in line]
    assert headings == [
        *("load", "photos/s", "refused", "p50", "p90", "p95", "p99", "cores", "MB"),
        *("preprocess", "network", "postprocess"),
    ]
    (figures,) = [line.split() for line in rest if "1 at a time" in line]
    assert figures == [
        *("1", "at", "a", "time", "12.3", "80", "90", "96", "101", "1.2", "233"),
        *("0.1+6.5+0.4", "x1.0", "1.3+60+0.1", "x2.5", "0.2+3.1+12", "x1.0"),
    ]


def test_the_limit_stands_beside_what_is_served() -> None:
    eight = replace(ROW, load=Closed(concurrency=8), photos_per_second=18.0)
    text = "\n".join(printed([ROW, eight], (replace(LIMIT, model="another"), LIMIT)))
    assert "1.20 x time" in text
    assert "90 %" in text
    assert ["limit", "20.0", "67"] in [line.split() for line in text.splitlines()]
    assert "limit " not in "\n".join(printed([replace(ROW, target="network")], (LIMIT,)))


def test_an_open_load_has_its_rate_and_what_was_refused() -> None:
    load = Open(rate=49.4, share=4.0)
    (line,) = [line for line in printed([replace(ROW, load=load, refused=0.756, cpu_cores=None)]) if "/s," in line]
    assert line.split()[:7] == ["49.4/s,", "400", "%", "12.3", "76", "%", "80"]


def test_every_series_has_a_table_of_its_own() -> None:
    alone = replace(ROW, target="network", steps=ROW.steps[1:2], protocol="http")
    png = replace(ROW, result="png16", round=2)
    titles = [line for line in printed([ROW, alone, ROW, png]) if line.startswith("small")]
    assert [title.partition(": ")[2] for title in titles] == [
        "1920x1080 JPEG to 256x160 depth (the network's size), gRPC",
        "the network alone, 256x160 pixels, HTTP",
        "1920x1080 JPEG to 1920x1080 16-bit PNG, gRPC, round 2",
    ]


def test_a_table_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one row"):
        table([])
