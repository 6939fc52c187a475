"""`python -m benchmarks auto`, with real servers and a real choice."""

import argparse
import io
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.commands import auto
from benchmarks.record import Record
from reports.records import read_record
from tests.networks import DEFAULT


@pytest.mark.long
def test_the_choice_stands_beside_what_was_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto, "_REPOSITORY", tmp_path / "auto")
    parser = argparse.ArgumentParser()
    auto.add_arguments(parser)
    file = tmp_path / "auto.json"
    words = ["--models", DEFAULT, "--builds", "onnx:fp32 onnx:int8", "--seconds", "1", "--output", str(file)]
    options = parser.parse_args(words)
    options.command = "python -m benchmarks auto"
    console = Console(width=240, file=io.StringIO(), record=True)
    assert auto.run(options, console) == 0
    record = read_record(Record, file)
    assert {row.build for row in record.rows} == {"onnx fp32", "onnx int8"}
    assert {(choice.model, choice.goal) for choice in record.choices} == {(DEFAULT, "latency"), (DEFAULT, "throughput")}
    said = console.export_text()
    assert "What auto chose, beside what was served" in said
    assert f"  chosen: {record.choices[1].build}" in said

    # what is there is not served again
    assert auto.run(options, console) == 0
    assert read_record(Record, file).rows == record.rows
