"""`python -m benchmarks capacity`: how many machines so many photos a day take, and what a million of them cost."""

import argparse
import math
from pathlib import Path

from rich.console import Console

from benchmarks.capacity.machines import PUBLISHED, Demand, Option, measured_options, published_options
from benchmarks.capacity.rate import TRUSTED, p99_ms, peak
from benchmarks.commands.arguments import photo_size, result
from benchmarks.errors import BenchmarkError
from benchmarks.record import Open, Record, by_machine
from benchmarks.report.figures import by_setting, overload
from reports.page import markdown
from reports.records import read_record
from reports.tables import Table

_RECORDS = Path("docs/benchmarks")
_TEMPLATE = Path(__file__).parent.parent / "capacity" / "capacity.md"
_HEAD = ("machine", "network", "build", "figures", "photos/s a machine", "machines", "machine hours a million")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `capacity` to `parser`."""
    parser.add_argument("records", type=Path, nargs="*", metavar="RECORD.json", help=f"({_RECORDS}/*.json)")
    parser.add_argument("--photos-a-day", type=_positive, required=True, metavar="N", help="in the mean")
    parser.add_argument(
        "--p99", type=_positive, required=True, metavar="MS", help="99 of 100 photos are to be answered within it"
    )
    parser.add_argument(
        "--peak-factor",
        type=_factor,
        default=3.0,
        metavar="F",
        help="how many times the mean comes in the busiest hour (%(default)g)",
    )
    parser.add_argument(
        "--spare", type=_count, default=1, metavar="N", help="machines more, for one that is down (%(default)s)"
    )
    parser.add_argument("--cost-an-hour", type=_positive, metavar="C", help="of a machine without a GPU")
    parser.add_argument("--gpu-cost-an-hour", type=_positive, metavar="C", help="of a machine with a GPU")
    parser.add_argument("--photo-size", type=photo_size, default=(1920, 1080), metavar="WxH", help="(1920x1080)")
    parser.add_argument(
        "--result", type=result, default="network", metavar="KIND", help="network, photo or png16 (%(default)s)"
    )
    parser.add_argument("--output", type=Path, metavar="FILE.md", help="write it as a page, with the assumptions")


def run(options: argparse.Namespace, console: Console) -> int:
    """Print the table, and write the page if one is wanted; return the exit status.

    Raises:
        RecordError: a record cannot be read.
        BenchmarkError: no record has photos of this size with this result, or the page cannot be written.
    """
    demand = Demand(options.photos_a_day, options.p99, options.peak_factor, options.spare)
    records = by_machine([read_record(Record, file) for file in options.records or sorted(_RECORDS.glob("*.json"))])
    photo = "x".join(map(str, options.photo_size))
    found = list(measured_options(records, demand, photo, options.result))
    if not found:
        raise BenchmarkError(
            f"no record has photos of {photo} with the result {options.result}: measure them first, with python -m "
            "benchmarks full, or name another --photo-size or --result"
        )
    found += published_options(demand)
    table = _table(found, demand, {False: options.cost_an_hour, True: options.gpu_cost_an_hour})
    words = (
        f"{demand.photos_a_day:,.0f} photos a day, {demand.peak_rate:.1f} a second in the busiest hour, "
        f"p99 within {demand.limit_ms:,.0f} ms"
    )
    console.print(table.rich(words))
    if options.output:
        page = markdown(
            _TEMPLATE,
            table=table,
            words=words,
            demand=demand,
            command=options.command,
            photo=photo,
            result=options.result,
            check=_check(records),
            trusted=f"{100 * TRUSTED:.0f} %",
            published=PUBLISHED,
        )
        try:
            options.output.write_text(page)
        except OSError as error:
            raise BenchmarkError(f"cannot write {options.output}: {error.strerror}") from error
        console.print(f"written to {options.output}", highlight=False, soft_wrap=True)
    return 0


def _table(found: list[Option], demand: Demand, cost: dict[bool, float | None]) -> Table:
    priced = any(price is not None for price in cost.values())
    rows = []
    for option in sorted(found, key=lambda each: (each.source == PUBLISHED, each.gpu, -each.rate)):
        machines, hours = option.machines(demand), option.machine_hours(demand)
        price = cost[option.gpu]
        row = [option.machine, option.model, option.build, option.source]
        if machines is None or hours is None:
            row += ["", "too slow", ""]
        else:
            row += [f"{option.rate:.1f}", f"{machines:,}", f"{hours:,.0f}"]
        if priced:
            row.append("" if price is None or hours is None else f"{hours * price:,.2f}")
        rows.append(row)
    return Table([*_HEAD, *(["cost a million"] if priced else [])], rows, words=4)


def _check(records: list[Record]) -> Table:
    """The model beside the open loops that were measured."""
    rows = []
    for record in records:
        for group in by_setting([row for row in record.rows if row.target == "ensemble"]):
            reached = peak(group)
            opened = [row for row in group if isinstance(row.load, Open)]
            lost = overload(opened) if opened else None
            for row in opened:
                if reached is None or row is lost or not isinstance(row.load, Open) or row.load.rate >= reached[0]:
                    continue
                rows.append(
                    [
                        *(row.model, row.build, row.photo, row.result),
                        f"{row.load.rate:.1f}",
                        f"{100 * row.load.rate / reached[0]:.0f} %",
                        *(f"{row.p99_ms:.0f}", f"{p99_ms(row.load.rate, *reached):.0f}"),
                    ]
                )
    head = (
        "network",
        "build",
        "photo",
        "result",
        "requests/s",
        "of the throughput",
        "p99 measured, ms",
        "p99 by the model",
    )
    return Table(head, rows, words=4)


def _number(text: str, least: float, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value < 1e12:
        raise argparse.ArgumentTypeError(f"{text!r}: give {what}")
    return value


def _positive(text: str) -> float:
    return _number(text, 1e-6, "a number above zero")


def _factor(text: str) -> float:
    return _number(text, 1, "a number from 1 up: 1 where every hour is alike")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 1000):
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number from 0 to 1000")
    return int(text)
