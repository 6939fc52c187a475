"""`python -m export report`: size, cost, error and speed of everything that is exported, as a table and a plot."""

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from export.commands.measure import NetworkCost
from export.commands.page import ExportReport, NetworkRow, page, row_of
from export.errors import ExportError
from export.repository.inventory import Entry, inventory
from export.repository.write import DEFAULT_REPOSITORY
from export.variants import VARIANTS
from reports.machine import this_machine, versions
from reports.records import RecordError, read_record, write_record

PROJECT = Path(__file__).resolve().parents[2]
DEFAULT_OUT = PROJECT / "docs" / "export_report.md"


def main(arguments: Sequence[str]) -> int:
    """Write the report and return the exit code: 0, or 1 if a network was left out.

    Raises:
        ExportError: there is nothing to report on, or the report cannot be read or written.
    """
    options = _parser().parse_args(arguments)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if options.record:
        try:
            _write(read_record(ExportReport, options.record), options.out, console)
        except RecordError as error:
            raise ExportError(str(error)) from error
        return 0
    repositories = options.repository or [DEFAULT_REPOSITORY]
    machine = this_machine()  # before this program itself makes it busy
    found = [(repository, entry) for repository in repositories for entry in inventory(repository, digests=False)]
    if not found:
        raise ExportError(
            f"nothing is exported in {', '.join(map(str, repositories))}: python -m export all --untrained exports "
            "every variant"
        )
    rows: list[NetworkRow] = []
    left_out: dict[str, str] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(found))
        for repository, entry in found:
            progress.update(task, description=entry.name)
            row = _row(repository, entry, options.seconds)
            if isinstance(row, NetworkRow):
                rows.append(row)
                console.print(f"{entry.name} {row.form}: {_said(row)}", markup=False)
            else:
                left_out[f"{entry.name} in {repository}"] = row
                console.print(f"{entry.name} is left out: {row}", style="yellow", markup=False)
            progress.advance(task)
    order = {name: number for number, name in enumerate(VARIANTS)}
    rows.sort(key=lambda row: (order.get(row.name, len(order)), row.name))
    report = ExportReport(
        measured_on=f"{date.today():%Y-%m-%d}",
        command=shlex.join(["python", "-m", "export", "report", *arguments]),
        machine=machine,
        versions=versions("torch", "onnxruntime", "openvino"),
        rows=tuple(rows),
        left_out=left_out,
    )
    _write(report, options.out, console)
    return 1 if left_out else 0


def _write(report: ExportReport, out: Path, console: Console) -> None:
    """Write the page, and beside it its plot and its record."""
    text, picture = page(report, out.stem)
    files = {out: text, out.with_suffix(".svg"): picture.standalone()}
    try:
        write_record(out.with_suffix(".json"), report)
        for file, content in files.items():
            file.write_text(content)
    except (OSError, RecordError) as error:
        raise ExportError(f"the report cannot be written: {error}") from error
    console.print(f"written: {', '.join(map(str, files))}, {out.with_suffix('.json')}", markup=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m export report",
        description="Write size, parameters, GFLOPs, error and time of every exported network, as Markdown and a plot.",
    )
    parser.add_argument(
        "--repository",
        type=Path,
        action="append",
        metavar="DIR",
        help=f"may be given several times, for several builds of a network; default: {DEFAULT_REPOSITORY}",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=DEFAULT_OUT,
        metavar="FILE",
        help="plot and record lie beside it; default: %(default)s",
    )
    parser.add_argument(
        "--record", type=Path, metavar="FILE", help="write the page of this earlier report again, and measure nothing"
    )
    parser.add_argument(
        "--seconds", type=float, default=10.0, metavar="S", help="to time each network for; default: %(default)s"
    )
    return parser


def _row(repository: Path, entry: Entry, seconds: float) -> NetworkRow | str:
    """The row, or why there is none."""
    if entry.manifest is None or entry.flaw:
        return entry.flaw or "it has no manifest"
    command = [sys.executable, "-m", "export.commands.measure", str(repository.resolve()), entry.name, str(seconds)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        why = (
            f"ended by signal {-done.returncode}" if done.returncode < 0 else lines[-1] if lines else "no reason given"
        )
        return f"it could not be measured: {why}"
    return row_of(entry.manifest, entry.size, NetworkCost(**json.loads(done.stdout.splitlines()[-1])))


def _said(row: NetworkRow) -> str:
    time = "not timed" if row.milliseconds is None else f"{row.milliseconds:,.0f} ms an image"
    return f"{row.size / 1e6:.1f} MB, {time}{', untrained' if row.untrained else ''}"
