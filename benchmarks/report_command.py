"""``python -m benchmarks report``: records of one or several machines as a report for people."""

import argparse
from pathlib import Path

from rich.console import Console

from benchmarks.errors import BenchmarkError
from benchmarks.record import by_machine, read_record
from benchmarks.report.contents import contents
from benchmarks.report.errors_table import export_errors
from benchmarks.report.markdown import markdown
from benchmarks.report.page import page

_EXPORT_REPORT = Path("docs/export_report.md")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``report`` to ``parser``."""
    parser.add_argument("records", type=Path, nargs="+", metavar="RECORD.json", help="what the benchmarks wrote")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("docs/benchmarks"),
        metavar="NAME",
        help="writes NAME.md with pictures in the folder NAME, and NAME.html, which needs no other file (%(default)s)",
    )
    parser.add_argument(
        "--errors",
        type=Path,
        default=_EXPORT_REPORT,
        metavar="FILE",
        help="the export's report, for the formats' errors against PyTorch (%(default)s)",
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Write the report that ``options`` ask for; return the exit status.

    Pictures of an earlier report in the same folder are replaced or removed.

    Raises:
        BenchmarkError: a record cannot be read, or the report cannot be written.
    """
    given = [read_record(file) for file in options.records]
    commands: dict[str, list[str]] = {}
    for record in given:
        known = commands.setdefault(record.machine.name, [])
        known += [record.command] if record.command not in known else []
    blocks = contents(by_machine(given), export_errors(options.errors), commands)
    output: Path = options.output
    text, pictures = markdown(blocks, output.name)
    try:
        output.mkdir(parents=True, exist_ok=True)
        for old in output.glob("*.svg"):
            if old.name not in pictures:
                old.unlink()
        for name, svg in pictures.items():
            (output / name).write_text(svg)
        document, one_page = output.with_name(f"{output.name}.md"), output.with_name(f"{output.name}.html")
        document.write_text(text)
        one_page.write_text(page(blocks))
    except OSError as error:
        raise BenchmarkError(f"cannot write the report to {output}: {error.strerror}") from error
    for written in (document, one_page):
        console.print(f"written to {written}", highlight=False, soft_wrap=True)
    return 0
