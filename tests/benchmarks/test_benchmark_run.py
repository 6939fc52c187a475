"""The real perf_analyzer against the real Triton."""

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.errors import BenchmarkError, TooShort
from benchmarks.perf_analyzer import PerfAnalyzer
from benchmarks.photo import jpeg, write_input_data
from midas_server.launch import Triton

VARIANT = "midas_v21_small_256"


@pytest.fixture(scope="module")
def analyzer() -> PerfAnalyzer:
    return PerfAnalyzer()


def test_perf_analyzer_is_the_pinned_one(analyzer: PerfAnalyzer) -> None:
    assert analyzer.version == "2.51.0"


def test_a_small_sweep_from_the_command_line(
    analyzer: PerfAnalyzer, triton: Triton, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sweep.json"
    options = ["--models", VARIANT, "--concurrency", "1,4", "--seconds", "2", "--photo-size", "640x480"]
    status = main([*options, "--url", triton.grpc_url, "--output", str(file)])
    out, err = capsys.readouterr()
    assert status == 0, err
    assert not err
    assert "weights: untrained" in out
    assert f"-m benchmarks {' '.join(options)} --url" in out

    record = json.loads(file.read_text())
    assert record["versions"]["perf_analyzer"] == analyzer.version
    rows = record["rows"]
    assert [(row["result"], row["client"]["concurrency"]) for row in rows] == [
        *(("network", 1), ("network", 4), ("photo", 1), ("photo", 4))
    ]
    assert [row["answer"]["output"] for row in rows[::2]] == [rows[0]["answer"]["network"], [640, 480]]
    for row in rows:
        client = row["client"]
        assert 0 < client["p50_ms"] <= client["p95_ms"] <= client["p99_ms"]
        # With n requests always under way, n = throughput x mean latency (Little's law): the two were measured apart.
        assert client["photos_per_second"] * client["mean_ms"] / 1000 == pytest.approx(client["concurrency"], rel=0.35)
        assert [step["step"] for step in row["steps"]] == ["preprocess", "network", "postprocess"]
        assert all(step["photos"] > 0 and step["batch"] >= 1 for step in row["steps"])
        inside = sum(step["queue_ms"] + step["compute_ms"] for step in row["steps"])
        assert inside < 1.5 * client["mean_ms"]


def test_a_measurement_too_short_for_an_answer_says_so(analyzer: PerfAnalyzer, triton: Triton, tmp_path: Path) -> None:
    file = tmp_path / "photo.json"
    write_input_data(jpeg(640, 480), file)
    with pytest.raises(TooShort, match="--seconds"):
        analyzer.measure(VARIANT, grpc_url=triton.grpc_url, input_data=file, concurrency=1, seconds=0.01)


def test_a_refused_photo_is_told_in_the_servers_words(analyzer: PerfAnalyzer, triton: Triton, tmp_path: Path) -> None:
    file = tmp_path / "photo.json"
    write_input_data(b"this is not a photo", file)
    with pytest.raises(BenchmarkError, match=f"the server refused a request: in ensemble '{VARIANT}', "):
        analyzer.measure(VARIANT, grpc_url=triton.grpc_url, input_data=file, concurrency=2, seconds=1)


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
