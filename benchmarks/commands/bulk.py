"""`python -m benchmarks bulk`: `python -m bulk` beside the same steps in one process, in turns of a few seconds.

A machine that others share becomes faster and slower within a minute, so two measurements, one after the other, differ
by chance. Here one run of bulk is stopped (SIGSTOP) every few seconds, with all of Ray's processes, and one process
computes in its place. Each turn of bulk is compared with the turns of the process before and after it.
"""

import argparse
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import IO

from rich.console import Console
from rich.table import Table

from benchmarks.commands.arguments import photo_size, seconds
from benchmarks.errors import BenchmarkError
from benchmarks.load.photo import jpeg
from benchmarks.measure.limit import LimitRun, Sharing
from benchmarks.measure.process_tree import ProcessTree
from midas_server.cores import cores

_BEGIN, _END = 0.1, 0.95  # parts of the photos: before it starts, after it shares get small and workers end
_SETTLE_SECONDS = 0.5  # after a stop Ray makes up for what it does at intervals
_LEAST_TURNS = 3
_MARKS = (0.1, 0.25, 0.5, 0.75, 0.95)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `bulk` to `parser`."""
    parser.add_argument("--repository", type=Path, default=Path("model_repository"), help="(%(default)s)")
    parser.add_argument("--model", default="midas_tiny_256", help="the network (%(default)s)")
    parser.add_argument("--photo-size", type=photo_size, default=(640, 480), metavar="WxH", help="(640x480)")
    parser.add_argument("--photos", type=int, default=3000, help="names of one photo, for each run (%(default)s)")
    parser.add_argument("--resolution", type=int, metavar="N", help="the option of a request (the network's)")
    parser.add_argument(
        "--files", action="store_true", help="the one process reads each photo from a file and writes each result, too"
    )
    parser.add_argument("--seconds", type=seconds, default=4.0, help="of a turn (%(default)g)")
    parser.add_argument("--rounds", type=int, default=2, help="runs of bulk (%(default)s)")
    parser.add_argument("--python", type=Path, default=Path(".venv-bulk/bin/python"), help="with Ray (%(default)s)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Measure, print three tables, and return the exit status.

    Raises:
        BenchmarkError: it could not be measured.
    """
    if not options.python.is_file():
        raise BenchmarkError(f"there is no {options.python}: make bulk-setup makes it")
    photo = jpeg(*options.photo_size)
    parameters = {} if options.resolution is None else {"resolution": options.resolution}
    with TemporaryDirectory(dir=_folder()) as files:
        limit = LimitRun(
            *(options.repository, options.model, photo, "png16"),
            parameters=parameters,
            files=Path(files) if options.files else None,
        )
        return _measured(options, photo, limit, console)


def _measured(options: argparse.Namespace, photo: bytes, limit: LimitRun, console: Console) -> int:
    sharing = limit.best(options.seconds / 2, console.print)
    rates = Table("run", "turn", f"one process, {sharing}", "bulk", "ratio", title="photos a second")
    times = Table("run", "one process", *_Cost.PARTS, "bulk in all", "cores busy", title="processor ms of a photo")
    sizes = Table("run", *(f"{mark:.0%}" for mark in _MARKS), title="MiB of memory when so much was done")
    ratios = []
    for number in range(1, options.rounds + 1):
        turns = _turns(options, photo, limit, sharing)
        for index, turn in enumerate(turns, start=1):
            rates.add_row(str(number), str(index), f"{turn.bound:.1f}", f"{turn.rate:.1f}", f"{turn.ratio:.3f}")
        ratios += [turn.ratio for turn in turns]
        cost = _Cost(turns)
        times.add_row(str(number), f"{mean(turn.bound_ms for turn in turns):.2f}", *cost.row())
        looks = [next((turn for turn in turns if turn.done >= mark), turns[-1]) for mark in _MARKS]
        sizes.add_row(str(number), *(f"{look.megabytes:,.0f}" for look in looks))
    console.print(rates, times, sizes)
    console.print(f"median ratio {median(ratios):.3f} of {len(ratios)} turns, {min(ratios):.3f} to {max(ratios):.3f}")
    return 0


@dataclass(frozen=True)
class _Turn:
    """A turn of bulk, and what came before and after it.

    Attributes:
        bound: photos a second of one process, the mean of the turns before and after.
        bound_ms: its processor time for a photo, in milliseconds.
        rate: photos a second of bulk.
        seconds: that it was looked at.
        processor_seconds: in that time, by the title of a process.
        done: which part of the photos was done at its end.
        megabytes: of memory then, in MiB.
    """

    bound: float
    bound_ms: float
    rate: float
    seconds: float
    processor_seconds: dict[str, float]
    done: float
    megabytes: float

    @property
    def ratio(self) -> float:
        return self.rate / self.bound


class _Cost:
    """What a photo costs in processor time, over some turns."""

    PARTS = ("bulk: workers", "the command", "Ray's others")

    def __init__(self, turns: list[_Turn]) -> None:
        photos = sum(turn.rate * turn.seconds for turn in turns)
        self._parts = dict.fromkeys(self.PARTS, 0.0)
        for turn in turns:
            for title, each in turn.processor_seconds.items():
                part = self.PARTS[0 if "MapWorker" in title else 2 if title else 1]
                self._parts[part] += 1000 * each / photos
        self._cores = sum(self._parts.values()) * photos / 1000 / sum(turn.seconds for turn in turns)

    def row(self) -> list[str]:
        values = [*self._parts.values(), sum(self._parts.values())]
        return [*(f"{value:.2f}" for value in values), f"{self._cores:.2f} of {cores()}"]


def _turns(options: argparse.Namespace, photo: bytes, limit: LimitRun, sharing: Sharing) -> list[_Turn]:
    """One run of the command, and one process in turn with it.

    Raises:
        BenchmarkError: the command failed, or there were too few photos.
    """
    stops: list[_Stop] = []
    bounds: list[tuple[float, float]] = []
    with _bulk(options, photo) as bulk:
        bulk.wait_for(_BEGIN)
        while True:
            bulk.tree.stop()
            bounds.append((limit.photos_per_second(sharing, options.seconds), limit.cpu_ms))
            if stops and stops[-1].done > _END:
                break
            bulk.tree.go_on()
            time.sleep(_SETTLE_SECONDS)
            begin, before = time.time(), bulk.tree.processor_seconds()
            time.sleep(options.seconds)
            bulk.tree.stop()
            end, after = time.time(), bulk.tree.processor_seconds()
            spent = {title: after[title] - before[title] for title in before.keys() & after.keys()}
            stops.append(_Stop(begin, end, spent, bulk.done(), bulk.tree.megabytes()))
        ends = bulk.ends()
    # The last turn has the small shares in it, or the end.
    if len(stops) <= _LEAST_TURNS:
        raise BenchmarkError(f"{options.photos} photos were done after {len(stops)} turns: take more --photos")
    turns = []
    for index, stop in enumerate(stops[:-1]):
        within = [at for at in ends if stop.begin < at < stop.end]
        (first, first_ms), (second, second_ms) = bounds[index : index + 2]
        turns.append(
            _Turn(
                bound=(first + second) / 2,
                bound_ms=(first_ms + second_ms) / 2,
                rate=(len(within) - 1) / (within[-1] - within[0]),
                seconds=stop.end - stop.begin,
                processor_seconds=stop.processor_seconds,
                done=stop.done,
                megabytes=stop.megabytes,
            )
        )
    return turns


@dataclass(frozen=True)
class _Stop:
    """The end of a turn of bulk: when it began and ended in seconds since 1970, and as in `_Turn`."""

    begin: float
    end: float
    processor_seconds: dict[str, float]
    done: float
    megabytes: float


def _folder() -> Path | None:
    """Where files go for a while."""
    return Path("build") if Path("build").is_dir() else None


class _Bulk:
    """A run of the command."""

    def __init__(self, process: "subprocess.Popen[str]", photos: int, output: Path, said: IO[str]) -> None:
        self.tree = ProcessTree(process)
        self._process, self._photos, self._output, self._said = process, photos, output, said

    def done(self) -> float:
        """Which part of the photos is done."""
        found = sum(file.read_bytes().count(b'"status"') for file in self._output.glob("journal/*.jsonl"))
        return found / self._photos

    def wait_for(self, part: float) -> None:
        """Return when so much is done.

        Raises:
            BenchmarkError: the command has ended.
        """
        while self.done() < part:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
                self._check()
                raise BenchmarkError(f"{self._photos} photos were done too soon: take more --photos")

    def ends(self) -> list[float]:
        """Let the command do the rest, and return when each photo was done, in seconds since 1970.

        Raises:
            BenchmarkError: the command failed, or a photo is missing.
        """
        self.tree.go_on()
        self._process.wait()
        self._check()
        ends = [json.loads(line)["finished"] for line in (self._output / "manifest.jsonl").read_text().splitlines()]
        if len(ends) != self._photos:
            raise BenchmarkError(f"bulk did {len(ends)} of {self._photos} photos")
        return sorted(ends)

    def _check(self) -> None:
        if self._process.returncode != 0:
            self._said.seek(0)
            raise BenchmarkError(f"bulk ended with {self._process.returncode}: {self._said.read()[-500:]}")


@contextmanager
def _bulk(options: argparse.Namespace, photo: bytes) -> Iterator[_Bulk]:
    """Start the command on many names of one photo; whatever happens, it has ended afterwards."""
    with TemporaryDirectory(dir=_folder()) as folder:
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
        with (Path(folder) / "said").open("w+") as said:
            process = subprocess.Popen(list(map(str, command)), stderr=said, stdout=said, text=True)
            bulk = _Bulk(process, options.photos, output, said)
            try:
                yield bulk
            finally:
                bulk.tree.end()
