"""`python -m benchmarks report`: records of one or several machines as a report for people."""

import argparse
from pathlib import Path

from rich.console import Console

from benchmarks.errors import BenchmarkError
from benchmarks.record import Record, by_machine
from benchmarks.report.contents import contents
from benchmarks.report.errors_table import export_errors
from reports.page import html
from reports.records import read_record, write_record

_EXPORT_REPORT = Path("docs/export_report.json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `report` to `parser`."""
    parser.add_argument("records", type=Path, nargs="+", metavar="RECORD.json", help="what the benchmarks wrote")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("docs/benchmarks"),
        metavar="NAME",
        help="writes NAME.md with pictures and records in the folder NAME, and NAME.html, which needs no other file "
        "(%(default)s); what NAME/advice.md says is a part of the report",
    )
    parser.add_argument(
        "--errors",
        type=Path,
        default=_EXPORT_REPORT,
        metavar="FILE",
        help="the export's report, for the builds' errors against PyTorch (%(default)s)",
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Write the report that `options` ask for; return the exit status.

    The records lie beside the pictures, one a machine, so that the report can be written anew. Pictures and records of
    an earlier report in the same folder are replaced or removed.

    Raises:
        RecordError: a record cannot be read.
        BenchmarkError: two records do not fit together, or the report cannot be written.
    """
    records = by_machine([read_record(Record, file) for file in options.records])
    output: Path = options.output
    advice = output / "advice.md"
    try:
        text, pictures = contents(
            records,
            export_errors(options.errors),
            folder=output.name,
            advice=advice.read_text().strip() if advice.is_file() else "",
        )
        output.mkdir(parents=True, exist_ok=True)
        for old in (*output.glob("*.svg"), *output.glob("*.json")):
            old.unlink()
        for number, record in enumerate(records, 1):
            write_record(output / f"m{number}.json", record)
        for picture in pictures:
            (output / picture.file).write_text(picture.standalone())
        document, one_page = output.with_name(f"{output.name}.md"), output.with_name(f"{output.name}.html")
        document.write_text(text)
        one_page.write_text(html(text, pictures))
    except OSError as error:
        raise BenchmarkError(f"cannot write the report to {output}: {error.strerror}") from error
    for written in (document, one_page):
        console.print(f"written to {written}", highlight=False, soft_wrap=True)
    return 0
