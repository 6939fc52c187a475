"""The soak's file and report, and, as a long test, a soak of minutes that is killed and goes on."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.__main__ import main
from benchmarks.soak.log import Log, read
from benchmarks.soak.report import contents, failures, growth
from tests.networks import DEFAULT, ROOT
from tests.server.launch.test_launch import wait_for


def requests(at: float, **outcomes: int) -> dict[str, Any]:
    return {"kind": "requests", "at": at, "way": "grpc", "outcomes": outcomes, "p50_ms": 40, "p99_ms": 90}


def failed(began: float, at: float) -> dict[str, Any]:
    return {"kind": "failed", "at": at, "began": began, "way": "grpc", "outcome": "TimeoutError"}


def sample(at: float, megabytes: float) -> dict[str, Any]:
    counts = {"steps": 6}
    return {
        **{"kind": "sample", "at": at, "megabytes": {"steps": megabytes}, "descriptors": counts},
        **{"threads": counts, "processes": counts, "shm_mb": 20.0, "disk_mb": 1.0},
    }


START = {"kind": "start", "at": 0.0, "machine": "a machine", "rate": 2.0, "envoy": False, "isolated": True}
FAULT = [
    {"kind": "fault", "at": 100.0, "name": "kill_step"},
    {"kind": "recovered", "at": 115.0, "name": "kill_step", "seconds": 4.0},
]


def words(text: str) -> str:
    """A page without its line breaks."""
    return " ".join(text.split())


def test_a_failure_is_the_faults_while_it_lasts_and_nobodys_else() -> None:
    entries = [
        *(requests(50, answered=10), failed(20, 99), *FAULT),
        *(failed(90, 101), failed(108, 120), failed(110, 130), requests(150, answered=6, TimeoutError=4)),
    ]
    found = failures(entries)
    assert found.sent == 20
    assert {name: sum(counts.values()) for name, counts in found.by_fault.items()} == {"kill_step": 2}
    assert found.elsewhere == {"grpc: TimeoutError": 2}


def test_a_fault_that_never_ended_takes_all_that_follows() -> None:
    assert failures([FAULT[0], failed(5000, 5001)]).elsewhere == {}


def test_growth_leaves_the_warm_up_out() -> None:
    entries = [sample(at, 100 if at < 100 else 200 if at < 700 else 300) for at in range(0, 1001, 10)]
    assert ("steps, MB", 200, 300) in growth(entries)
    assert ("shared memory, MB", 20, 20) in growth(entries)


def test_the_report_says_what_failed_when_nothing_was_done() -> None:
    entries = [START, *FAULT, *(sample(at, 100) for at in range(0, 1000, 10)), requests(200, answered=5)]
    text, pictures = contents(entries, "pictures")
    assert "None failed at other times." in words(text)
    assert "| kill_step | 1 | 4.0 | 4.0 | 0 |" in text
    assert {picture.name for picture in pictures} == {"memory", "descriptors", "threads", "latency"}
    assert all(picture.svg.startswith("<svg") for picture in pictures)
    assert "**Failed at other times: grpc: TimeoutError (1).**" in words(contents([*entries, failed(800, 801)], "p")[0])


def test_the_time_between_two_runs_does_not_count(tmp_path: Path) -> None:
    file = tmp_path / "soak.jsonl"
    file.write_text('{"kind": "start", "at": 0.0}\n{"kind": "sample", "at": 40.5}\n{"kind": "sam')
    log = Log(file)
    log.add("start")
    log.close()
    lines = read(file)
    assert [line["kind"] for line in lines] == ["start", "sample", "start"]
    assert 40.5 <= lines[-1]["at"] < 41


def test_a_report_of_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["soak", "--report", "--folder", str(tmp_path)]) == 1
    assert "there is no soak in" in capsys.readouterr().err
    assert main(["soak", "--folder", str(tmp_path), "--envoy", str(tmp_path / "envoy")]) == 1
    assert "there is no Envoy at" in capsys.readouterr().err


def until(file: Path, state: Callable[[list[dict[str, Any]]], bool]) -> None:
    assert wait_for(lambda: file.exists() and state(read(file)), 300)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_soak_goes_on_after_a_kill(cold: Path, tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "benchmarks", "soak", "--hours", "0.03", "--pause", "5", "--rate", "2"),
        *("--folder", str(tmp_path), "--repository", str(cold), "--models", DEFAULT),
    ]
    file = tmp_path / "soak.jsonl"
    with subprocess.Popen(command, cwd=ROOT) as first:
        until(file, lambda lines: any(line["kind"] == "recovered" for line in lines))
        children = psutil.Process(first.pid).children(recursive=True)
        first.send_signal(signal.SIGKILL)
    psutil.wait_procs(children, 60)
    assert not [each for each in children if each.is_running()], "what it had started ends with it"
    before = read(file)[-1]["at"]
    assert subprocess.run(command, cwd=ROOT, check=False, timeout=600).returncode == 0, (
        tmp_path / "soak.md"
    ).read_text()
    lines = read(file)
    assert [line["kind"] for line in lines].count("start") == 2
    assert before < 0.03 * 3600 <= lines[-1]["at"]
    assert {"requests", "sample", "fault"} <= {line["kind"] for line in lines}
    assert "None failed at other times." in words((tmp_path / "soak.md").read_text())
    assert (tmp_path / "soak.html").is_file()
