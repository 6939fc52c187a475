"""The report: everything in a record is in it, what is missing is said, and the page needs nothing else."""

import argparse
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Literal

import pytest
from rich.console import Console

from benchmarks.commands.report import add_arguments, run
from benchmarks.record import Choice, Closed, Limit, Load, NetworkRow, Open, PeerRow, Record, Result, Row, Step
from benchmarks.report.accuracy import comparable
from benchmarks.report.contents import contents
from benchmarks.report.errors_table import export_errors
from benchmarks.report.figures import overload
from benchmarks.report.headline import headlines
from benchmarks.report.rounds import medians
from export.auto.choice import Goal
from export.variants import VARIANTS
from reports.gpu import Gpu
from reports.machine import Machine
from reports.page import html
from reports.plots.sheet import Picture
from reports.published import IMPROVEMENT_PERCENT
from reports.records import RecordError, read_record, write_record

PROJECT = Path(__file__).resolve().parents[3]
CPU = Machine("a processor", cores=2, memory_gib=8.0, system="Linux 6", busy_percent=1.5)
T4 = replace(CPU, gpu=Gpu("Tesla T4", "550.1", memory_mib=15360, clock_mhz=1590, power_limit_w=70.0, compute="7.5"))


def row(
    load: Load,
    *,
    model: str = "midas_v21_small_256",
    build: str = "onnx fp32",
    result: Result = "network",
    protocol: Literal["grpc", "http"] = "grpc",
    target: Literal["ensemble", "network"] = "ensemble",
    peak: float = 40.0,
    number: int = 1,
) -> Row:
    """A row as a machine would give it that does at most `peak` photos a second."""
    at = load.concurrency if isinstance(load, Closed) else load.rate / peak * 2
    rate = min(load.rate, peak) if isinstance(load, Open) else peak * at / (at + 0.5)
    ms = 1000 * at / rate
    queue, work = max(ms - 1000 / peak, 0.0) / 2, 800 / peak
    return Row(
        model=model,
        build=build,
        weights="untrained",
        target=target,
        protocol=protocol,
        photo="1920x1080",
        network_size="256x160",
        result=result,
        load=load,
        photos_per_second=rate,
        mean_ms=ms,
        p50_ms=ms,
        p90_ms=1.2 * ms,
        p95_ms=1.3 * ms,
        p99_ms=1.5 * ms,
        refused=max(1 - peak / load.rate, 0.0) if isinstance(load, Open) else None,
        refused_p99_ms=3.0 if isinstance(load, Open) and load.rate > peak else None,
        steps=tuple(
            Step(step=step, queue_ms=queue / 3, compute_ms=work * share, copy_ms=0.4, batch=2.0)
            for step, share in (("preprocess", 0.35), ("network", 0.6), ("postprocess", 0.05))
        ),
        cpu_cores=1.9,
        memory_mb=512.0,
        round=number,
    )


def limit(build: str = "onnx fp32", peak: float = 44.0, number: int = 1) -> Limit:
    return Limit(
        model="midas_v21_small_256",
        build=build,
        photo="1920x1080",
        result="network",
        photos_per_second=peak,
        one_ms=1300 / peak,
        workers=2,
        threads=1,
        round=number,
    )


def peer(name: str, clients: int, rate: float, lost: int = 0, build: str = "onnx fp32") -> PeerRow:
    return PeerRow(
        peer=name,
        model="midas_v21_small_256",
        build=build,
        photo="1920x1080",
        clients=clients,
        photos_per_second=rate,
        p50_ms=1000 * clients / rate,
        p99_ms=1800 * clients / rate,
        answered=200,
        lost=lost,
    )


def full_record() -> Record:
    """A record with every part, of two networks in two builds."""
    rows = [
        row(Closed(concurrency=at), model=model, build=build, peak=peak)
        for model, build, peak in (
            ("midas_v21_small_256", "onnx fp32", 40.0),
            ("midas_v21_small_256", "openvino bf16", 70.0),
            ("dpt_swin2_tiny_256", "onnx fp32", 4.0),
            ("dpt_swin2_tiny_256", "openvino bf16", 10.0),
        )
        for at in (1, 2, 4, 8, 16)
    ]
    rows += [row(Closed(concurrency=at), result="photo", peak=25.0) for at in (1, 8)]
    rows += [row(Closed(concurrency=at), result="png16", peak=20.0) for at in (1, 8)]
    rows += [row(Closed(concurrency=8), protocol="http", peak=36.0)]
    rows += [row(Closed(concurrency=at), target="network", peak=60.0) for at in (1, 8)]
    rows += [row(Open(rate=40 * share, share=share)) for share in (0.25, 0.5, 0.75, 1.0, 2.0, 4.0)]
    peers = [
        peer(name, clients, rate * (1.0 if clients > 1 else 0.7), lost)
        for name, rate, lost in (("midas on triton", 38.0, 0), ("fastapi + pytorch", 9.0, 7), ("litserve", 21.0, 0))
        for clients in (1, 8, 32)
    ]
    peers += [peer("midas on triton", clients, 60.0, build="onnx int8") for clients in (8, 32)]
    return Record(
        measured_at="2026-11-22T19:31:18+00:00",
        command="python -m benchmarks full",
        machine=CPU,
        versions={"triton": "2.51.0", "onnxruntime": "1.32.0"},
        rows=tuple(rows),
        limits=(limit(), limit("openvino bf16", 80.0)),
        peers=tuple(peers),
        choices=(choice("throughput"), choice("latency", build="onnx fp32", alone_ms=20.0)),
        networks=(network(1, 2.5), network(16, 20.0)),
    )


def choice(goal: Goal, build: str = "openvino bf16", alone_ms: float = 30.0) -> Choice:
    return Choice(
        model="midas_v21_small_256",
        goal=goal,
        build=build,
        instances=2,
        max_batch_size=1,
        error=2.2e-3,
        alone_ms=alone_ms,
        photos_per_second=72.0,
    )


def network(batch: int, ms: float) -> NetworkRow:
    return NetworkRow(
        model="midas_v21_small_256",
        runtime="pytorch eager",
        precision="fp16",
        device="cuda",
        batch=batch,
        network_size="256x256",
        images_per_second=1000 * batch / ms,
        ms=ms,
        gpu_clock_mhz=1590.0,
        gpu_power_w=68.4,
    )


ERRORS = {("midas_v21_small_256", "openvino bf16"): "2.2e-03"}


@cache
def drawn() -> tuple[str, list[Picture]]:
    """The report of a full record; its pictures are drawn once for all tests."""
    return contents([full_record()], ERRORS)


def words(*records: Record, advice: str = "") -> str:
    return contents(records, ERRORS, advice=advice)[0]


def test_every_part_of_a_record_is_in_the_document() -> None:
    text = drawn()[0]
    pictures = [picture.file for picture in drawn()[1]]
    for heading in (
        *("The build that fits this machine", "The networks alone, without a server"),
        *("Served against in-process", "Throughput and latency"),
        *("The network step alone", "Latency against load", "Where the time goes"),
        *("Speed against accuracy, and published figures", "Peers, side by side"),
    ):
        assert f"### {heading}\n" in text
    assert "not measured here" not in text
    assert "Commands: `python -m benchmarks full`" in text
    assert "triton 2.51.0" in text
    assert "Untrained weights" in text
    # 40 * 8 / 8.5 photos a second of 44, and 1000 * 1.5 / 40 ms of 1300 / 44.
    assert "| 37.6 | 44.0 | **0.86** | 37.5 | 29.5 | **1.27** |" in text
    assert "| 32 | fastapi + pytorch | onnx fp32 | 9.0 | 3,556 | 6,400 | 200 | 7 | 4.2 | 6.7 |" in text
    assert "| 2.2e-03 | -76 % | 90 |" in text
    assert "| openvino bf16 | 67.9 photos/s | 67.9 photos/s | **1.00** |" in text
    assert "| latency | onnx fp32, 2 instances, one photo at a time |" in text
    one, most = "2.50 | 400.0", "800.0 | 16"
    assert f"| pytorch eager fp16 | cuda | 256x256 | {one} | {most} |  | 1,590 | 68 | 90 |" in text
    assert set(re.findall(r"\(benchmarks/(.+?)\)", text)) == set(pictures)
    assert {name.split("-", 3)[-1] for name in pictures} >= {
        "closed-midas_v21_small_256-1920x1080-network.svg",
        "open-midas_v21_small_256-1920x1080-network.svg",
        "steps-dpt_swin2_tiny_256.svg",
        "steps-photos-results.svg",
        "peers-midas_v21_small_256-1920x1080-network.svg",
        "accuracy.svg",
    }


def test_tables_have_as_many_cells_in_every_row() -> None:
    record = full_record()
    with_gpu = replace(record, rows=tuple(replace(r, gpu_percent=80.0, gpu_memory_mb=900.0) for r in record.rows))
    text = words(record, replace(with_gpu, machine=T4))
    assert text.count("\n|") > 100
    widths: list[int] = []
    for line in text.splitlines():
        if not line.startswith("|"):
            widths = []
            continue
        widths.append(len(re.findall(r"(?<!\\)\|", line)))
        assert widths[-1] == widths[0], line


def test_every_point_and_step_can_be_read_in_the_pictures() -> None:
    text = "".join(picture.svg for picture in drawn()[1])
    assert "<title>onnx fp32: 8 at a time, 37.6 photos/s, p50 212 ms, p99 319 ms</title>" in text
    assert "<title>network: works 12.0 ms</title>" in text
    assert "nan" not in text


def test_the_page_holds_its_pictures() -> None:
    text, pictures = drawn()
    page = html(text, pictures)
    assert page.count("<svg") == len(pictures)
    assert page.count("<table>") == text.count("\n| --- ")
    assert page.count("<details>") == 1


def test_what_a_record_says_cannot_break_the_page() -> None:
    record = replace(full_record(), command="x <b> & `y`", rows=(row(Closed(concurrency=1), model="<i>|net</i>"),))
    page = html(*contents([record], {}))
    assert "<i>" not in page
    assert "<b>" not in page
    assert r"<i>\|net</i>" in words(record)


@pytest.mark.parametrize(
    ("without", "said"),
    [
        ({"peers": ()}, "*Other ways to serve the same network*: not measured"),
        ({"limits": ()}, "*Served against in-process*: not measured"),
        ({"rows": ()}, "*The whole pipeline in closed loops*: not measured"),
    ],
)
def test_a_missing_part_is_left_out_with_one_line(without: dict[str, tuple[()]], said: str) -> None:
    record = replace(full_record(), **without)  # type: ignore[arg-type]
    assert words(record).count(said) == 1


def test_a_record_of_one_row_makes_a_report() -> None:
    record = replace(full_record(), rows=(row(Closed(concurrency=8)),), limits=(), peers=())
    assert words(record).count("not measured") >= 4
    assert html(*contents([record], {}))


def test_records_of_several_machines_stand_side_by_side() -> None:
    cpu = full_record()
    gpu = replace(cpu, machine=T4, rows=tuple(replace(r, photos_per_second=r.photos_per_second * 5) for r in cpu.rows))
    text, pictures = contents([cpu, gpu], {})
    assert "## a processor, 2 cores\n" in text
    assert "## Tesla T4\n" in text
    assert "driver 550.1, 15,360 MiB, clock up to 1,590 MHz, power limit 70 W" in text
    assert "| a processor, 2 cores | a processor, 2 cores, Tesla T4 |" in text
    assert "| midas_v21_small_256 | onnx fp32 | 1920x1080 | network | 38.8 | 193.9 |" in text
    assert {picture.name[:2] for picture in pictures} == {"m1", "m2"}


def test_the_headline_pairs_what_was_measured_in_the_same_round() -> None:
    # The machine was half as fast in the second round: every ratio is 0.9, the ratio of the medians would not be.
    rows = [
        replace(row(Closed(concurrency=8), number=n), photos_per_second=r) for n, r in ((1, 36.0), (2, 18.0), (3, 9.0))
    ]
    limits = [limit(peak=peak, number=n) for n, peak in ((1, 40.0), (2, 20.0), (3, 10.0))]
    record = replace(full_record(), rows=tuple(rows), limits=(limits[0], limits[2]))
    (found,) = headlines(record, medians(record))
    assert found.throughput == pytest.approx(0.9)
    assert found.latency is None


def test_rounds_become_their_median() -> None:
    rates = (30.0, 50.0, 31.0)
    rows = [replace(row(Closed(concurrency=8), number=n), photos_per_second=r) for n, r in enumerate(rates, 1)]
    peers = [replace(peer("litserve", 8, 20.0, lost=2), round=n) for n in (1, 2)]
    middle = medians(replace(full_record(), rows=tuple(rows), peers=tuple(peers)))
    assert [r.photos_per_second for r in middle.rows] == [31.0]
    assert [(p.answered, p.lost) for p in middle.peers] == [(400, 4)]


def test_overload_begins_where_the_server_does_not_follow() -> None:
    loads = [row(Open(rate=rate)) for rate in (160.0, 10.0, 38.0, 60.0)]
    first = overload(loads)
    assert first is not None
    assert first.load == Open(rate=60.0)
    assert overload(loads[1:3]) is None
    # Of 20 requests a second that are 75 % of the peak, 17 came by chance.
    chance = replace(row(Open(rate=20.0, share=0.75)), photos_per_second=17.0)
    assert overload([chance]) is None
    assert overload([replace(chance, refused=0.02)]) is not None


def test_advice_is_a_part_of_the_report() -> None:
    assert "\n## Which network, which settings\n\nTake **the small one**.\n" in words(
        full_record(), advice="Take **the small one**."
    )
    assert "which settings" not in words(full_record())


def test_the_committed_report_is_that_of_the_committed_records() -> None:
    """Its advice, too: every figure in it stands in the tables below it, or is the ratio of two that do."""
    docs = PROJECT / "docs"
    records = [read_record(Record, file) for file in sorted((docs / "benchmarks").glob("*.json"))]
    advice = (docs / "benchmarks" / "advice.md").read_text().strip()
    text, pictures = contents(records, export_errors(docs / "export_report.md"), advice=advice)
    assert text == (docs / "benchmarks.md").read_text(), "run: make bench-report RECORDS=docs/benchmarks/*.json"
    assert {picture.file for picture in pictures} == {file.name for file in (docs / "benchmarks").glob("*.svg")}
    # the plots' coordinates are those of one version of matplotlib
    blank = html(text, [replace(picture, draw=lambda: "<svg></svg>") for picture in pictures])
    assert re.sub("<svg.*?</svg>", "<svg></svg>", (docs / "benchmarks.html").read_text(), flags=re.DOTALL) == blank
    tables = [cell.strip() for line in text.splitlines() if line.startswith("|") for cell in line.split("|")]
    rounded = {f"{float(cell):.0f}" for cell in tables if re.fullmatch(r"\d+\.\d+", cell)}
    for model, figures in re.findall(r"(midas_tiny_256|dpt_swin2_tiny_256) ([^*]*)", advice):
        assert model in tables
        for figure in re.findall(r"([\d.]+e?-?\d*)(?: ms| photos| requests|\.\n)", figures):
            assert figure in tables or figure in rounded, figure


def test_builds_are_compared_on_the_photo_that_most_were_measured_with() -> None:
    odd = replace(row(Closed(concurrency=1)), photo="640x480")
    groups = comparable([*full_record().rows, odd])
    assert {group[0].photo for group in groups} == {"1920x1080"}
    assert len(groups) == 4


def test_errors_are_read_from_the_exports_report() -> None:
    errors = export_errors(PROJECT / "docs" / "export_report.md")
    assert errors["midas_tiny_256", "onnx int8"] == "2.5e-02"
    assert export_errors(PROJECT / "docs" / "there_is_none.md") == {}


def test_published_accuracy_is_of_all_official_networks_of_midas() -> None:
    midas = {name for name, row in VARIANTS.items() if row.family != "depth_anything"}
    assert IMPROVEMENT_PERCENT.keys() == midas - {"midas_tiny_256"}


def test_the_command_writes_both_forms_and_removes_old_pictures(tmp_path: Path) -> None:
    records = [tmp_path / "rows.json", tmp_path / "peers.json"]
    record = replace(full_record(), rows=full_record().rows[:5])
    write_record(records[0], replace(record, peers=()))
    write_record(
        records[1], replace(record, rows=(), limits=(), command="peers", measured_at="2026-11-22T20:31:18+00:00")
    )
    folder = tmp_path / "out" / "benchmarks"
    folder.mkdir(parents=True)
    (folder / "old.svg").write_text("")
    (folder / "advice.md").write_text("Take the small one.\n")
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    options = parser.parse_args([*map(str, records), "--output", str(folder)])
    assert run(options, Console(quiet=True)) == 0
    text = (tmp_path / "out" / "benchmarks.md").read_text()
    assert text.count("\n## ") == 2  # advice and one machine
    assert "Commands: `python -m benchmarks full`, `peers`." in text
    assert "\nTake the small one.\n" in text
    pictures = {file.name for file in folder.glob("*.svg")}
    assert pictures == set(re.findall(r"\(benchmarks/(.+?)\)", text))
    assert (tmp_path / "out" / "benchmarks.html").read_text().startswith("<!doctype html>")

    # The records beside the pictures are enough to write the same again, and stay what they are.
    kept = folder / "m1.json"
    assert len(read_record(Record, kept).peers) == len(record.peers)
    assert run(parser.parse_args([str(kept), "--output", str(folder)]), Console(quiet=True)) == 0
    assert (tmp_path / "out" / "benchmarks.md").read_text() == text

    with pytest.raises(RecordError, match=r"none\.json"):
        run(parser.parse_args([str(tmp_path / "none.json")]), Console(quiet=True))
