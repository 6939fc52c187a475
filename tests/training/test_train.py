"""Training repeats from its seed, survives a kill, and ends in a file that export takes."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from export.networks import build, load_official
from export.weights.checkpoints import read_state_dict
from training.__main__ import main
from training.run import Run
from training.schedule import rate

ROOT = Path(__file__).parents[2]
STEPS = 8


def arguments(data: Path, out: Path, *more: str) -> list[str]:
    tiny = f"--steps {STEPS} --batch 2 --size 64 --warm-up 2 --seed 3 --encoder none --precision float32 --threads 1"
    return [
        "train",
        "--data",
        str(data),
        "--out",
        str(out),
        *tiny.split(),
        "--workers",
        "0",
        "--save-every",
        "3",
        *more,
    ]


def losses(run: Path) -> list[tuple[int, float]]:
    lines = (json.loads(line) for line in (run / "log.jsonl").read_text().splitlines())
    return [(line["step"], line["loss"]) for line in lines if "loss" in line]


@pytest.fixture(scope="module")
def whole(tiny_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing interrupted."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    assert main(arguments(tiny_set, run)) == 0
    return run


def test_what_a_run_leaves(whole: Path) -> None:
    assert {path.name for path in whole.iterdir()} >= {"settings.json", "checkpoint.pt", "log.jsonl", "curve.png"}
    assert [step for step, _ in losses(whole)] == list(range(1, STEPS + 1))
    assert not list(whole.glob("*.part"))


def test_the_same_seed_gives_the_same_losses(whole: Path, tiny_set: Path, tmp_path: Path) -> None:
    assert main(arguments(tiny_set, tmp_path / "again", "--stop-after", "4")) == 0
    assert losses(tmp_path / "again") == losses(whole)[:4]
    other = arguments(tiny_set, tmp_path / "other", "--stop-after", "1")
    other[other.index("--seed") + 1] = "4"
    assert main(other) == 0
    assert losses(tmp_path / "other") != losses(whole)[:1]


def tensors(run: Path) -> dict[str, torch.Tensor]:
    average = read_state_dict(run / "checkpoint.pt")["average"]
    assert isinstance(average, dict)
    return average


def test_stopped_and_gone_on_is_as_if_it_had_not_stopped(
    whole: Path, tiny_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "stopped"
    assert main(arguments(tiny_set, run, "--stop-after", "5")) == 0
    assert "stopped after step 5; the same command goes on from there" in capsys.readouterr().out
    assert main(arguments(tiny_set, run)) == 0
    assert "going on after step 5" in capsys.readouterr().out
    assert losses(run) == losses(whole)
    expected = tensors(whole)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in tensors(run).items())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_killed_and_gone_on_is_as_if_it_had_not_been_killed(
    how: signal.Signals, whole: Path, tiny_set: Path, tmp_path: Path
) -> None:
    run = tmp_path / "killed"
    command = [sys.executable, "-m", "training", *arguments(tiny_set, run)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (run / "checkpoint.pt").is_file() or len(Run.lines_of(run / "log.jsonl")) < 4:
        assert process.poll() is None or process.returncode == 0
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(how)
    process.communicate(timeout=30)
    assert process.returncode in ((-how,) if how == signal.SIGKILL else (0,))
    assert main(arguments(tiny_set, run)) == 0
    assert losses(run) == losses(whole)
    expected = tensors(whole)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in tensors(run).items())


def test_going_on_with_other_data_is_told(tiny_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shutil.copytree(tiny_set, tmp_path / "growing")
    table = (folder / "pairs.csv").read_text().splitlines(keepends=True)
    (folder / "pairs.csv").write_text("".join(table[:-3]))
    command = arguments(folder, tmp_path / "run")
    assert main([*command, "--stop-after", "1"]) == 0
    assert main([*command, "--stop-after", "2"]) == 0
    assert "warning" not in capsys.readouterr().out
    (folder / "pairs.csv").write_text("".join(table))
    assert main([*command, "--stop-after", "3"]) == 0
    assert "warning: the data has changed since the run was stopped" in capsys.readouterr().out


def test_a_run_with_other_settings_is_left_alone(
    whole: Path, tiny_set: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (whole / "checkpoint.pt").read_bytes()
    other = arguments(tiny_set, whole)
    other[other.index("--batch") + 1] = "4"
    assert main(other) == 1
    error = capsys.readouterr().err
    assert "holds a run with batch 2, not 4: give the same options to go on with it, or another --out" in error
    assert error.count("\n") == 1
    assert (whole / "checkpoint.pt").read_bytes() == before


def test_the_weights_that_ship(whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shipped = tmp_path / "midas_tiny_256.pt"
    assert main(["export-weights", str(whole), "--out", str(shipped)]) == 0
    assert "8.9 MB in half precision, which changes the output by" in capsys.readouterr().out
    state = read_state_dict(shipped)
    assert {tensor.dtype for tensor in state.values() if isinstance(tensor, torch.Tensor)} == {torch.half, torch.long}
    load_official(build("midas_tiny_256"), state)
    assert main(["export-weights", str(tmp_path), "--out", str(shipped)]) == 1
    assert "is no run of midas_tiny_256 with a checkpoint" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--data", "/nowhere"], "error: there is no /nowhere"),
        (["--init", "/nowhere.pt"], "error: /nowhere.pt: "),
        (["--precision", "float16", "--device", "cpu"], "error: --precision float16 needs a GPU"),
    ],
)
def test_bad_input_is_one_line(
    more: list[str], message: str, tiny_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(tiny_set, tmp_path / "run", *more)) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_the_learning_rate_rises_and_falls() -> None:
    rates = [rate(step, 1000, 100) for step in range(1000)]
    assert rates[0] == 0.01
    assert max(rates) == rates[99] == 1
    assert rates[:100] == sorted(rates[:100])
    assert rates[100:] == sorted(rates[100:], reverse=True)
    assert 0.009 < rates[-1] < 0.011
