"""The command line of `python -m benchmarks gpu`.

On a machine with nothing of the project's installed: PYTHONPATH=server python3 -m benchmarks gpu
"""

import argparse
import contextlib
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from benchmarks.errors import BenchmarkError
from benchmarks.gpu import exported
from benchmarks.gpu.device import Watch, machine
from benchmarks.gpu.plan import RUNTIMES, SERVED, Budget, Job, every_variant, jobs
from benchmarks.gpu.pytorch import DTYPES, Timing, batches, time_network
from benchmarks.gpu.record import RecordFile
from benchmarks.report.published import RTX_3090_FRAMES_PER_SECOND
from export.errors import UnknownVariantError
from export.variants import VARIANTS, variant_named
from midas_server.argument_types import positive

_MINUTES = 7.5
_CPU_NOTE = "The networks alone were measured on the processor, to try the command: these are no figures of a GPU."


class _TimeIsUp(BaseException):
    """The run's time ended during a job. PyTorch's compiler, which catches every Exception, lets it through."""


def main(arguments: Sequence[str]) -> int:
    """Measure until all is measured or time is up; return the exit status."""
    options = _parser().parse_args(arguments)
    command = shlex.join(["python", "-m", "benchmarks", "gpu", *arguments])
    try:
        return _Run(options, command).run()
    except (BenchmarkError, UnknownVariantError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; what was measured is kept", file=sys.stderr)
        return 130


class _Run:
    def __init__(self, options: argparse.Namespace, command: str) -> None:
        self._options = options
        self._budget = Budget(60 * options.minutes)
        self._device: str = options.device
        if self._device == "cuda" and not torch.cuda.is_available():
            raise BenchmarkError(
                f"PyTorch {torch.__version__} sees no GPU here. To try the command without one: "
                "--device cpu --models midas_tiny_256 --precisions fp32"
            )
        self._models = [variant_named(name).name for name in options.models or every_variant()]
        facts = machine()
        note = _CPU_NOTE if self._device == "cpu" else ""
        self._record = RecordFile(options.output, command, facts, note)
        self._watch = Watch(self._device == "cuda")
        self._rows: list[dict[str, Any]] = []
        self._left_out: dict[str, list[str]] = {}
        gpu = facts["gpu"]
        print(f"machine: {facts['processor']}, {facts['cores']} cores; GPU: {gpu['name'] if gpu else 'none'}")
        print(f"PyTorch {torch.__version__}; at most {options.minutes:g} minutes; into {options.output}", flush=True)

    def run(self) -> int:
        planned = jobs(self._models, self._options.runtimes, self._options.precisions)
        for number, job in enumerate(planned, 1):
            why = None if job.runtime.startswith("pytorch") else exported.missing(job.runtime)
            if why is not None:
                self._leave_out(f"{job.runtime}: {why}", job)
            elif not self._budget.allows(job):
                self._leave_out("there was no time for it", job)
            else:
                self._measure(job, f"{number}/{len(planned)} {job}")
        exported.clean()
        self._report()
        return 0 if self._rows else 1

    def _measure(self, job: Job, title: str) -> None:
        started = time.monotonic()
        print(f"{title} ({self._budget.left:.0f} s left)", flush=True)
        try:
            with _until(self._budget.left):
                self._job(job)
        except _TimeIsUp:
            self._leave_out("time was up while it was measured", job)
        except KeyboardInterrupt:
            raise
        except Exception as error:  # noqa: BLE001 - one network that fails must not end the run
            self._leave_out(f"it failed: {(str(error).strip().splitlines() or [type(error).__name__])[0][:200]}", job)
        self._budget.note(job, time.monotonic() - started)

    def _job(self, job: Job) -> None:
        if job.runtime == "served":
            print(exported.served(SERVED, self._options.output, limit_s=self._budget.left), flush=True)
            return
        if job.runtime == "onnx runtime":
            limit, seconds = self._budget.left, self._options.seconds
            timing = exported.onnx_runtime(job.model, job.precision, seconds=seconds, limit_s=limit, watch=self._watch)
            self._keep(job, timing)
            return
        if job.runtime == "tensorrt":
            limit = self._budget.left
            self._keep(job, exported.tensorrt(job.model, job.precision, limit_s=limit, watch=self._watch))
            return
        time_network(
            job.model,
            compiled=job.runtime == "pytorch compiled",
            precision=job.precision,
            device=self._device,
            tried=self._batches(job),
            seconds=self._options.seconds,
            watch=self._watch,
            keep=lambda timing: self._keep(job, timing),
        )

    def _batches(self, job: Job) -> list[int]:
        """All of them at first; later only 1 and the best one, since each takes a compilation or a search."""
        rows = [row for row in self._rows if row["model"] == job.model and row["runtime"] == "pytorch eager"]
        if not rows:
            return batches(self._options.largest_batch)
        return sorted({1, max(rows, key=lambda row: row["images_per_second"])["batch"]})

    def _keep(self, job: Job, timing: Timing) -> None:
        side = VARIANTS[job.model].resolution
        row = {
            "model": job.model,
            "runtime": job.runtime,
            "precision": job.precision,
            "device": "cuda" if job.runtime in ("onnx runtime", "tensorrt") else self._device,
            "batch": timing.batch,
            "network_size": f"{side}x{side}",
            "images_per_second": round(timing.images_per_second, 2),
            "ms": round(timing.ms, 3),
            "memory_mb": None if timing.memory_mb is None else round(timing.memory_mb, 1),
            "gpu_clock_mhz": timing.seen.clock_mhz,
            "gpu_power_w": timing.seen.power_w,
        }
        self._rows.append(row)
        self._record.add(row)

    def _leave_out(self, why: str, job: Job) -> None:
        self._left_out.setdefault(why, []).append(str(job))

    def _report(self) -> None:
        head = f"{'ms, 1 image':>12}{'images/s':>10}{'in batches':>11}{'RTX 3090':>10}"
        print(f"\n{'network':<36}{'runtime':<18}{'':<6}{head}")
        groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        for row in self._rows:
            groups.setdefault((row["model"], row["runtime"], row["precision"]), []).append(row)
        for (model, runtime, precision), rows in sorted(groups.items()):
            best = max(rows, key=lambda row: row["images_per_second"])
            one = next((f"{row['ms']:.2f}" for row in rows if row["batch"] == 1), "")
            published = f"{RTX_3090_FRAMES_PER_SECOND[model]:g}" if model in RTX_3090_FRAMES_PER_SECOND else ""
            figures = f"{one:>12}{best['images_per_second']:>10.1f}{best['batch']:>11}{published:>10}"
            print(f"{model:<36}{runtime:<18}{precision:<6}{figures}")
        print("RTX 3090: frames a second that MiDaS published, in PyTorch")
        for why, left_out in self._left_out.items():
            print(f"left out, {why}: {len(left_out)}: {'; '.join(left_out)}")
        print(f"took {60 * self._options.minutes - self._budget.left:.0f} s; written to {self._options.output}")


@contextlib.contextmanager
def _until(seconds: float) -> Iterator[None]:
    """End the block with _TimeIsUp after so long; a compilation may go on for some moments."""

    def end(number: int, frame: FrameType | None) -> None:
        raise _TimeIsUp

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, max(0.1, seconds))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks gpu",
        description="The networks alone on a GPU: PyTorch eager and compiled, ONNX Runtime and TensorRT where "
        "installed, and the served path where Triton starts. Needs PyTorch alone. The least important is left out "
        "where time is short, and named.",
    )
    parser.add_argument("--models", type=str.split, metavar="'NAME ...'", help="(every variant)")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda", help="cpu tries the command (%(default)s)")
    parser.add_argument("--minutes", type=positive, default=_MINUTES, help="the whole run takes (%(default)g)")
    parser.add_argument("--seconds", type=positive, default=0.5, help="length of one measurement (%(default)g)")
    parser.add_argument(
        "--precisions",
        type=_some_of(DTYPES),
        default=["fp16", "bf16"],
        metavar="fp16,bf16",
        help="of PyTorch, the most important first: fp32, fp16, bf16 (fp16,bf16)",
    )
    parser.add_argument(
        "--runtimes",
        type=_some_of(RUNTIMES),
        default=list(RUNTIMES),
        metavar="NAME,...",
        help=f"({','.join(RUNTIMES)})",
    )
    parser.add_argument("--largest-batch", type=int, default=64, metavar="N", help="(%(default)s)")
    parser.add_argument(
        "--output", type=Path, default=Path("build/gpu.json"), metavar="FILE", help="the record (%(default)s)"
    )
    return parser


class _some_of:  # noqa: N801 - used as a function
    def __init__(self, allowed: Sequence[str] | dict[str, Any]) -> None:
        self._allowed = list(allowed)

    def __call__(self, text: str) -> list[str]:
        names = list(dict.fromkeys(text.split(",")))
        for name in names:
            if name not in self._allowed:
                raise argparse.ArgumentTypeError(f"'{name}' is not known: give some of {','.join(self._allowed)}")
        return names
