"""How long a dropped photo of 12 megapixels takes until its depth is painted: `python -m tests.gateway.page.speed URL`.

URL is a running gateway (`make serve-web`). Prints the median of each part in milliseconds, by the page's own marks.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import skimage
from PIL import Image, ImageFilter
from playwright.sync_api import sync_playwright

DROPS = 11
MARKS = ("begun", "read", "answered", "decoded", "painted")


def photo() -> bytes:
    """A JPEG of 4000 x 3000 pixels with as much detail as a phone's."""
    small = (
        Image.open(Path(skimage.__file__).parent / "data" / "astronaut.png")
        .convert("RGB")
        .resize((4000, 3000))
        .filter(ImageFilter.GaussianBlur(2))
    )
    grain = np.random.default_rng(0).normal(0, 4, (3000, 4000, 1))
    file = io.BytesIO()
    Image.fromarray((np.asarray(small) + grain).clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue()


def main() -> int:
    """The command line; returns the exit status."""
    dropped = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    rows: list[dict[str, float]] = []
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--enable-unsafe-swiftshader"])
        page: Any = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
        page.goto(sys.argv[1])
        page.wait_for_selector("select[name=model] option", state="attached")
        for _ in range(DROPS):
            page.evaluate("performance.clearMarks()")
            with page.expect_response("**/predict") as answer:
                page.set_input_files("#file", dropped)
            while not page.evaluate("performance.getEntriesByName('painted').length"):
                page.wait_for_timeout(20)
            marks = page.evaluate(
                "Object.fromEntries(performance.getEntriesByType('mark').map((each) => [each.name, each.startTime]))"
            )
            info = json.loads(answer.value.headers["x-depth-info"])
            row = {end: marks[end] - marks[start] for start, end in pairwise(MARKS)}
            rows.append({**row, "all": marks["painted"] - marks["begun"], "network": info["milliseconds"]["network"]})
        browser.close()
    # The first drop warms up.
    print({name: round(median(row[name] for row in rows[1:])) for name in rows[0]})
    return 0


if __name__ == "__main__":
    sys.exit(main())
