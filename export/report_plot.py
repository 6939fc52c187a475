"""The export report as a picture: a bar for each network and format, as long as its time for an image."""

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from export.report_row import Row

# Drawn twice as large and then halved, for smooth lines.
ZOOM = 2
WIDTH = 1000
LEFT, RIGHT, TOP, BOTTOM = 200, 190, 64, 44
BAR, GAP = 16, 10
PAPER, INK, FAINT = (250, 250, 248), (40, 40, 40), (218, 218, 214)
COLOURS = (
    *((31, 119, 180), (214, 96, 20), (44, 140, 60), (190, 40, 50), (128, 90, 180)),
    *((130, 80, 70), (200, 90, 160), (90, 90, 90), (150, 150, 20), (20, 160, 180)),
)


def plot(rows: Sequence[Row]) -> Image.Image:
    """Bars on a logarithmic axis of milliseconds, grouped by network in the order of `rows`; a colour a format.

    Rows without a time are left out; with none left the picture says so.
    """
    timed = [row for row in rows if row.milliseconds]
    names = list(dict.fromkeys(row.name for row in timed))
    forms = list(dict.fromkeys(row.form for row in timed))
    height = TOP + len(timed) * BAR + max(len(names), 1) * GAP + BOTTOM
    image = Image.new("RGB", (WIDTH * ZOOM, height * ZOOM), PAPER)
    draw = ImageDraw.Draw(image)

    def text(x: float, y: float, words: str, anchor: str, colour: tuple[int, int, int] = INK, size: int = 13) -> None:
        font = ImageFont.load_default(size=size * ZOOM)
        draw.text((x * ZOOM, y * ZOOM), words, fill=colour, font=font, anchor=anchor)

    text(16, 20, "ms an image, median (shorter is better; logarithmic)", "lm", size=15)
    if not timed:
        text(16, TOP, "nothing could be timed on this machine", "lm")
        return image.resize((WIDTH, height), Image.Resampling.LANCZOS)

    times = [row.milliseconds or 1.0 for row in timed]
    first, last = math.log10(min(times) / 1.6), math.log10(max(times))

    def place(milliseconds: float) -> float:
        return LEFT + (math.log10(milliseconds) - first) / max(last - first, 1e-9) * (WIDTH - LEFT - RIGHT)

    for tick in _ticks(first, last):
        x = place(tick) * ZOOM
        draw.line([(x, TOP * ZOOM), (x, (height - BOTTOM) * ZOOM)], fill=FAINT, width=ZOOM)
        text(place(tick), height - BOTTOM + 8, f"{tick:g}", "ma")
    x = 16.0
    for number, form in enumerate(forms):
        colour = COLOURS[number % len(COLOURS)]
        draw.rectangle([x * ZOOM, 38 * ZOOM, (x + 12) * ZOOM, 50 * ZOOM], fill=colour)
        text(x + 17, 44, form, "lm")
        x += 34 + draw.textlength(form, font=ImageFont.load_default(size=13 * ZOOM)) / ZOOM
    y = float(TOP)
    for name in names:
        bars = [row for row in timed if row.name == name]
        untrained = all(row.untrained for row in bars)
        text(LEFT - 8, y + len(bars) * BAR / 2, name + ("*" if untrained else ""), "rm")
        for row in bars:
            milliseconds = row.milliseconds or 1.0
            box = [LEFT * ZOOM, (y + 2) * ZOOM, place(milliseconds) * ZOOM, (y + BAR - 2) * ZOOM]
            draw.rectangle(box, fill=COLOURS[forms.index(row.form) % len(COLOURS)])
            text(place(milliseconds) + 6, y + BAR / 2, f"{milliseconds:,.0f} ms, {row.size / 1e6:,.0f} MB", "lm")
            y += BAR
        y += GAP
    if any(row.untrained for row in timed):
        text(WIDTH - 16, 20, "* untrained weights", "rm")
    return image.resize((WIDTH, height), Image.Resampling.LANCZOS)


def _ticks(first: float, last: float) -> list[float]:
    ticks = [factor * 10.0**power for power in range(math.floor(first), math.ceil(last) + 1) for factor in (1, 2, 5)]
    return [tick for tick in ticks if first <= math.log10(tick) <= last]
