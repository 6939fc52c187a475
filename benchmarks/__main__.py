"""``python -m benchmarks``: how many photos a second, how long each takes, and where the time goes."""

import argparse
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.arguments import parser
from benchmarks.errors import BenchmarkError
from benchmarks.machine import Machine, this_machine, versions
from benchmarks.perf_analyzer import PerfAnalyzer
from benchmarks.photo import jpeg
from benchmarks.record import write_record
from benchmarks.server import Server
from benchmarks.sweep import RESULTS, Row, sweep
from benchmarks.table import table
from midas_server.launch import CannotRunHere, StartFailed, Triton

_LEAST_WIDTH = 130
_BUSY_PERCENT = 15.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark that the command line asks for; return the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parser().parse_args(given)
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, _LEAST_WIDTH)
    try:
        _run(options, console, command=shlex.join([_python(), "-m", "benchmarks", *given]))
    except (BenchmarkError, CannotRunHere, StartFailed) as error:
        Console(stderr=True).print(f"error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _run(options: argparse.Namespace, console: Console, command: str) -> None:
    machine = this_machine()
    with console.status("setting up perf_analyzer"):
        analyzer = PerfAnalyzer()
    width, height = options.photo_size
    photo = jpeg(width, height)
    rows: list[Row] = []
    with _server(options, console) as server:
        found = {"triton": server.version(), "perf_analyzer": analyzer.version}
        if options.url is None:
            found |= versions()
        _introduce(console, machine, found, f"{width}x{height}, a JPEG of {len(photo) / 1000:.0f} kB")
        total = len(options.models) * len(RESULTS) * len(options.concurrency)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("", total=total)

            def announce(text: str) -> None:
                progress.update(task, description=text)
                if not console.is_terminal:
                    console.print(f"[{len(rows) + 1}/{total}] {text}", markup=False, highlight=False)

            for row in sweep(
                server,
                analyzer,
                photo,
                models=options.models,
                results=list(RESULTS),
                concurrencies=options.concurrency,
                seconds=options.seconds,
                announce=announce,
            ):
                rows.append(row)
                progress.advance(task)
    console.print(table(rows, options.photo_size))
    for model, weights in {row.model: row.answer.weights for row in rows}.items():
        network = next(row.answer.network for row in rows if row.model == model)
        console.print(f"{model}: {network[0]}x{network[1]} in the network, weights: {weights}", highlight=False)
    if options.output is not None:
        size = {"width": width, "height": height, "bytes": len(photo)}
        write_record(options.output, rows, machine=machine, versions=found, photo=size, command=command)
        console.print(f"written to {options.output}", highlight=False, soft_wrap=True)
    console.print(f"repeat with: {command}", markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _server(options: argparse.Namespace, console: Console) -> Iterator[Server]:
    """Connect to the server at ``--url``, or to one that is started here on free ports and stopped afterwards."""
    with ExitStack() as stack:
        url = options.url
        if url is None:
            with console.status("starting Triton"):
                triton = stack.enter_context(
                    Triton(options.repository, models=options.models, http_port=0, grpc_port=0, metrics_port=0)
                )
            url = triton.grpc_url
        yield stack.enter_context(Server(url))


def _python() -> str:
    """Return this interpreter as one would type it here, so that the command can be repeated."""
    here, python = Path.cwd(), Path(sys.executable)
    return str(python.relative_to(here) if python.is_relative_to(here) else python)


def _introduce(console: Console, machine: Machine, found: dict[str, str], photo: str) -> None:
    console.print(
        f"machine: {machine.processor}, {machine.cores} cores, {machine.memory_gib} GiB, {machine.system}\n"
        f"versions: {', '.join(f'{name} {number}' for name, number in found.items())}\n"
        f"photo: {photo}",
        highlight=False,
    )
    if machine.busy_percent > _BUSY_PERCENT:
        console.print(
            f"other programs use {machine.busy_percent:.0f} % of the processor: measure again on an idle machine",
            style="yellow",
        )


if __name__ == "__main__":
    sys.exit(main())
