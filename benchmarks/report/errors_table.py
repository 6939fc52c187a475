"""The error of each exported format against PyTorch, as the export's report has it."""

from collections.abc import Mapping
from pathlib import Path


def export_errors(file: Path) -> Mapping[tuple[str, str], str]:
    """Return the column "error" of the export's report by network and format; empty where there is no such report.

    Args:
        file: what ``python -m export report`` wrote, as Markdown.
    """
    if not file.is_file():
        return {}
    errors: dict[tuple[str, str], str] = {}
    columns: dict[str, int] = {}
    for line in file.read_text().splitlines():
        if not line.startswith("|"):
            columns = {}
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not columns:
            columns = {cell: number for number, cell in enumerate(cells)}
        elif {"network", "format", "error"} <= columns.keys() and len(cells) == len(columns):
            error = cells[columns["error"]]
            if error and not error.startswith("-"):
                errors[cells[columns["network"]], cells[columns["format"]]] = error
    return errors
