"""A report as one HTML page that needs nothing else: no network, no script, no file beside it."""

import re
from collections.abc import Sequence
from html import escape

from benchmarks.report.blocks import Block, Bullets, Heading, Paragraph, Pictures, Table
from benchmarks.report.colours import chart_style, variables
from benchmarks.report.svg import inline

_STYLE = """
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
  font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; -webkit-text-size-adjust: 100% }
main { max-width: 1120px; margin: 0 auto; padding: 24px 16px 64px }
h1 { font-size: 1.9rem; line-height: 1.2; margin: .4em 0 } h2 { margin: 2em 0 .4em; padding-top: .6em;
  border-top: 1px solid var(--faint); line-height: 1.25 } h3 { margin: 1.8em 0 .3em }
p, ul { max-width: 46rem } ul { padding-left: 1.2em }
a { color: var(--s0) } code { font: .88em ui-monospace, "DejaVu Sans Mono", monospace; background: var(--faint);
  padding: .1em .35em; border-radius: 4px; overflow-wrap: anywhere }
.scroll { overflow-x: auto; margin: 1em 0; border: 1px solid var(--faint); border-radius: 8px; background: var(--card) }
table { border-collapse: collapse; width: 100%; font-size: .84rem; font-variant-numeric: tabular-nums }
th, td { padding: .36em .5em; border-bottom: 1px solid var(--faint); text-align: right; white-space: nowrap }
th { color: var(--soft); font-weight: 600; vertical-align: bottom; white-space: normal;
  min-width: 3.6em } tr:last-child td { border-bottom: 0 }
th.word, td.word { text-align: left } td.long { white-space: normal; min-width: 16em; overflow-wrap: anywhere }
summary { cursor: pointer; color: var(--s0); margin: 1em 0 }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 400px), 1fr)); gap: 16px;
  margin: 1em 0; align-items: start }
.charts svg { width: 100%; height: auto; border: 1px solid var(--faint); border-radius: 8px; background: var(--card) }
@media print { body { background: white } main { max-width: none } .scroll { overflow: visible } }
"""

_LONG = 48
"""Cells with more characters may take several lines."""


def page(blocks: Sequence[Block]) -> str:
    """Return the whole page; its title is the text of the first heading."""
    title = next((block.text for block in blocks if isinstance(block, Heading)), "Report")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{variables()}{chart_style()}{_STYLE}</style>\n</head>\n<body>\n"
        f"<main>\n{''.join(map(_block, blocks))}</main>\n</body>\n</html>\n"
    )


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{_text(block.text)}</h{block.level}>\n"
    if isinstance(block, Paragraph):
        return f"<p>{_text(block.text)}</p>\n"
    if isinstance(block, Bullets):
        return "<ul>\n" + "".join(f"<li>{_text(item)}</li>\n" for item in block.items) + "</ul>\n"
    if isinstance(block, Pictures):
        return '<div class="charts">\n' + "".join(f"{inline(each)}\n" for each in block.pictures) + "</div>\n"
    return _table(block)


def _table(table: Table) -> str:
    head = "".join(f"<th{_kind(table, n, '')}>{_text(cell)}</th>" for n, cell in enumerate(table.head))
    rows = "".join(
        "<tr>" + "".join(f"<td{_kind(table, n, cell)}>{_text(cell)}</td>" for n, cell in enumerate(row)) + "</tr>\n"
        for row in table.rows
    )
    whole = f'<div class="scroll"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n'
    return f"<details><summary>{_text(table.folded)}</summary>\n{whole}</details>\n" if table.folded else whole


def _kind(table: Table, column: int, cell: str) -> str:
    kinds = ["word"] * (column < table.words) + ["long"] * (len(cell) > _LONG)
    return f' class="{" ".join(kinds)}"' if kinds else ""


def _text(text: str) -> str:
    """Turn ``**bold**``, ``*slanted*``, ```code``` and ``[links](address)`` into HTML, and leave code as it is."""
    pieces = re.split(r"`([^`]+)`", text)
    made = []
    for number, piece in enumerate(pieces):
        if number % 2:
            made.append(f"<code>{escape(piece)}</code>")
        else:
            bold = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", escape(piece))
            slanted = re.sub(r"\*(.+?)\*", r"<em>\1</em>", bold)
            made.append(re.sub(r"\[([^\]]+)\]\(([^)\s]+)\)", r'<a href="\2">\1</a>', slanted))
    return "".join(made)
