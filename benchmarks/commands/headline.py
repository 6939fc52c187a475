"""`python -m benchmarks headline`: what is served, against the same steps in one process, measured in turn.

Each round measures one photo at a time in this process and then served, and all cores busy in this process and then
served with eight requests at a time. The figures are the medians of the rounds' ratios: a machine that is busy with
something else, or slows down as it gets warm, slows down both neighbours. The processor time that a photo takes, in
this process and in all of the server's, changes even less on a busy machine; it leaves out the load generator's.
"""

import argparse
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from rich import table as rich
from rich.console import Console

from benchmarks.commands.arguments import build, instances, models, photo_size, result, rounds, seconds
from benchmarks.errors import BenchmarkError
from benchmarks.load.perf_analyzer import PerfAnalyzer
from benchmarks.load.photo import jpeg
from benchmarks.measure.limit import LimitRun
from benchmarks.measure.plan import Series
from benchmarks.measure.repositories import build_in, export, folder_of
from benchmarks.measure.series import SeriesRun, Served
from benchmarks.measure.server import Server
from benchmarks.record import SERVING, Closed, Limit, Record, Row, add, now
from midas_server.launch import Triton, Tuning
from reports.machine import this_machine, versions
from reports.tables import Table

AT = 8
"""Requests under way at a time, for the throughput."""

LEAST_THROUGHPUT = 0.90
"""Served photos a second over those in one process: what the service is meant to reach at least."""

MOST_LATENCY = 1.15
"""Served p50 of one photo at a time over its time in one process: what the service is meant to take at most."""

_MODELS = ("midas_tiny_256", "midas_v21_small_256")


@dataclass(frozen=True)
class _Round:
    """`cpu_ms` is the processor time of a photo in one process, with all cores busy."""

    limit: Limit
    one: Row
    many: Row
    cpu_ms: float

    @property
    def served_cpu_ms(self) -> float:
        """Processor time of a photo in the server's processes."""
        return 1000 * (self.many.cpu_cores or 0.0) / self.many.photos_per_second


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `headline` to `parser`."""
    parser.add_argument(
        "--models", type=models, default=list(_MODELS), metavar="'NAME ...'", help=f"({' '.join(_MODELS)})"
    )
    parser.add_argument(
        "--build", type=build, default="onnx:fp32", metavar="TARGET:PRECISION", help="exported if needed (onnx:fp32)"
    )
    parser.add_argument("--photo-size", type=photo_size, default=(1920, 1080), metavar="WxH", help="(1920x1080)")
    parser.add_argument("--result", type=result, default="network", help="network, photo or png16 (%(default)s)")
    parser.add_argument(
        "--network-instances", type=instances, metavar="N", help="of the network step (as its config says)"
    )
    parser.add_argument("--rounds", type=rounds, default=5, help="times that everything is measured (%(default)s)")
    parser.add_argument("--seconds", type=seconds, default=6.0, help="length of one measurement (%(default)g)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the figures as JSON too, or add them to it")


def run(options: argparse.Namespace, console: Console) -> int:
    """Measure, print a table, and return the exit status: 0 whatever the ratios are.

    Raises:
        BenchmarkError, CannotRunHere, StartFailed: it could not be measured.
    """
    with console.status("setting up perf_analyzer"):
        analyzer = PerfAnalyzer()
    found = {"perf_analyzer": analyzer.version} | versions(*SERVING)
    header = Record(measured_at=now(), command=options.command, machine=this_machine(), versions=found)
    lines = [_figures(model, _measure(model, analyzer, header, options, console)) for model in options.models]
    console.print(_table(lines, options))
    if options.output is not None:
        console.print(f"written to {options.output}", highlight=False, soft_wrap=True)
    console.print(f"repeat with: {options.command}", markup=False, highlight=False, soft_wrap=True)
    return 0


def _measure(
    model: str, analyzer: PerfAnalyzer, header: Record, options: argparse.Namespace, console: Console
) -> list[_Round]:
    """Measure one network, round by round."""
    repository = folder_of(options.build)
    with console.status(f"exporting {model}, if needed"):
        export(model, repository, options.build)
    photo = jpeg(*options.photo_size)
    with ExitStack() as stack:
        status = stack.enter_context(console.status(f"{model}: starting Triton"))
        tuning = Tuning(network_instances=options.network_instances)
        triton = stack.enter_context(
            Triton(repository, [model], http_port=0, grpc_port=0, metrics_port=0, tuning=tuning)
        )
        server = stack.enter_context(Server(triton.grpc_url))
        served = Served(server, build_in(repository, model) or str(options.build), triton.http_url, triton.pid)
        limit = LimitRun(repository, model, photo, options.result)
        status.update(f"{model}: sharing out the cores in this process")
        sharing = limit.best(
            options.seconds / 2,
            lambda figures: console.print(f"{model}, in one process: {figures}", markup=False, highlight=False),
        )
        measured: list[_Round] = []
        for number in range(1, options.rounds + 1):
            status.update(f"{model}: round {number} of {options.rounds}")
            one_ms = limit.one_ms(options.seconds)
            one = _served(served, analyzer, model, number, 1, options)
            rate = limit.photos_per_second(sharing, options.seconds)
            many = _served(served, analyzer, model, number, AT, options)
            alone = limit.limit(sharing, photos_per_second=rate, one_ms=one_ms, round=number)
            measured.append(_Round(alone, one, many, limit.cpu_ms))
            console.print(
                f"{model}, round {number}: one photo {one_ms:.1f} ms in one process, {one.p50_ms:.1f} served; photos a "
                f"second {rate:.1f} in one process, {many.photos_per_second:.1f} served",
                markup=False,
                highlight=False,
            )
            if options.output is not None:
                with_triton = replace(header, versions={**header.versions, "triton": server.version()})
                add(options.output, with_triton, alone, one, many)
        return measured


def _served(
    served: Served, analyzer: PerfAnalyzer, model: str, number: int, concurrency: int, options: argparse.Namespace
) -> Row:
    series = Series(
        model=model,
        target="ensemble",
        protocol="grpc",
        photo=options.photo_size,
        result=options.result,
        concurrencies=(concurrency,),
        round=number,
    )
    rows = list(SeriesRun(served, analyzer, series, seconds=options.seconds).rows(lambda _: None))
    if [row.load for row in rows] != [Closed(concurrency=concurrency)]:
        raise BenchmarkError(f"{model}: {concurrency} at a time gave {len(rows)} measurements, one was expected")
    return rows[0]


def _table(lines: list[list[str]], options: argparse.Namespace) -> rich.Table:
    width, height = options.photo_size
    head = (
        "network",
        "photos/s in one process",
        f"served, 1 and {AT} at a time",
        "served / one process (range)",
        "ms in one process",
        "served p50, one at a time",
        "served / one process (range)",
        "MB of memory",
        "ms of processor time a photo: one process, served",
    )
    return Table(head, lines).rich(
        f"JPEG of {width}x{height} in, {options.result}-size depth out, {options.build}: medians of "
        f"{options.rounds} rounds",
        f"meant to be: served / one process at least {LEAST_THROUGHPUT:.2f} at {AT} a time, at most "
        f"{MOST_LATENCY:.2f} at one a time",
    )


def _figures(model: str, measured: list[_Round]) -> list[str]:
    first = measured[0].limit
    served = [each.one for each in measured], [each.many for each in measured]
    throughput = [each.many.photos_per_second / each.limit.photos_per_second for each in measured]
    latency = [each.one.p50_ms / each.limit.one_ms for each in measured]
    cpu = (median(each.cpu_ms for each in measured), median(each.served_cpu_ms for each in measured))
    return [
        model,
        f"{median(each.limit.photos_per_second for each in measured):.1f} ({first.workers} x {first.threads})",
        ", ".join(f"{median(row.photos_per_second for row in rows):.1f}" for rows in served),
        f"{median(throughput):.2f} ({min(throughput):.2f} to {max(throughput):.2f})",
        f"{median(each.limit.one_ms for each in measured):.1f}",
        f"{median(each.one.p50_ms for each in measured):.1f}",
        f"{median(latency):.2f} ({min(latency):.2f} to {max(latency):.2f})",
        f"{max(row.memory_mb or 0.0 for row in served[1]):.0f}",
        f"{cpu[0]:.1f}, {cpu[1]:.1f}",
    ]
