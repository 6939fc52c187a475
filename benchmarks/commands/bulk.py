"""`python -m benchmarks bulk`: `python -m bulk` against the same steps in one process, in turn; and its memory."""

import argparse
import json
import os
import subprocess
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

_EVERY_SECONDS = 2.0
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
    rates = Table("round", f"one process, {sharing}", "bulk, after start-up", "ratio", title="photos a second")
    sizes = Table("round", *(f"{mark:.0%}" for mark in _MARKS), title="MiB of memory when so much was done")
    ratios = []
    for number in range(1, options.rounds + 1):
        bound = limit.photos_per_second(sharing, options.seconds)
        rate, memory = _bulk(options, photo)
        ratios.append(rate / bound)
        rates.add_row(str(number), f"{bound:.1f}", f"{rate:.1f}", f"{rate / bound:.3f}")
        sizes.add_row(str(number), *(f"{megabytes:,.0f}" for megabytes in memory))
    console.print(rates, sizes)
    console.print(f"median ratio {median(ratios):.3f}")
    return 0


def _bulk(options: argparse.Namespace, photo: bytes) -> tuple[float, list[float]]:
    """One run of the command.

    Returns:
        Photos a second from the tenth part on, when all workers are there, to the last; and the memory of the command
        with all that it started, in MiB, at each of the marks. What processes share counts once.
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
        memory: list[tuple[int, float]] = []
        with (Path(folder) / "said").open("w+") as said:
            process = subprocess.Popen(list(map(str, command)), stderr=said, stdout=said)
            try:
                while process.poll() is None:
                    memory.append((_done(output), _megabytes(process.pid)))
                    try:
                        process.wait(_EVERY_SECONDS)
                    except subprocess.TimeoutExpired:
                        continue
            finally:
                process.terminate()
                process.wait()
            if process.returncode != 0:
                said.seek(0)
                raise BenchmarkError(f"bulk ended with {process.returncode}: {said.read()[-500:]}")
        lines = map(json.loads, (output / "manifest.jsonl").read_text().splitlines())
        ends = sorted(line["finished"] for line in lines)
    begin = len(ends) // 10
    at = [[size for done, size in memory if done <= mark * options.photos][-1] for mark in _MARKS]
    return (len(ends) - 1 - begin) / (ends[-1] - ends[begin]), at


def _done(output: Path) -> int:
    return sum(file.read_bytes().count(b'"status"') for file in output.glob("journal/*.jsonl"))


def _megabytes(pid: int) -> float:
    """Proportional set size of a process and all below it."""
    total = 0
    try:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return 0.0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue  # it has ended
    return total / 2**20
