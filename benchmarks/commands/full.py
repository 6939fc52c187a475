"""`python -m benchmarks full`: the matrix of networks, builds, photo sizes, kinds of result, protocols and loads."""

import argparse
from pathlib import Path

from rich.console import Console

from benchmarks.commands.arguments import add_measuring_arguments
from benchmarks.measure.matrix import Matrix, ServerJob
from benchmarks.measure.plan import FULL_HD, TWELVE_MEGAPIXELS, VGA, full_plan
from benchmarks.measure.table import table
from export.targets.builds import Build
from export.variants import VARIANTS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `full` to `parser`."""
    add_measuring_arguments(
        parser,
        default_models=tuple(VARIANTS),
        default_builds=(Build("onnx", "fp32"), Build("onnx", "int8"), Build("openvino", "bf16")),
        default_concurrency="1,2,4,8,16",
        default_rates="25,50,75,90,400",
        default_photos=(FULL_HD, VGA, TWELVE_MEGAPIXELS),
        default_results=("network", "photo", "png16"),
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("build/bench-full.json"),
        metavar="FILE",
        help="every measurement is added to it at once; what it has already is not measured again (%(default)s)",
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Measure what the output file lacks, print a table, and return the exit status: 1 if something could not be.

    Raises:
        BenchmarkError, CannotRunHere: nothing could be measured.
    """
    jobs = [
        ServerJob(
            model,
            build,
            full_plan(
                model,
                photos=options.photo_size,
                results=options.results,
                concurrencies=options.concurrency,
                shares=options.rates,
                limit=not options.no_limit,
                http=options.url is None or options.http is not None,
                rounds=options.rounds,
            ),
        )
        for model in options.models
        for build in options.builds
    ]
    matrix = Matrix(options, console, keep_going=True, resume=True)
    try:
        matrix.run(jobs)
    finally:
        if matrix.record.rows:
            console.print(table(matrix.record.rows, matrix.record.limits))
        console.print(f"in {options.output}; the same command goes on from there", highlight=False, soft_wrap=True)
    for failure in matrix.failures:
        console.print(f"not measured: {failure}", style="red", markup=False, highlight=False, soft_wrap=True)
    return 1 if matrix.failures else 0
