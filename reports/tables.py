"""A table of words and figures, for the terminal and for pages."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich import table as rich
from rich.box import SIMPLE_HEAD
from rich.text import Text


@dataclass(frozen=True)
class Table:
    """The first `words` columns hold words and stand to the left, the others figures and to the right.

    Cells may hold `**bold**` and `[links](address)`; a page knows them, the terminal shows bold.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1

    def markdown(self) -> str:
        """Return the table as Markdown."""
        rule = ["---"] * self.words + ["--:"] * (len(self.head) - self.words)
        lines = [self.head, rule, *self.rows]
        return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)

    def rich(self, title: str | None = None, caption: str | None = None) -> rich.Table:
        """Return the table for a terminal, with a title above it and a caption below it."""
        made = rich.Table(title=title, caption=caption, box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        for number, heading in enumerate(self.head):
            left = number < self.words
            made.add_column(Text(heading), justify="left" if left else "right", overflow="fold" if left else "ellipsis")
        for row in self.rows:
            made.add_row(*(Text(cell.strip("*"), style="bold" if cell.startswith("**") else "") for cell in row))
        return made
