"""`python -m accuracy`: measures depth networks on photos with depth, and says which one fits them.

Exit status: 0 measured, 1 something is missing or cannot be measured, 2 bad usage.
"""

import shlex
import sys
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from accuracy.arguments import parsed
from accuracy.errors import AccuracyError
from accuracy.evaluate import PredictorResult, evaluate, left_out, on_common_photos
from accuracy.report import write_report
from accuracy.samples import Sample, read_samples
from accuracy.subjects import Subject, subjects
from accuracy.tables import columns, mean_table, photo_table, worst
from accuracy.verdict import precisions, suspicions, verdict

LEAST_WIDTH = 120


def main(arguments: list[str] | None = None) -> int:
    """Measure what the command line asks for; return the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parsed(given)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, LEAST_WIDTH)
    command = shlex.join(["python", "-m", "accuracy", *given])
    try:
        samples = read_samples(options.data, options.limit)
        measured = [_measured(subject, samples, options.cap, options.worst, console) for subject in subjects(options)]
        results = on_common_photos(measured)
        sentence, comparisons = verdict(results), precisions(results)
        write_report(
            options.out,
            results,
            verdict=sentence,
            precisions=comparisons,
            data=options.data,
            cap=options.cap,
            command=command,
        )
    except AccuracyError as error:
        return _failed(str(error))
    except OSError as error:
        return _failed(f"{error.filename or options.out}: {error.strerror or error}")
    except KeyboardInterrupt:
        return 130
    _show(results, sentence, comparisons, options.out, console)
    return 0


def _measured(subject: Subject, samples: list[Sample], cap: float, worst: int, console: Console) -> PredictorResult:
    shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*shown, console=console, transient=True) as progress:
        task = progress.add_task(subject.label, total=len(samples))
        return evaluate(subject, samples, cap=cap, keep_worst=worst, done=lambda: progress.advance(task))


def _show(results: list[PredictorResult], sentence: str, comparisons: list[str], out: Path, console: Console) -> None:
    names = columns(results)
    for result in results:
        title, photos = worst(result)
        console.print(photo_table(photos, names).rich(title))
    console.print(mean_table(results).rich("Mean over the photos"))
    for name, reason in left_out(results):
        console.print(f"left out: {name}: {reason}", style="yellow", markup=False, soft_wrap=True)
    for line in suspicions(results):
        console.print(f"warning: {line}", style="yellow", markup=False, soft_wrap=True)
    untrained = [result.label for result in results if result.weights == "untrained"]
    if untrained:
        console.print(
            Panel(
                f"{', '.join(untrained)}: UNTRAINED weights, the depth means nothing.", border_style="red", expand=False
            )
        )
    for line in comparisons:
        console.print(line, markup=False, soft_wrap=True)
    console.print(f"Report and pictures: {out / 'accuracy.md'}", markup=False, soft_wrap=True)
    console.print(sentence, style="bold", markup=False, soft_wrap=True)


def _failed(message: str) -> int:
    Console(stderr=True).print(f"error: {message}", style="red", markup=False, highlight=False, soft_wrap=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
