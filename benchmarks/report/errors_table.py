"""The error of each exported build against PyTorch, as the export's report has it."""

from collections.abc import Mapping
from pathlib import Path

from export.commands.page import ExportReport
from reports.records import read_record


def export_errors(file: Path) -> Mapping[tuple[str, str], str]:
    """Return the errors in the export's report by network and build; empty where there is no such report.

    Args:
        file: what `python -m export report` wrote: the record, or the page that it lies beside.

    Raises:
        RecordError: it is not such a record.
    """
    record = file.with_suffix(".json")
    rows = read_record(ExportReport, record).rows if record.is_file() else ()
    return {(row.name, row.form): f"{row.error:.1e}" for row in rows if row.error is not None}
