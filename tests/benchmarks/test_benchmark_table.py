"""The table, the JSON record and the command line."""

import argparse
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.__main__ import main
from benchmarks.arguments import concurrencies, models, photo_size, seconds
from benchmarks.machine import this_machine, versions
from benchmarks.perf_analyzer import Measurement
from benchmarks.record import write_record
from benchmarks.server import Answer
from benchmarks.statistics import StepTime
from benchmarks.sweep import Row
from benchmarks.table import table

ROW = Row(
    model="small",
    result="network",
    answer=Answer(weights="untrained", network=(256, 160), output=(256, 160)),
    client=Measurement(1, photos_per_second=12.34, mean_ms=81.0, p50_ms=80.4, p95_ms=95.6, p99_ms=101.2),
    steps=(
        StepTime("preprocess", 40, queue_ms=0.1, compute_ms=6.5, batch=1.0),
        StepTime("network", 40, queue_ms=1.3, compute_ms=60.2, batch=2.5),
        StepTime("postprocess", 40, queue_ms=0.2, compute_ms=3.1, batch=1.0),
    ),
)


def printed(rows: list[Row]) -> str:
    console = Console(width=140, record=True, file=io.StringIO())
    console.print(table(rows, (1920, 1080)))
    return console.export_text()


def test_table_shows_each_figure_under_its_heading() -> None:
    text = printed([ROW])
    assert "JPEG of 1920x1080" in text
    (headings,) = [line for line in text.splitlines() if "photos/s" in line]
    assert headings.replace("┃", " ").split() == [
        *("depth", "at", "a", "time", "photos/s", "p50", "p95", "p99", "preprocess", "network", "postprocess")
    ]
    (figures,) = [line for line in text.splitlines() if "small" in line]
    assert [cell.strip() for cell in figures.strip("│").split("│")] == [
        *("small", "1", "12.3", "80", "96", "101"),
        *("0.1 + 6.5  x1.0", "1.3 + 60.2  x2.5", "0.2 + 3.1  x1.0"),
    ]


def test_table_names_a_model_once_a_section() -> None:
    second = replace(ROW, client=replace(ROW.client, concurrency=2))
    at_photo_size = replace(ROW, result="photo", answer=replace(ROW.answer, output=(1920, 1080)))
    text = printed([ROW, second, at_photo_size])
    assert text.count("small") == 2
    assert text.count("256x160") == 1
    assert text.count("│1920x1080") == 1


def test_table_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one row"):
        table([], (1920, 1080))


def test_record_holds_the_figures_and_what_they_belong_to(tmp_path: Path) -> None:
    file = tmp_path / "reports" / "sweep.json"
    photo = {"width": 1920, "height": 1080, "bytes": 350_000}
    machine = this_machine()
    write_record(file, [ROW], machine=machine, versions=versions(), photo=photo, command="python -m benchmarks")
    record = json.loads(file.read_text())
    assert record["machine"]["cores"] == machine.cores > 0
    assert record["versions"]["nvidia-pytriton"] == "0.7.0"
    assert record["photo"] == photo
    assert record["command"] == "python -m benchmarks"
    (row,) = record["rows"]
    assert row["client"]["p95_ms"] == 95.6
    assert [step["step"] for step in row["steps"]] == ["preprocess", "network", "postprocess"]
    assert row["answer"] == {"weights": "untrained", "network": [256, 160], "output": [256, 160]}


@pytest.mark.parametrize(("text", "values"), [("1:4", [1, 2, 3, 4]), ("8", [8]), ("1,4,16", [1, 4, 16])])
def test_concurrencies_are_a_range_or_a_list(text: str, values: list[int]) -> None:
    assert concurrencies(text) == values


@pytest.mark.parametrize("text", ["", "0:3", "4:1", "1-4", "two", "1,", "-1"])
def test_other_concurrencies_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="a range such as 1:8 or a list"):
        concurrencies(text)


def test_models_are_separated_by_spaces() -> None:
    assert models(" small  large ") == ["small", "large"]
    with pytest.raises(argparse.ArgumentTypeError, match="at least one"):
        models(" ")


def test_photo_size_is_width_and_height() -> None:
    assert photo_size("640x480") == (640, 480)
    for text in ("640", "0x480", "640*480", "x"):
        with pytest.raises(argparse.ArgumentTypeError, match="1920x1080"):
            photo_size(text)


def test_seconds_are_within_reason() -> None:
    assert seconds("2.5") == 2.5
    for text in ("0", "-1", "nan", "soon", "1e9"):
        with pytest.raises(argparse.ArgumentTypeError, match=r"0\.5 to 600"):
            seconds(text)


def test_an_unknown_option_is_told_with_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--concurrency", "none"])
    assert "give a range such as 1:8" in capsys.readouterr().err
