"""`python -m benchmarks auto`: every build of a network served, beside what `--target auto` chooses.

It measures all builds as `quick` does, then has auto choose anew, and says how far the choice is from the best of what
was served: for photos a second the highest that a build reached, for latency the p50 of one at a time. What the output
file holds already is not measured again.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from benchmarks.commands.arguments import add_measuring_arguments
from benchmarks.commands.quick import jobs_asked_for
from benchmarks.errors import BenchmarkError
from benchmarks.measure.matrix import Matrix
from benchmarks.measure.plan import FULL_HD
from benchmarks.measure.table import table
from benchmarks.record import Choice, Record, add, now
from benchmarks.report.choices import choices_table
from export.auto.choice import GOALS, best, read_choice
from export.targets.builds import Build
from reports.machine import this_machine

_MODELS = ("midas_tiny_256", "midas_v21_small_256", "dpt_levit_224", "dpt_swin2_tiny_256", "depth_anything_v2_vits")
_BUILDS = tuple(
    Build.named(*name.split()) for name in ("onnx fp32", "onnx int8", "openvino fp32", "openvino bf16", "openvino int8")
)
_REPOSITORY = Path("build/auto")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `auto` to `parser`."""
    add_measuring_arguments(
        parser,
        default_models=_MODELS,
        default_builds=_BUILDS,
        default_concurrency="1,8",
        default_rates="none",
        default_photos=(FULL_HD,),
        default_results=("network",),
    )
    parser.set_defaults(no_limit=True)
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the figures as JSON too, or add them to it")


def run(options: argparse.Namespace, console: Console) -> int:
    """Measure, have auto choose, print both, and return the exit status: 0 whatever was chosen.

    Raises:
        BenchmarkError, CannotRunHere, StartFailed: it could not be measured.
    """
    matrix = Matrix(options, console, resume=True)
    matrix.run(jobs_asked_for(options))
    console.print(table(matrix.record.rows, matrix.record.limits))
    weights = {row.model: row.weights for row in matrix.record.rows}
    chosen = [each for model in options.models for each in choices(model, weights.get(model), _REPOSITORY, console)]
    console.print(choices_table(chosen, matrix.record.rows).rich("What auto chose, beside what was served"))
    if options.output is not None:
        header = Record(measured_at=now(), command=options.command, machine=this_machine(), versions={})
        add(options.output, header, *chosen)
        console.print(f"written to {options.output}", highlight=False, soft_wrap=True)
    return 0


def choices(model: str, weights: str | None, repository: Path, console: Console) -> list[Choice]:
    """Have auto measure a network anew, with the weights of what was served; return its choice for each goal.

    Raises:
        BenchmarkError: it could not choose; in its own words.
    """
    command = [sys.executable, "-m", "export", model, "--target", "auto", "--repository", str(repository)]
    command += ["--untrained"] if weights == "untrained" else []
    with console.status(f"auto measures {model}"):
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    found = read_choice(repository, model)
    if done.returncode != 0 or found is None:
        raise BenchmarkError(f"auto could not choose for {model}: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    console.print(done.stdout.strip(), markup=False, highlight=False)
    made = []
    for goal in GOALS:
        row = best(found.table, goal)
        made.append(
            Choice(
                model=model,
                goal=goal,
                build=row.build,
                instances=row.instances,
                max_batch_size=row.max_batch_size,
                error=row.error,
                alone_ms=row.alone_ms,
                photos_per_second=row.photos_per_second,
            )
        )
    return made
