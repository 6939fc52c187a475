"""Pages: Markdown from a template, and HTML that needs no other file and that no text can break."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from reports.page import WIDTH, html, markdown
from reports.plots.sheet import Picture
from reports.tables import Table

TABLE = Table(["what", "much"], [["**ours**", "1"], ["<i>|theirs", "2"]])
PICTURE = Picture("p", "a plot", lambda: "<svg><rect/></svg>")


class _Tags(HTMLParser):
    """Collects a page's addresses, and complains of tags that are not closed in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)
        self.loads += [value or "" for name, value in attrs if name == "src" or (name == "href" and tag != "a")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def text(tmp_path: Path) -> str:
    (template := tmp_path / "page.md").write_text(
        "{% from 'kit.md' import pictures, folded %}\n# {{ name }}\n\n{{ table.markdown() }}\n\n"
        "{{ folded('All', table) }}\n\n{{ pictures(list, 'plots') }}\n\n[a link](page.md), <script>alert(1)</script>\n"
    )
    return markdown(template, name="A & B", table=TABLE, list=[PICTURE])


def test_markdown(text: str) -> None:
    assert text.startswith("# A & B\n\n| what | much |\n| --- | --: |\n| **ours** | 1 |\n| <i>\\|theirs | 2 |\n")
    assert "\n<details><summary>All</summary>\n\n| what |" in text
    assert "\n![a plot](plots/p.svg)\n" in text
    assert "\n\n\n" not in text


def test_prose_is_in_short_lines(tmp_path: Path) -> None:
    """But for what must stand in one line: tables, pictures, commands."""
    command = f"`python -m export {'name ' * 30}again`"
    row = f"| {'word ' * 40}|"
    (template := tmp_path / "page.md").write_text(
        f"# T\n\n- {'word ' * 23}{command} {'word ' * 30}||a - b|| is {'less ' * 20}\n\n{row}\n\n    {'code ' * 40}\n"
    )
    lines = markdown(template).splitlines()
    long = [line for line in lines if len(line) > WIDTH]
    assert [line.strip() for line in long] == [command, row, ("code " * 40).strip()]
    item = lines[2 : lines.index("", 2)]
    assert item[0].startswith("- word word")
    assert all(line.startswith("  ") and line[2] not in "-+*" for line in item[1:])
    assert " ".join(line.strip() for line in item) == (
        f"- {'word ' * 23}{command} {'word ' * 30}||a - b|| is {'less ' * 20}".strip()
    )


def test_the_page_needs_no_other_file(text: str) -> None:
    page = html(text, [PICTURE])
    tags = _Tags()
    tags.feed(page)
    assert not tags.open
    assert not tags.loads
    assert "@import" not in page
    assert "url(" not in page
    assert "<title>A &amp; B</title>" in page
    assert "<h1>A &amp; B</h1>" in page
    assert '<p class="charts"><svg><rect/></svg></p>' in page
    assert '<a href="page.md">a link</a>' in page


def test_texts_cannot_break_the_page(text: str) -> None:
    page = html(text, [PICTURE])
    assert "<script" not in page
    assert "<td>&lt;i&gt;|theirs</td>" in page
    assert "<td><strong>ours</strong></td>" in page
    assert page.count("<details><summary>All</summary>") == page.count("</details>") == 1


def test_a_figure_that_is_not_given_is_an_error(tmp_path: Path) -> None:
    (template := tmp_path / "page.md").write_text("{{ missing }}")
    with pytest.raises(UndefinedError, match="missing"):
        markdown(template)
