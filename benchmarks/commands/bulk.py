"""`python -m benchmarks bulk`: `python -m bulk` against the same steps in one process, in turn; and its memory."""

import argparse
import json
import os
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.commands.arguments import photo_size, seconds
from benchmarks.errors import BenchmarkError
from benchmarks.load.photo import jpeg
from benchmarks.measure.limit import LimitRun

_EVERY_SECONDS = 1.0
_MARKS = (0.1, 0.25, 0.5, 0.75, 0.95)  # at the end Ray gives its memory back


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `bulk` to `parser`."""
    parser.add_argument("--repository", type=Path, default=Path("model_repository"), help="(%(default)s)")
    parser.add_argument("--model", default="midas_tiny_256", help="the network (%(default)s)")
    parser.add_argument("--photo-size", type=photo_size, default=(640, 480), metavar="WxH", help="(640x480)")
    parser.add_argument("--photos", type=int, default=1000, help="names of one photo, for each round (%(default)s)")
    parser.add_argument("--resolution", type=int, metavar="N", help="the option of a request (the network's)")
    parser.add_argument("--seconds", type=seconds, default=10.0, help="of the limit, a round (%(default)g)")
    parser.add_argument("--rounds", type=int, default=3, help="of both, in turn (%(default)s)")
    parser.add_argument("--python", type=Path, default=Path(".venv-bulk/bin/python"), help="with Ray (%(default)s)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Measure, print two tables, and return the exit status.

    Raises:
        BenchmarkError: it could not be measured.
    """
    if not options.python.is_file():
        raise BenchmarkError(f"there is no {options.python}: make bulk-setup makes it")
    photo = jpeg(*options.photo_size)
    parameters = {} if options.resolution is None else {"resolution": options.resolution}
    limit = LimitRun(options.repository, options.model, photo, "png16", parameters=parameters)
    sharing = limit.best(options.seconds / len(limit.sharings) / 2, console.print)
    columns = ("round", f"one process, {sharing}", "bulk, after start-up", "ratio", "Ray itself, % of a core")
    rates = Table(*columns, title="photos a second")
    sizes = Table("round", *(f"{mark:.0%}" for mark in _MARKS), title="MiB of memory when so much was done")
    ratios = []
    for number in range(1, options.rounds + 1):
        bound = limit.photos_per_second(sharing, options.seconds)
        rate, looks = _bulk(options, photo)
        ratios.append(rate / bound)
        first, last = looks[0], looks[-1]
        ray = 100 * (last.ray_seconds - first.ray_seconds) / max(last.at - first.at, 1e-9)
        rates.add_row(str(number), f"{bound:.1f}", f"{rate:.1f}", f"{rate / bound:.3f}", f"{ray:.1f}")
        sizes.add_row(str(number), *(f"{look.megabytes:,.0f}" for look in looks))
    console.print(rates, sizes)
    console.print(f"median ratio {median(ratios):.3f}")
    return 0


@dataclass(frozen=True)
class _Look:
    """What a run takes at one moment, with all that it started.

    Attributes:
        at: seconds of a clock.
        megabytes: of memory, in MiB; what processes share counts once.
        ray_seconds: processor time of all but the workers until then.
    """

    at: float
    megabytes: float
    ray_seconds: float


def _bulk(options: argparse.Namespace, photo: bytes) -> tuple[float, list[_Look]]:
    """One run of the command.

    Returns:
        Photos a second from the tenth part on, when all workers are there, to the last; and a look at each of the
        marks.

    Raises:
        BenchmarkError: the command failed, or there were too few photos for a look.
    """
    with TemporaryDirectory(dir="build" if Path("build").is_dir() else None) as folder:
        photos, output = Path(folder) / "photos", Path(folder) / "output"
        for number in range(options.photos):
            file = photos / f"{number // 1000:03}" / f"{number:06}.jpg"
            if number % 1000 == 0:
                file.parent.mkdir(parents=True)
                file.write_bytes(photo)
                first = file
            else:
                os.link(first, file)
        command = [options.python, "-m", "bulk", photos, output, "--model", options.model]
        command += ["--repository", options.repository]
        command += [] if options.resolution is None else ["--option", f"resolution={options.resolution}"]
        looks: list[_Look] = []
        with (Path(folder) / "said").open("w+") as said:
            process = subprocess.Popen(list(map(str, command)), stderr=said, stdout=said)
            try:
                while process.poll() is None:
                    # A look costs processor time that the workers would use, so there are few.
                    if len(looks) < len(_MARKS) and _done(output) >= _MARKS[len(looks)] * options.photos:
                        looks.append(_look(process.pid))
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(_EVERY_SECONDS)
            finally:
                process.terminate()
                process.wait()
            if process.returncode != 0:
                said.seek(0)
                raise BenchmarkError(f"bulk ended with {process.returncode}: {said.read()[-500:]}")
        if len(looks) < 2:
            raise BenchmarkError(f"{options.photos} photos were done too soon: take more --photos")
        lines = map(json.loads, (output / "manifest.jsonl").read_text().splitlines())
        ends = sorted(line["finished"] for line in lines)
    begin = len(ends) // 10
    return (len(ends) - 1 - begin) / (ends[-1] - ends[begin]), looks


def _done(output: Path) -> int:
    return sum(file.read_bytes().count(b'"status"') for file in output.glob("journal/*.jsonl"))


def _look(pid: int) -> _Look:
    megabytes = ray_seconds = 0.0
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        with suppress(psutil.Error):  # it has ended
            megabytes += process.memory_full_info().pss / 2**20
            if "MapWorker" not in " ".join(process.cmdline()):
                ray_seconds += sum(process.cpu_times()[:2])
    return _Look(time.monotonic(), megabytes, ray_seconds)
