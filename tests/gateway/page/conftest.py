"""A real Chromium in front of a real gateway and Triton. Any request to another host fails the test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - `make test` runs without it

    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert found, "There is no Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        # Without a GPU, SwiftShader draws.
        arguments = ["--enable-unsafe-swiftshader", "--no-sandbox"]
        yield playwright.chromium.launch(executable_path=found, args=arguments)


def is_a_fault(message: Any) -> bool:
    """Whether the console has an error that is not the browser's note of a refusal, which the page tells in words."""
    return bool(message.type == "error" and not message.text.startswith("Failed to load resource"))


@pytest.fixture(params=[{}])
def page(browser: Any, gateway: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page, open and with its models; a test may give the browser's settings as the fixture's parameter."""
    settings = {"viewport": {"width": 1280, "height": 900}, "locale": "en", "reduced_motion": "reduce", **request.param}
    context = browser.new_context(accept_downloads=True, **settings)
    opened = context.new_page()
    requests: list[str] = []
    errors: list[str] = []
    opened.on("request", lambda each: requests.append(each.url))
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda each: errors.append(each.text) if is_a_fault(each) else None)
    opened.asked = requests
    opened.goto(gateway.url)
    opened.wait_for_selector("select[name=model] option", state="attached")
    yield opened
    context.close()
    here = urlsplit(gateway.url).netloc
    elsewhere = [url for url in requests if not url.startswith(("blob:", "data:")) and urlsplit(url).netloc != here]
    assert elsewhere == []
    assert errors == []


@pytest.fixture
def shown(page: Any) -> Any:
    """The page with the depth of a sample."""
    page.click("[data-sample=coffee]")
    page.wait_for_selector("body[data-state=result]")
    page.wait_for_selector("#wait", state="hidden")
    return page
