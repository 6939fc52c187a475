"""`python -m benchmarks check`: fails where a ratio became worse than the noise explains."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.commands.arguments import photo_size, seconds
from benchmarks.errors import BenchmarkError
from benchmarks.gate.baseline import FILE, Baseline, fitting, kind, read_baselines, write_baseline
from benchmarks.gate.figures import BUILDS, Bench
from benchmarks.gate.ratios import (
    LEAST_TOLERANCE,
    MOST_TOLERANCE,
    RATIOS,
    Expected,
    Ratio,
    Repetition,
    Verdict,
    expect,
    judge,
)
from benchmarks.load.perf_analyzer import PerfAnalyzer
from benchmarks.measure.plan import FULL_HD, PhotoSize
from benchmarks.record import SERVING, now
from reports.machine import Machine, this_machine, versions
from reports.processor import features

_MODEL = "midas_tiny_256"
_SECONDS = 3.0
_REPETITIONS = 6
_STARTS = 3
"""A baseline's repetitions are of several starts of the servers, since starts differ as well."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `check` to `parser`."""
    parser.add_argument(
        "--baseline", type=Path, default=FILE, metavar="FILE", help="what is compared with (benchmarks/baseline.json)"
    )
    parser.add_argument(
        "--update",
        action="store_true",
        help="write this kind of processor's baseline instead, beside the others, "
        f"from {_STARTS} starts of the servers",
    )
    parser.add_argument(
        "--repetitions",
        type=_repetitions,
        default=_REPETITIONS,
        metavar="N",
        help="how often everything is measured, and once more as often where something was lost (%(default)s)",
    )
    parser.add_argument(
        "--served-photo",
        type=photo_size,
        metavar="WxH",
        help="send the servers a photo of another size than what runs without them gets, to see the gate fail",
    )
    update = parser.add_argument_group("with --update", "without it they are the baseline's")
    update.add_argument("--model", default=_MODEL, metavar="NAME", help="the network (%(default)s)")
    update.add_argument("--photo-size", type=photo_size, default=FULL_HD, metavar="WxH", help="(1920x1080)")
    update.add_argument(
        "--seconds",
        type=seconds,
        default=_SECONDS,
        help="length of one measurement; eight make a repetition (%(default)g)",
    )
    update.add_argument(
        "--builds",
        type=_builds,
        default=list(BUILDS),
        metavar="int8,bf16",
        help="the builds that are compared with fp32 (int8,bf16); none for none",
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Compare with the baseline, or write it; return the exit status, 1 where something was lost.

    Raises:
        BenchmarkError, CannotRunHere, StartFailed: there is no baseline, or it could not be measured.
    """
    machine = this_machine()
    baseline = None if options.update else chosen(options.baseline, machine, features(), console)
    if baseline is None:
        left_out = [name for name in BUILDS if name not in options.builds]
        ratios = [ratio for ratio in RATIOS if ratio.top not in left_out]
        bench = _bench(options, options.model, options.photo_size, options.seconds, ratios)
    else:
        ratios = [ratio for ratio in RATIOS if ratio.name in baseline.ratios]
        bench = _bench(options, baseline.model, photo_size(baseline.photo), baseline.seconds, ratios)
    with console.status("setting up"):
        analyzer = PerfAnalyzer()
        bench.export()

    def measure() -> Sequence[Repetition]:
        if not console.is_terminal:
            return bench.repetitions(options.repetitions, analyzer, console.print)
        with console.status("measuring") as status:
            return bench.repetitions(options.repetitions, analyzer, status.update)

    if baseline is None:
        repetitions = [figures for _ in range(_STARTS) for figures in measure()]
        found = Baseline(
            measured_at=now(),
            command=options.command,
            machine=machine,
            features=features(),
            versions={"perf_analyzer": analyzer.version} | versions(*SERVING),
            model=bench.model,
            photo=f"{bench.photo[0]}x{bench.photo[1]}",
            seconds=bench.seconds,
            ratios=expect(repetitions),
        )
        return keep(found, options.baseline, options.repetitions, console)
    return report(judged(baseline, measure), console)


def chosen(file: Path, machine: Machine, abilities: Sequence[str], console: Console) -> Baseline:
    """Return what this processor is compared with; say so where it is the baseline of another kind.

    Raises:
        BenchmarkError: there is no baseline that says anything about this kind of processor.
    """
    baselines = read_baselines(file)
    here = kind(machine, abilities)
    found = fitting(baselines, machine, abilities)
    if found is None:
        there = "; ".join(each.kind for each in baselines) or "none"
        raise BenchmarkError(
            f"{file} has no baseline for this processor ({here}), and none with as many cores, so nothing can be "
            f"compared. It has: {there}. --update adds one for this processor"
        )
    if found.kind != here:
        left_out = [ratio.name for ratio in RATIOS if ratio.native]
        console.print(
            f"{file} has no baseline for this processor ({here}). What does not depend on the kind of processor is "
            f"compared with that of another ({found.kind}); not compared: {'; '.join(left_out)}. --update adds a "
            "baseline for this processor beside the others",
            style="yellow",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    return found


def keep(found: Baseline, file: Path, repetitions: int, console: Console) -> int:
    """Print a baseline and write it, unless it is too noisy for a check of `repetitions`; return the exit status."""
    console.print(_baseline_table(found.ratios, repetitions))
    noisy = [name for name, expected in found.ratios.items() if expected.noise(repetitions) > MOST_TOLERANCE]
    if noisy:
        console.print(
            f"not written: noise alone could fail {', '.join(noisy)}. Measure on an idle machine, longer (--seconds), "
            "or more often (--repetitions)",
            style="red",
            highlight=False,
            soft_wrap=True,
        )
        return 1
    write_baseline(file, found)
    console.print(f"written to {file}", highlight=False, soft_wrap=True)
    return 0


def judged(baseline: Baseline, measure: Callable[[], Sequence[Repetition]]) -> list[Verdict]:
    """Return the verdicts on a baseline's ratios, see `benchmarks.gate.ratios.judge`.

    Raises:
        BenchmarkError: the baseline has a ratio that is not measured any more.
    """
    try:
        return judge(baseline.ratios, measure)
    except KeyError as error:
        raise BenchmarkError(
            f"{error} is in the baseline but was not measured: make a new one with --update"
        ) from error


def report(verdicts: Sequence[Verdict], console: Console) -> int:
    """Print the verdicts; return the exit status: 1 where something was lost, or where there is nothing to compare."""
    least, most = f"{100 * LEAST_TOLERANCE:.0f} %", f"{100 * MOST_TOLERANCE:.0f} %"
    table = Table(caption=f"a loss counts above the tolerance: three standard errors, {least} to {most}")
    for heading in ("ratio", "baseline", "now", "loss", "tolerance", ""):
        table.add_column(heading, justify="left" if heading in ("ratio", "") else "right")
    for verdict in verdicts:
        word = "[red]LOST" if verdict.lost else "[green]better" if verdict.gained else "as before"
        table.add_row(
            verdict.ratio.name,
            f"{verdict.expected.median:.3f}",
            f"{verdict.now:.3f}",
            f"{100 * verdict.loss:+.1f} %",
            f"{100 * verdict.tolerance:.0f} %",
            word,
        )
    console.print(table)
    lost = [verdict for verdict in verdicts if verdict.lost]
    if not verdicts:
        console.print("the baseline has no ratio that is measured: make a new one with --update", style="red")
    for verdict in lost:
        better = "larger" if verdict.ratio.larger else "smaller"
        console.print(
            f"lost: {verdict.ratio.name}: {verdict.now:.3f} instead of {verdict.expected.median:.3f} "
            f"({better} is better), in {verdict.repetitions} repetitions. "
            "If that is meant, make a new baseline with --update",
            style="red",
            highlight=False,
            soft_wrap=True,
        )
    return 1 if lost or not verdicts else 0


def _bench(options: argparse.Namespace, model: str, photo: PhotoSize, length: float, ratios: Sequence[Ratio]) -> Bench:
    return Bench(
        model=model,
        photo=photo,
        seconds=length,
        ratios=ratios,
        served_photo=options.served_photo,
    )


def _baseline_table(ratios: Mapping[str, Expected], repetitions: int) -> Table:
    table = Table()
    for heading in ("ratio", "median", "spread of one", "tolerance", "repetitions"):
        table.add_column(heading, justify="left" if heading == "ratio" else "right")
    for name, expected in ratios.items():
        table.add_row(
            name,
            f"{expected.median:.3f}",
            f"{100 * expected.spread:.1f} %",
            f"{100 * max(expected.noise(repetitions), LEAST_TOLERANCE):.0f} %",
            str(expected.repetitions),
        )
    return table


def _repetitions(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 100):
        raise argparse.ArgumentTypeError(f"{text!r}: give a number of repetitions from 1 to 100")
    return int(text)


def _builds(text: str) -> list[str]:
    names = [] if text == "none" else text.split(",")
    known = [name for name in BUILDS if name != "served"]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is not known: give some of {','.join(known)}, or none")
    return ["served", *dict.fromkeys(names)]
