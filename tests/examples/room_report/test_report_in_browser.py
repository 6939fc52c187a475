"""The report in a real Chromium, and on paper: nothing is loaded, and nothing runs out of a narrow window."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from room_report.album import judge_all
from room_report.catalogue import Catalogue
from room_report.page import make_report
from room_report.paper import pdf
from room_report.passage import Way
from room_report.verdicts import Clearances
from room_report.words import LANGUAGES, Language
from tests.examples.room_report.box_room import DEPTH, look
from tests.examples.room_report.shots import shot

pytestmark = pytest.mark.page


def html(language: Language) -> str:
    room = look(place=(1.0, 0.3, 1.6), target=(2.4, 4.0, 0.9), boxes=[((0.0, 4.0, 0.0), (1.5, DEPTH, 1.0))])
    shots = [shot(room)]
    placed = judge_all(shots, Catalogue.from_csv().find(), Clearances(), Way())
    return make_report(shots, placed, language=language).html


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_opens_offline_and_shows_the_room(language: Language, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - `make test` runs without it

    file = tmp_path / "report.html"
    file.write_text(html(language), encoding="utf-8")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert found, "There is no Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--enable-unsafe-swiftshader", "--no-sandbox"]
        )
        for width in (1440, 820, 390):
            page: Any = browser.new_page(viewport={"width": width, "height": 900})
            asked: list[str] = []
            faults: list[str] = []
            page.on("request", lambda each, asked=asked: asked.append(each.url))
            page.on("pageerror", lambda each, faults=faults: faults.append(str(each)))
            page.on("console", lambda each, faults=faults: faults.append(each.text) if each.type == "error" else None)
            page.goto(file.as_uri())
            page.wait_for_selector(".space[data-state=shown] canvas")
            assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert faults == []
            before = page.locator(".space canvas").screenshot()
            page.focus(".space canvas")
            page.keyboard.press("ArrowLeft")
            page.wait_for_function(
                "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
            )
            assert page.locator(".space canvas").screenshot() != before
            page.close()
        browser.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_is_printed(language: Language) -> None:
    made = pdf(html(language))
    assert made.startswith(b"%PDF-")
    assert len(made) < 2_000_000
