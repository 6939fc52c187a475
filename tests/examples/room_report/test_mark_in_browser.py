"""The click tool in a real Chromium: what is clicked is what is written."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from room_report.marks import beside, read_marks
from tests.examples.room_report.marking import marking

pytestmark = pytest.mark.page
CORNERS = ((100, 60), (220, 70), (216, 400), (104, 390))


def photo_in(folder: Path) -> Path:
    file = folder / "room.png"
    picture = Image.new("RGB", (640, 480), (200, 205, 200))
    ImageDraw.Draw(picture).polygon(CORNERS, fill=(120, 80, 50))
    picture.save(file)
    return file


def spot(page: Any, x: float, y: float) -> tuple[float, float]:
    """Where a pixel's centre is in the window."""
    box = page.locator("#stage").bounding_box()
    return box["x"] + (x + 0.5) * box["width"] / 640, box["y"] + (y + 0.5) * box["width"] / 640


def correct_the_last(page: Any) -> None:
    """Drag the corner that was clicked in the wrong place most of the way, and do the rest by keys."""
    page.mouse.move(*spot(page, 130, 360))
    page.mouse.down()
    page.mouse.move(*spot(page, 101, 390))
    page.wait_for_selector("#loupe:visible")
    page.mouse.up()
    page.wait_for_selector("#loupe", state="hidden")
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    page.keyboard.press("Control+z")


@pytest.mark.parametrize(("locale", "width"), [("en-GB", 1280), ("zh-CN", 390)])
def test_a_door_is_marked_by_mouse_and_keys_and_saved(locale: str, width: int, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - `make test` runs without it

    photo = photo_in(tmp_path)
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert found, "There is no Chromium: apt-get install chromium"
    with marking(photo) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page: Any = browser.new_page(locale=locale, viewport={"width": width, "height": 900})
        asked: list[str] = []
        faults: list[str] = []
        page.on("request", lambda each: asked.append(each.url))
        page.on("pageerror", lambda each: faults.append(str(each)))
        page.on("console", lambda each: faults.append(each.text) if each.type == "error" else None)
        page.goto(address)
        page.wait_for_selector("#stage[data-state=ready]")
        assert page.evaluate("document.documentElement.lang") == {"en-GB": "en", "zh-CN": "zh-Hans"}[locale]

        page.click("#tools [data-kind=door]")
        for x, y in (*CORNERS[:3], (130, 360)):
            page.mouse.click(*spot(page, x, y))
        correct_the_last(page)
        page.fill("#list [name=height]", "2,04")
        page.click("#tools [data-kind=measure]")
        page.click("#save")
        page.wait_for_selector("#status.bad")  # the second mark has no points yet
        assert not beside(photo).exists()
        for x, y in ((300, 100), (500, 100)):
            page.mouse.click(*spot(page, x, y))
        page.click("#save")
        page.wait_for_selector("#status.good")
        marks = read_marks(beside(photo))
        for clicked, wanted in zip(marks.rectangles[0].corners, CORNERS, strict=True):
            # A mouse is at whole pixels of the window, which are up to two of the photo at 390 wide.
            assert clicked == pytest.approx(wanted, abs=640 / page.locator("#stage").bounding_box()["width"])
        assert (marks.rectangles[0].width, marks.rectangles[0].height) == (0.86, 2.04)
        assert len(marks.measure) == 1
        assert len(marks.references()) == 1

        # Something else changes the file: the page asks, and leaves it alone when told so.
        beside(photo).write_text("{}")
        page.click("#list li:last-child .head button")
        asks: list[str] = []

        def refuse(dialog: Any) -> None:
            asks.append(dialog.message)
            dialog.dismiss()

        page.once("dialog", refuse)
        page.click("#save")
        page.wait_for_selector("#status.bad")
        assert "room.marks.json" in asks[0]
        assert beside(photo).read_text() == "{}"
        page.once("dialog", lambda each: each.accept())
        page.click("#save")
        page.wait_for_selector("#status.good")
        assert read_marks(beside(photo)).measure == []

        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert {url[: len(address)] for url in asked if not url.startswith("data:")} == {address}
        assert [fault for fault in faults if "412" not in fault] == []
        browser.close()
