"""`python -m benchmarks`: the networks that one is likely to serve, in minutes, beside what one process can do."""

import argparse
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from rich.console import Console

from benchmarks.commands.arguments import add_measuring_arguments
from benchmarks.measure.matrix import Matrix, ServerJob
from benchmarks.measure.plan import FULL_HD, Series, quick_plan
from benchmarks.measure.table import table
from benchmarks.record import Record
from export.targets.builds import Build


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `quick` to `parser`."""
    add_measuring_arguments(
        parser,
        default_models=("midas_tiny_256", "midas_v21_small_256"),
        default_builds=(),
        default_concurrency="1,8",
        default_rates="50,75",
        default_photos=(FULL_HD,),
        default_results=("network", "photo"),
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the figures as JSON too, or add them to it")


def run(options: argparse.Namespace, console: Console) -> int:
    """Measure, print a table, and return the exit status.

    Raises:
        BenchmarkError, CannotRunHere, StartFailed: it could not be measured.
    """
    matrix = Matrix(options, console)
    matrix.run(jobs_asked_for(options))
    record = matrix.record
    console.print(table(record.rows, record.limits))
    _tell_weights(record, console)
    if options.output is not None:
        console.print(f"written to {options.output}", highlight=False, soft_wrap=True)
    console.print(f"repeat with: {options.command}", markup=False, highlight=False, soft_wrap=True)
    return 0


def jobs_asked_for(options: argparse.Namespace) -> list[ServerJob]:
    """What the options of `add_measuring_arguments` ask for."""
    plan = quick_plan(
        options.models,
        photos=options.photo_size,
        results=options.results,
        concurrencies=options.concurrency,
        shares=options.rates,
        limit=not options.no_limit,
        rounds=options.rounds,
    )
    return jobs_of(plan, options.builds)


def jobs_of(plan: Iterable[Series], builds: Sequence[Build]) -> list[ServerJob]:
    """Every round of every model in every build; without builds in what is there."""
    wanted: Sequence[Build | None] = builds or [None]
    jobs: list[ServerJob] = []
    for (_, model), group in groupby(plan, lambda series: (series.round, series.model)):
        series = list(group)
        jobs += [ServerJob(model, build, series) for build in wanted]
    return jobs


def _tell_weights(record: Record, console: Console) -> None:
    for model, weights in {row.model: row.weights for row in record.rows}.items():
        note = ": as fast as trained ones, but its depth means nothing" if weights == "untrained" else ""
        console.print(f"{model}: weights: {weights}{note}", highlight=False)
