"""`python -m benchmarks gpu`, tried on the processor: what it measures, what it leaves out, and what it needs."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from benchmarks.gpu.command import _TimeIsUp, _until, main
from benchmarks.gpu.plan import EXPORTED, RUNTIMES, SERVED, Budget, Job, every_variant, jobs
from benchmarks.gpu.pytorch import batches, in_precision
from benchmarks.record import NetworkRow, Record
from benchmarks.report.contents import contents
from export.variants import VARIANTS
from reports.machine import this_machine
from reports.records import read_record
from tests.networks import DEFAULT, ROOT

# What the command may not need. None in place of a module makes an import of it fail.
ABSENT = (
    "pydantic",
    "rich",
    "psutil",
    "onnx",
    "onnxruntime",
    "openvino",
    "cv2",
    "PIL",
    "skimage",
    "tritonclient",
    "pynvml",
)
BARE = f"""
import runpy, sys
sys.modules.update(dict.fromkeys({ABSENT!r}))
sys.argv[0] = "benchmarks"
runpy.run_module("benchmarks", run_name="__main__")
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What the command says, and its record, where nothing but PyTorch and numpy is installed."""
    file = tmp_path_factory.mktemp("gpu") / "gpu.json"
    words = ["gpu", "--device", "cpu", "--models", DEFAULT, "--precisions", "bf16", "--seconds", "0.01"]
    words += ["--largest-batch", "2", "--runtimes", "pytorch eager,onnx runtime", "--output", str(file)]
    done = subprocess.run(
        [sys.executable, "-c", BARE, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, file


def test_pytorch_is_enough(bare: tuple[str, Path]) -> None:
    said, file = bare
    record = read_record(Record, file)
    assert {(row.model, row.runtime, row.precision, row.device) for row in record.networks} == {
        (DEFAULT, "pytorch eager", "bf16", "cpu")
    }
    assert [row.batch for row in record.networks] in ([1], [1, 2])
    for row in record.networks:
        assert row.images_per_second == pytest.approx(1000 * row.batch / row.ms, rel=0.01)
    assert record.machine.name == this_machine().name
    assert "no figures of a GPU" in record.note
    assert "took" in said.splitlines()[-1]


def test_a_second_run_adds_to_the_record(bare: tuple[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    _, file = bare
    before = read_record(Record, file)
    words = ["--device", "cpu", "--models", DEFAULT, "--seconds", "0.01", "--largest-batch", "1"]
    assert main([*words, "--precisions", "fp32", "--runtimes", "pytorch eager", "--output", str(file)]) == 0
    capsys.readouterr()
    after = read_record(Record, file)
    assert set(before.networks) < set(after.networks)
    assert len(after.command.splitlines()) == 2
    text, _ = contents([after], {})
    assert "pytorch eager" in text


def test_it_says_what_it_leaves_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--device", "cpu", "--models", DEFAULT, "--precisions", "fp32", "--minutes", "0.001"]
    words += ["--runtimes", "pytorch eager,pytorch compiled,served"]
    assert main([*words, "--output", str(tmp_path / "gpu.json")]) == 1
    said = capsys.readouterr().out
    (line,) = [line for line in said.splitlines() if line.startswith("left out, ")]
    assert line.startswith("left out, there was no time for it: 3: ")
    assert f"{DEFAULT}, pytorch eager fp32" in line
    assert not (tmp_path / "gpu.json").exists()


@pytest.mark.parametrize(
    ("words", "status", "complaint"),
    [
        (["--models", "dpt_larg_384"], 1, "did you mean dpt_large_384"),
        pytest.param(
            [],
            1,
            "sees no GPU here. To try the command without one: --device cpu",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU"),
        ),
    ],
)
def test_errors(
    words: list[str], status: int, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    device = ["--device", "cpu"] if words else []
    assert main([*words, *device, "--output", str(tmp_path / "gpu.json")]) == status
    assert complaint in capsys.readouterr().err


def test_a_file_that_is_no_record_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "gpu.json"
    file.write_text("[]")
    assert main(["--device", "cpu", "--models", DEFAULT, "--output", str(file)]) == 1
    assert "is not a record of the benchmarks" in capsys.readouterr().err
    assert file.read_text() == "[]"


def test_the_most_important_comes_first() -> None:
    planned = jobs(every_variant(), RUNTIMES, ["fp16", "bf16"])
    assert len(set(planned)) == len(planned)
    pytorch = {(job.model, job.runtime, job.precision) for job in planned if job.runtime.startswith("pytorch")}
    assert len(pytorch) == 4 * len(VARIANTS)
    assert planned.index(Job("dpt_large_384", "pytorch eager", "fp16")) < planned.index(Job(SERVED, "served", "fp32"))
    assert planned.index(Job(SERVED, "served", "fp32")) < planned.index(Job("dpt_large_384", "pytorch eager", "bf16"))
    assert all(Job(name, "tensorrt", "fp16") in planned for name in EXPORTED)
    assert planned[-1].runtime == "pytorch compiled"
    assert batches(64) == [1, 2, 4, 8, 16, 32, 64]


def test_a_job_that_catches_every_error_ends_in_time() -> None:
    with pytest.raises(_TimeIsUp), _until(0.1):
        while True:
            try:
                time.sleep(60)
            except Exception:  # noqa: BLE001, S112 - as a compiler does
                continue


def test_nothing_is_begun_that_would_not_end_in_time() -> None:
    now = 0.0
    budget = Budget(100.0, clock=lambda: now)
    eager, compiled = Job(DEFAULT, "pytorch eager", "fp16"), Job(DEFAULT, "pytorch compiled", "fp16")
    assert budget.allows(eager)
    assert budget.allows(compiled)
    now = 50.0
    assert budget.allows(eager)
    assert not budget.allows(compiled)
    budget.note(eager, 60.0)
    assert not budget.allows(eager)


@pytest.mark.parametrize("name", {row.family: name for name, row in VARIANTS.items()}.values())
def test_every_family_computes_in_half_precision(name: str) -> None:
    # on PyTorch's device without memory: types and shapes only
    side = VARIANTS[name].resolution
    for dtype in (torch.float16, torch.bfloat16):
        network = in_precision(name, dtype, "meta")
        with torch.inference_mode():
            depth = network(torch.empty(1, 3, side, side, dtype=dtype, device="meta"))
        assert (tuple(depth.shape), depth.dtype) == ((1, side, side), dtype)


def test_the_record_has_what_the_command_writes(bare: tuple[str, Path]) -> None:
    (first, *_) = json.loads(bare[1].read_text())["networks"]
    assert set(first) == set(NetworkRow.__dataclass_fields__)
