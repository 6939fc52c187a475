"""The real perf_analyzer against the real Triton."""

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.errors import Refused, TooShort
from benchmarks.load.perf_analyzer import PerfAnalyzer
from benchmarks.load.photo import jpeg, write_input_data
from benchmarks.record import Closed, Open, Record
from midas_server.launch import Triton
from reports.records import read_record
from tests.networks import DEFAULT, VARIANT


@pytest.fixture(scope="module")
def analyzer() -> PerfAnalyzer:
    return PerfAnalyzer()


def test_perf_analyzer_is_the_pinned_one(analyzer: PerfAnalyzer) -> None:
    assert analyzer.version == "2.51.0"


def test_a_small_run_from_the_command_line(
    analyzer: PerfAnalyzer, triton: Triton, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run.json"
    options = ["--models", VARIANT, "--concurrency", "1,4", "--seconds", "2", "--photo-size", "640x480"]
    options += ["--results", "network", "--rates", "50", "--builds", "onnx:fp32"]
    status = main([*options, "--url", triton.grpc_url, "--output", str(file)])
    out, err = capsys.readouterr()
    assert status == 0, err
    assert not err
    assert "weights: untrained" in out
    assert "-m benchmarks --models " in out

    record = read_record(Record, file)
    assert record.versions["perf_analyzer"] == analyzer.version
    one, four, opened = record.rows
    assert (one.load, four.load) == (Closed(concurrency=1), Closed(concurrency=4))
    assert isinstance(opened.load, Open)
    assert opened.load.rate == pytest.approx(max(one.photos_per_second, four.photos_per_second) / 2, abs=0.01)
    for row in record.rows:
        assert (row.build, row.weights, row.network_size) == ("onnx fp32", "untrained", "256x192")
        assert 0 < row.p50_ms <= row.p90_ms <= row.p95_ms <= row.p99_ms
        assert [step.step for step in row.steps] == ["preprocess", "network", "postprocess"]
        assert all(step.compute_ms > 0 and step.batch >= 1 for step in row.steps)
        inside = sum(step.queue_ms + step.compute_ms + step.copy_ms for step in row.steps)
        assert inside < 1.5 * (row.mean_ms or 0)
        # of a server of which only the address is known
        assert (row.cpu_cores, row.memory_mb) == (None, None)
    for row, under_way in ((one, 1), (four, 4)):
        # With n requests always under way, n = throughput x mean latency (Little's law): the two were measured apart.
        # The window of two seconds cuts through up to n answers that come together.
        seconds = (row.mean_ms or 0) / 1000
        assert row.photos_per_second * seconds == pytest.approx(under_way, rel=0.2 + seconds / 2)


def test_full_measures_the_network_and_http_and_goes_on_where_it_ended(
    triton: Triton, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "full.json"
    given = ["full", "--models", DEFAULT, "--builds", "onnx:fp32", "--concurrency", "1", "--rates", "none"]
    given += ["--seconds", "0.5", "--photo-size", "160x120", "--results", "network", "--output", str(file)]
    given += ["--url", triton.grpc_url]
    assert main(given) == 0
    first = read_record(Record, file).rows
    assert [(row.target, row.protocol, row.result) for row in first] == [
        ("ensemble", "grpc", "network"),
        ("network", "grpc", "network"),
    ]
    assert [step.step for step in first[1].steps] == ["network"]

    assert main([*given, "--http", triton.http_url]) == 0
    rows = read_record(Record, file).rows
    assert rows[:2] == first
    assert [(row.target, row.protocol, row.result) for row in rows[2:]] == [
        ("ensemble", "http", "photo"),
        ("network", "http", "network"),
    ]

    capsys.readouterr()
    assert main([*given, "--models", f"{DEFAULT} dpt_nothing"]) == 1
    assert "not measured: dpt_nothing onnx fp32: the server does not serve dpt_nothing" in capsys.readouterr().out
    assert read_record(Record, file).rows == rows


def test_a_server_that_is_started_for_it_is_watched(
    cold: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run.json"
    given = ["--models", DEFAULT, "--repository", str(cold), "--concurrency", "2", "--rates", "300"]
    given += ["--seconds", "0.5", "--photo-size", "160x120", "--results", "png16", "--output", str(file)]
    assert main(given) == 0, capsys.readouterr().err
    record = read_record(Record, file)
    closed, overload = record.rows
    assert (overload.generator, overload.refused is None) == ("asyncio and grpcio", False)
    (limit,) = record.limits
    assert (limit.model, limit.build, limit.photo, limit.result) == (DEFAULT, "onnx fp32", "160x120", "png16")
    for row in (closed, overload):
        assert row.cpu_cores is not None
        assert row.cpu_cores > 0
        assert row.memory_mb is not None
        assert row.memory_mb > 50
        assert row.shared_memory_mb is not None
    assert "of the limit" in capsys.readouterr().out


def test_a_measurement_too_short_for_an_answer_says_so(analyzer: PerfAnalyzer, triton: Triton, tmp_path: Path) -> None:
    file = tmp_path / "photo.json"
    write_input_data(jpeg(640, 480), file)
    with pytest.raises(TooShort, match="--seconds"):
        analyzer.measure(VARIANT, url=triton.grpc_url, input_data=file, load=Closed(concurrency=1), seconds=0.01)


def test_a_refused_photo_is_told_in_the_servers_words(analyzer: PerfAnalyzer, triton: Triton, tmp_path: Path) -> None:
    file = tmp_path / "photo.json"
    write_input_data(b"this is not a photo", file)
    with pytest.raises(Refused, match=f"the server refused a request: in ensemble '{VARIANT}', "):
        analyzer.measure(VARIANT, url=triton.grpc_url, input_data=file, load=Closed(concurrency=2), seconds=1)


def test_a_file_of_another_machine_is_told_before_anything_is_measured(
    triton: Triton, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (file := tmp_path / "run.json").write_text(
        json.dumps(
            {
                "schema": 2,
                "measured_at": "2026-01-01T00:00:00+00:00",
                "command": "",
                "machine": {"processor": "abacus", "cores": 1, "memory_gib": 1, "system": "", "busy_percent": 0},
                "versions": {},
            }
        )
    )
    assert main(["--url", triton.grpc_url, "--models", VARIANT, "--output", str(file)]) == 1
    err = capsys.readouterr().err
    assert "this one to abacus, 1 cores" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("model", "complaint"),
    [("dpt_nothing", "does not serve dpt_nothing: "), ("postprocess", "postprocess is not an ensemble")],
)
def test_a_model_that_cannot_be_measured_is_told_in_one_line(
    triton: Triton, model: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--url", triton.grpc_url, "--models", model]) == 1
    err = capsys.readouterr().err
    assert complaint in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_a_server_that_is_not_there_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--url", "127.0.0.1:1"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("error: no Triton answers gRPC at 127.0.0.1:1: ")
    assert err.count("\n") == 1


def test_a_repository_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--repository", str(tmp_path / "none"), "--models", VARIANT]) == 1
    assert f"there is no model repository at {tmp_path / 'none'}" in capsys.readouterr().err
