"""A table for the terminal."""

import io

from rich.console import Console

from reports.tables import Table


def test_a_terminal_shows_what_stands_in_the_cells() -> None:
    console = Console(width=60, file=io.StringIO(), record=True)
    console.print(Table(["what", "much [x]"], [["**ours**", "1.0"], ["[b]theirs", "20.0"]]).rich("title", "caption"))
    title, _, head, _, ours, theirs, _, caption, *_ = [line.strip() for line in console.export_text().splitlines()] + [
        ""
    ]
    assert (title, caption) == ("title", "caption")
    assert head.split() == ["what", "much", "[x]"]
    assert (ours.split(), theirs.split()) == (["ours", "1.0"], ["[b]theirs", "20.0"])
