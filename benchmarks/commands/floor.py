"""`python -m benchmarks floor`: what Triton itself takes of a photo, with steps that do nothing."""

import argparse
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from benchmarks.commands.arguments import instances, photo_size, rounds, seconds
from benchmarks.load.perf_analyzer import PerfAnalyzer
from benchmarks.measure.empty_pipeline import MODEL, write_empty_pipeline
from benchmarks.measure.plan import Series
from benchmarks.measure.series import SeriesRun, Served
from benchmarks.measure.server import Server
from benchmarks.measure.table import table
from benchmarks.record import Closed, Row
from midas_server.launch import Triton

_AT = (1, 8)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `floor` to `parser`."""
    parser.add_argument("--photo-size", type=photo_size, default=(1920, 1080), metavar="WxH", help="(1920x1080)")
    parser.add_argument(
        "--network-instances", type=instances, metavar="N", help="of the network step (2, as its config says)"
    )
    parser.add_argument(
        "--one-by-one",
        type=float,
        metavar="MS",
        help="the network step sleeps so long for each photo, one after the other: what the batchers alone lose",
    )
    parser.add_argument(
        "--taken", type=int, default=1, metavar="N", help="photos that it then takes in one execution (%(default)s)"
    )
    parser.add_argument("--rounds", type=rounds, default=3, help="times that it is measured (%(default)s)")
    parser.add_argument("--seconds", type=seconds, default=5.0, help="length of one measurement (%(default)g)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Measure, print the figures, and return the exit status.

    Raises:
        BenchmarkError, CannotRunHere, StartFailed: it could not be measured.
    """
    with console.status("setting up perf_analyzer"):
        analyzer = PerfAnalyzer()
    measured: list[Row] = []
    with ExitStack() as stack:
        repository = Path(stack.enter_context(TemporaryDirectory(prefix="empty-pipeline-")))
        write_empty_pipeline(
            repository,
            instances=options.network_instances,
            one_by_one_ms=options.one_by_one,
            taken=options.taken,
        )
        status = stack.enter_context(console.status("starting Triton"))
        triton = stack.enter_context(Triton(repository, [MODEL], http_port=0, grpc_port=0, metrics_port=0))
        server = stack.enter_context(Server(triton.grpc_url))
        served = Served(server, "empty steps", triton.http_url, triton.pid)
        for number in range(1, options.rounds + 1):
            status.update(f"round {number} of {options.rounds}")
            series = Series(
                model=MODEL,
                target="ensemble",
                protocol="grpc",
                photo=options.photo_size,
                result="network",
                concurrencies=_AT,
                round=number,
            )
            measured += SeriesRun(served, analyzer, series, seconds=options.seconds).rows(lambda _: None)
    console.print(table(measured))
    for row in measured:
        cpu = 1000 * (row.cpu_cores or 0.0) / row.photos_per_second
        console.print(f"{_load(row)}, round {row.round}: {cpu:.2f} ms of processor time a photo", highlight=False)
    console.print(f"repeat with: {options.command}", markup=False, highlight=False, soft_wrap=True)
    return 0


def _load(row: Row) -> str:
    return f"{row.load.concurrency} at a time" if isinstance(row.load, Closed) else str(row.load)
