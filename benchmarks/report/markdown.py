"""A report as Markdown, with its charts as files beside it."""

from collections.abc import Sequence

from benchmarks.report.blocks import Block, Bullets, Heading, Paragraph, Pictures, Table
from benchmarks.report.svg import standalone


def markdown(blocks: Sequence[Block], folder: str) -> tuple[str, dict[str, str]]:
    """Return the document, and the text of each picture by the file name that it has in ``folder``.

    Args:
        blocks: the report.
        folder: where the pictures lie, relative to the document.
    """
    files: dict[str, str] = {}
    parts: list[str] = []
    for block in blocks:
        if isinstance(block, Heading):
            parts.append(f"{'#' * block.level} {block.text}")
        elif isinstance(block, Paragraph):
            parts.append(block.text)
        elif isinstance(block, Bullets):
            parts.append("\n".join(f"- {item}" for item in block.items))
        elif isinstance(block, Table):
            parts.append(_folded(block) if block.folded else _table(block))
        elif isinstance(block, Pictures):
            files |= {f"{picture.name}.svg": standalone(picture) for picture in block.pictures}
            parts.append("\n".join(f"![{p.words}]({folder}/{p.name}.svg)" for p in block.pictures))
    return "\n\n".join(parts) + "\n", files


def _table(table: Table) -> str:
    rule = ["---"] * table.words + ["--:"] * (len(table.head) - table.words)
    lines = [table.head, rule, *table.rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _folded(table: Table) -> str:
    return f"<details><summary>{table.folded}</summary>\n\n{_table(table)}\n\n</details>"
