"""Every link of the documents to a file, a picture or a heading leads somewhere."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.networks import ROOT

FOLDERS = (".", "benchmarks", "client", "docs", "examples", "examples/room_report")
PAGES = sorted(page for folder in FOLDERS for page in (ROOT / folder).glob("*.md"))

_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)|(?:href|src)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)


def links(page: Path) -> list[str]:
    """Addresses of a page's links, without those of the web."""
    found = (first or second for first, second in _LINK.findall(_FENCED.sub("", page.read_text())))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def anchors(page: Path) -> set[str]:
    """The names under which GitHub shows a page's headings; one that comes again gets a number."""
    names: set[str] = set()
    for heading in _HEADING.findall(_FENCED.sub("", page.read_text())):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = base = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        number = 0
        while name in names:
            number += 1
            name = f"{base}-{number}"
        names.add(name)
    return names


def broken(page: Path) -> list[str]:
    """The links of a page that lead nowhere."""
    wrong = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = page.parent / unquote(path) if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            wrong.append(link)
    return wrong


def test_the_documents_are_found() -> None:
    assert {ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "docs" / "client.md"} <= set(PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_broken_links_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A `b`: c\n[1](#a-b-c) [2](other.md) [3](#a-b) [4](page.md#no)\n```\n[5](in_a_block.md)\n```\n"
        '![6](no.jpg) [7](https://example.org/x) <img src="none.png">\n'
    )
    assert broken(page) == ["other.md", "#a-b", "page.md#no", "no.jpg", "none.png"]
