"""The files of the page, as they are committed: how large, what they load, and that every word has both languages."""

import gzip
import json
import re

import pytest

from midas_gateway.pages import STATIC
from tests.networks import ROOT

SOURCE = ROOT / "gateway" / "page"
TEXTS = [file for file in STATIC.rglob("*") if file.suffix in {".html", ".css", ".js", ".svg"}]
# Names of the namespaces of XML, which nothing loads.
NAMES = {"http://www.w3.org/2000/svg"}


def words(language: str) -> dict[str, str]:
    text = (SOURCE / "src" / "words" / f"{language}.js").read_text()
    return {name: json.loads(value) for name, value in re.findall(r'^  (\w+): (".*"),$', text, re.MULTILINE)}


def test_all_of_it_is_small() -> None:
    files = [file for file in STATIC.rglob("*") if file.is_file()]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) <= 250_000


def test_it_names_no_other_host() -> None:
    assert {file.suffix for file in TEXTS} >= {".html", ".css", ".js"}
    for file in TEXTS:
        found = set(re.findall(r"(?:https?|wss?)://[^\s\"'`)>]+|url\(['\"]?//[^)]+", file.read_text()))
        assert found <= NAMES, (file.name, found)


def test_nothing_in_it_needs_what_its_policy_forbids() -> None:
    page = (STATIC / "index.html").read_text()
    assert not re.search(r"\sstyle=|\son\w+=|<style|javascript:", page)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page))


def test_the_licences_come_with_it() -> None:
    assert "MIT licence" in (STATIC / "page.js").read_text()[:200]
    assert (STATIC / "fonts.LICENSE").read_text().count("SIL OPEN FONT LICENSE Version 1.1") == 2
    notices = (ROOT / "NOTICES.md").read_text()
    for name in [file.stem for file in (STATIC / "samples").iterdir()]:
        assert f"samples/{name}.webp" in notices


def test_the_lock_file_names_no_mirror() -> None:
    assert '"resolved"' not in (SOURCE / "package-lock.json").read_text()


def test_both_languages_have_every_word_and_the_same_names_in_it() -> None:
    english, chinese = words("en"), words("zh")
    assert len(english) > 100
    assert english.keys() == chinese.keys()
    for key, text in english.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", chinese[key])), key
        assert text.strip(), key
        assert chinese[key].strip(), key


@pytest.mark.parametrize("attribute", ["data-t", "data-t-label"])
def test_every_word_that_the_page_asks_for_is_there(attribute: str) -> None:
    asked = set(re.findall(rf'{attribute}="(\w+)"', (SOURCE / "index.html").read_text()))
    assert len(asked) > 5
    assert asked <= words("en").keys()


def test_no_word_is_without_a_use() -> None:
    sources = "".join(file.read_text() for file in [*(SOURCE / "src").glob("*.js"), SOURCE / "index.html"])
    # These are put together from a code or a name.
    made = re.compile(r"error_|sample_|view_|stage_|theme_|setting_")
    unused = [key for key in words("en") if not made.match(key) and f'"{key}"' not in sources]
    assert unused == []
