"""Triton's load generator, perf_analyzer: set up without root, run, and read."""

import csv
import importlib.util
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.environment import ROOT, environment
from benchmarks.errors import BenchmarkError, Refused, TooShort
from benchmarks.load.arrivals import intervals, poisson
from benchmarks.load.measurement import Measurement
from benchmarks.record import Closed, Load, Open

WHEEL = "tritonclient==2.51.0"
"""The last wheel whose perf_analyzer runs on glibc 2.36 and older; 2.52 and later need 2.38."""

_WINDOWS = 3
_WINDOW_STRETCH = 1.2
"""perf_analyzer keeps a window open for 1.2 times the interval that it is told."""

_TOO_SHORT = (
    "No valid requests recorded",
    # No request reached a step of the ensemble within a window, so that the step's statistics stood still.
    "failed to find the requested model version",
    # With the deviation that is accepted here, only a window without an answer counts as unstable.
    "Failed to obtain stable measurement",
)
"""What perf_analyzer says when no answer came within one of its windows."""

_LIBRARIES = {"libb64.so.0d": "libb64-*.so.0d", "libcudart.so.12": "libcudart-*.so.12*"}
"""Libraries that the binary is linked to and few machines have, and their names in the folder of pytriton's wheel."""


class PerfAnalyzer:
    """The perf_analyzer of a pinned wheel, in an environment of its own.

    Raises:
        BenchmarkError: it could not be installed, or a library is missing that it is linked to.
    """

    def __init__(self, root: Path = ROOT) -> None:
        folder = environment("perf_analyzer", [WHEEL], dependencies=False, root=root)
        self._binary = folder / "bin" / "perf_analyzer"
        self._libraries = folder / "libraries"
        _link_libraries(self._libraries)
        found = re.search(r"Version (\S+)", self._run(["--version"], timeout_s=30))
        self.version: str = found.group(1) if found else "unknown"

    def measure(
        self,
        model: str,
        *,
        url: str,
        load: Load,
        input_data: Path,
        seconds: float,
        protocol: str = "grpc",
        parameters: Mapping[str, str] | None = None,
    ) -> Measurement:
        """Put `load` on a model for about `seconds` and return what was measured.

        Time windows are used rather than `--request-count`: with a count, perf_analyzer 2.51 looks only once a
        second whether it is done, so that its throughput is off by up to a second's worth. The windows are three, of
        one length, and merged; the deviation that it accepts between them is set so wide that it never goes on
        without end on a busy machine, in which case it would write nothing at all.

        An open load is sent with `--async`: by default perf_analyzer sends from four threads that wait for their
        answers, so that no more than four requests are ever under way and the rate is not kept. Its own Poisson
        arrivals (`--request-distribution poisson`) are the same sequence in every run, whose first hundred waits
        are a fifth longer than the rate says; so the waits of `benchmarks.load.arrivals` are given to it.

        Args:
            model: the model's name on the server.
            url: `host:port` of the protocol.
            load: how many requests are under way, or how many are sent in a second.
            input_data: a file for `--input-data`, see `benchmarks.load.photo`.
            seconds: the length of the measurement.
            protocol: "grpc" or "http".
            parameters: request parameters, over gRPC only; all of them travel as strings.

        Raises:
            TooShort: a third of the time was too short for one answer.
            Refused: the server refused a request; perf_analyzer ends with the first, whatever was measured until then.
            BenchmarkError: perf_analyzer gave up; with its own words.
        """
        with tempfile.TemporaryDirectory(prefix="perf-analyzer-") as folder:
            report = Path(folder) / "report.csv"
            arguments = ["-m", model, "-i", protocol, "-u", url, "--input-data", str(input_data)]
            arguments += ["--max-trials", str(_WINDOWS)]
            if isinstance(load, Closed):
                arguments += ["--concurrency-range", str(load.concurrency)]
            else:
                waits = Path(folder) / "waits.txt"
                waits.write_text(_waits(load, seconds))
                arguments += ["--request-intervals", str(waits), "--async"]
            arguments += ["--measurement-interval", str(round(1000 * seconds / _WINDOWS / _WINDOW_STRETCH))]
            arguments += ["--stability-percentage", "1000", "-f", str(report), "--verbose-csv"]
            for name, value in (parameters or {}).items():
                arguments += ["--request-parameter", f"{name}:{value}:string"]
            said = self._run(arguments, timeout_s=120 + 10 * seconds)
            if not report.is_file():
                raise BenchmarkError(f"perf_analyzer wrote no report; its last words: {_last_line(said)}")
            return read_report(report.read_text())

    def _run(self, arguments: Sequence[str], timeout_s: float) -> str:
        paths = [str(self._libraries), os.environ.get("LD_LIBRARY_PATH", "")]
        variables = {**os.environ, "LD_LIBRARY_PATH": ":".join(path for path in paths if path)}
        try:
            done = subprocess.run(
                [str(self._binary), *arguments],
                env=variables,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout_s,
                check=False,
            )
        except OSError as error:
            raise BenchmarkError(f"perf_analyzer does not run here (Linux x86-64 only): {error}") from error
        except subprocess.TimeoutExpired as error:
            raise BenchmarkError(
                f"perf_analyzer gave no result within {timeout_s:.0f} s; is the server busy?"
            ) from error
        if done.returncode != 0:
            raise explain(done.stderr, done.returncode)
        return done.stdout + done.stderr


def read_report(text: str) -> Measurement:
    """Read perf_analyzer's CSV report (`-f` with `--verbose-csv`), which holds one row; its times are in µs.

    Raises:
        BenchmarkError: the report lacks a row or a column.
    """
    rows = list(csv.DictReader(text.splitlines()))
    if len(rows) != 1:
        raise BenchmarkError(f"perf_analyzer's report should hold one row, it holds {len(rows)}")
    row = rows[0]
    try:
        return Measurement(
            photos_per_second=float(row["Inferences/Second"]),
            mean_ms=float(row["Avg latency"]) / 1000,
            p50_ms=float(row["p50 latency"]) / 1000,
            p90_ms=float(row["p90 latency"]) / 1000,
            p95_ms=float(row["p95 latency"]) / 1000,
            p99_ms=float(row["p99 latency"]) / 1000,
        )
    except KeyError as error:
        raise BenchmarkError(f"perf_analyzer's report has no column {error}; it has {', '.join(row)}") from error


def explain(stderr: str, status: int) -> BenchmarkError:
    """Turn what perf_analyzer wrote to stderr into an error of one line that names the cause."""
    library = re.search(r"error while loading shared libraries: (\S+):", stderr)
    if library:
        return BenchmarkError(
            f"perf_analyzer needs {library.group(1)}, which neither this system nor the nvidia-pytriton wheel has: "
            "run `make setup`, or install Debian's libb64-0d and pip's nvidia-cuda-runtime-cu12"
        )
    if any(sign in stderr for sign in _TOO_SHORT):
        return TooShort("no answer came within a measurement window: give --seconds a larger value")
    refused = re.search(r"Thread \[\d+\] had error: (.+)", stderr)
    if refused:
        return Refused(f"the server refused a request: {refused.group(1)}")
    return BenchmarkError(f"perf_analyzer failed with status {status}: {_last_line(stderr)}")


def _waits(load: Open, seconds: float) -> str:
    """Return the content of a file for `--request-intervals`: waits in microseconds, a line each."""
    waits = [1 / load.rate] if load.arrivals == "constant" else intervals(poisson(load.rate, seconds), seconds)
    return "".join(f"{max(1, round(1e6 * wait))}\n" for wait in waits)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].removeprefix("error: ") if lines else "(nothing)"


def _link_libraries(folder: Path) -> None:
    """Give pytriton's copies of the libraries the names that the binary asks for, as links in `folder`.

    A library that is not in the wheel is left to the system; when it is missing there too, running says so.
    """
    folder.mkdir(exist_ok=True)
    package = importlib.util.find_spec("pytriton")
    if package is None or package.origin is None:
        return
    bundled = Path(package.origin).parent.parent / "nvidia_pytriton.libs"
    for name, pattern in _LIBRARIES.items():
        link = folder / name
        link.unlink(missing_ok=True)
        copies = sorted(bundled.glob(pattern))
        if copies:
            link.symlink_to(copies[0])
