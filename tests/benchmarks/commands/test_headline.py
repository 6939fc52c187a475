"""The headline command, with a real server and the real perf_analyzer."""

import argparse
import io
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.commands import headline
from benchmarks.record import Closed, Record
from reports.records import read_record
from tests.networks import DEFAULT


def test_what_is_served_is_held_against_one_process(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the networks that the tests share, rather than an export of this test's own
    monkeypatch.setattr(headline, "folder_of", lambda _: repository)
    parser = argparse.ArgumentParser()
    headline.add_arguments(parser)
    file = tmp_path / "headline.json"
    words = ["--models", DEFAULT, "--rounds", "1", "--seconds", "0.5", "--photo-size", "160x120", "--output", str(file)]
    options = parser.parse_args(words)
    options.command = "python -m benchmarks headline"
    options.seconds = 0.1  # shorter than the command line takes: each figure is there as soon as some photos are
    console = Console(width=180, file=io.StringIO(), record=True)
    assert headline.run(options, console) == 0

    record = read_record(Record, file)
    (limit,) = record.limits
    one, many = record.rows
    assert (one.load, many.load) == (Closed(concurrency=1), Closed(concurrency=headline.AT))
    assert {(each.model, each.build, each.photo, each.result) for each in (limit, one, many)} == {
        (DEFAULT, "onnx fp32", "160x120", "network")
    }
    text = console.export_text()
    assert f"{many.photos_per_second / limit.photos_per_second:.2f} (" in text
    assert f"{one.p50_ms / limit.one_ms:.2f} (" in text
    assert f"{one.photos_per_second:.1f}, {many.photos_per_second:.1f}" in text
    assert "repeat with: python -m benchmarks headline" in text
