"""The notebook: from the photo beside it to the report, run as a reader runs it."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[3] / "examples" / "room_report"
NOTEBOOK = FOLDER / "room_report.ipynb"


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    return nbformat.reads(NOTEBOOK.read_text(encoding="utf-8"), as_version=4)  # type: ignore[no-any-return,no-untyped-call]


def test_it_is_short_and_holds_no_output(notebook: nbformat.NotebookNode) -> None:
    assert len(notebook.cells) < 15
    for cell in notebook.cells:
        if cell.cell_type == "code":
            compile(cell.source, NOTEBOOK.name, "exec")
            assert cell.outputs == []
            assert cell.execution_count is None


def test_it_goes_from_the_photo_to_matching_products(
    notebook: nbformat.NotebookNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(FOLDER / "example", tmp_path / "example")
    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    done = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute(
        env={**os.environ, "JUPYTER_PLATFORM_DIRS": "1"}
    )
    outputs = [output for cell in done.cells if cell.cell_type == "code" for output in cell.outputs]
    said = "".join(output.get("text", "") for output in outputs)
    shown = [output.data for output in outputs if "data" in output]
    assert sum("image/png" in data for data in shown) == 1
    assert sum("<svg" in data.get("text/html", "") for data in shown) == 2
    # The room's wall is 5.00 m long, and it is 2.65 m high.
    assert re.search(r"longest visible wall +5\.0\d* ±", said), said
    assert re.search(r"room height +2\.6\d ±", said), said
    assert re.search(r"^fits .* to spare", said, re.MULTILINE), said
    assert (tmp_path / "out" / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
