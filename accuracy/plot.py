"""A plot of all networks: error against time."""

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from accuracy.evaluate import Result

# Drawn twice as large and then halved, for smooth lines.
ZOOM = 2
WIDTH, HEIGHT = 900, 520
LEFT, RIGHT, TOP, BOTTOM = 80, 40, 60, 64
LINE = 17
PAPER, INK, FAINT = (250, 250, 248), (40, 40, 40), (218, 218, 214)
COLOURS = (
    *((31, 119, 180), (214, 96, 20), (44, 140, 60), (190, 40, 50), (128, 90, 180)),
    *((130, 80, 70), (200, 90, 160), (90, 90, 90), (150, 150, 20), (20, 160, 180)),
)


def overview(results: Sequence[Result]) -> Image.Image | None:
    """A point for each network: milliseconds a photo (logarithmic) against AbsRel; down and left is better.

    The ramp is a dashed line, since it takes no time. None where no network has an AbsRel.
    """
    points = [
        (result.label, result.milliseconds, result.mean.abs_rel)
        for result in results
        if result.model is not None and result.mean.abs_rel is not None
    ]
    if not points:
        return None
    ramp = next((result.mean.abs_rel for result in results if result.model is None), None)
    first, last = _decades([milliseconds for _, milliseconds, _ in points])
    top = _ceiling([error for _, _, error in points] + ([ramp] if ramp is not None else []))

    image = Image.new("RGB", (WIDTH * ZOOM, HEIGHT * ZOOM), PAPER)
    draw = ImageDraw.Draw(image)

    def place(milliseconds: float, error: float) -> tuple[float, float]:
        x = LEFT + (math.log10(milliseconds) - first) / (last - first) * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - error / top * (HEIGHT - TOP - BOTTOM)
        return x * ZOOM, y * ZOOM

    def text(x: float, y: float, words: str, anchor: str, colour: tuple[int, int, int] = INK, size: int = 13) -> None:
        draw.text((x, y), words, fill=colour, font=ImageFont.load_default(size=size * ZOOM), anchor=anchor)

    for step in range(6):
        x, y = place(10**first, top * step / 5)
        draw.line([(x, y), (place(10**last, 0)[0], y)], fill=FAINT, width=ZOOM)
        text(x - 8 * ZOOM, y, f"{top * step / 5:.3g}", "rm")
    for milliseconds in _ticks(first, last):
        x, y = place(milliseconds, 0)
        draw.line([(x, y), (x, place(milliseconds, top)[1])], fill=FAINT, width=ZOOM)
        text(x, y + 8 * ZOOM, f"{milliseconds:g}", "ma")
    text(LEFT * ZOOM, 20 * ZOOM, "AbsRel (smaller is better), mean over the photos", "lm", size=15)
    text((WIDTH - RIGHT) * ZOOM, (HEIGHT - 22) * ZOOM, "ms a photo, median (left is better)", "rm", size=15)
    if ramp is not None:
        (x, y), (end, _) = place(10**first, ramp), place(10**last, ramp)
        while x < end:
            draw.line([(x, y), (min(x + 8 * ZOOM, end), y)], fill=INK, width=ZOOM)
            x += 14 * ZOOM
        text(end, y - 4 * ZOOM, f"ramp {ramp:.3f}", "rs")
    lowest = -math.inf
    middle = (LEFT + WIDTH - RIGHT) / 2 * ZOOM
    for number, (label, milliseconds, error) in enumerate(sorted(points, key=lambda point: -point[2])):
        x, y = place(milliseconds, error)
        colour = COLOURS[number % len(COLOURS)]
        draw.ellipse([x - 6 * ZOOM, y - 6 * ZOOM, x + 6 * ZOOM, y + 6 * ZOOM], fill=colour)
        lowest = max(y, lowest + LINE * ZOOM)  # names of networks that are equally good must not lie on each other
        text(
            x + math.copysign(11 * ZOOM, middle - x),
            lowest,
            f"{label} {error:.3f}",
            "lm" if x < middle else "rm",
            colour,
        )
    return image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def _decades(times: list[float]) -> tuple[float, float]:
    """Both ends of the axis of time as powers of ten, with some room around the points."""
    return math.log10(min(times) / 3), math.log10(max(times) * 3)


def _ticks(first: float, last: float) -> list[float]:
    ticks = [factor * 10.0**power for power in range(math.floor(first), math.ceil(last)) for factor in (1, 2, 5)]
    return [tick for tick in ticks if 10**first <= tick <= 10**last]


def _ceiling(errors: list[float]) -> float:
    """The next round number above the largest error."""
    largest = max(*errors, 1e-3) * 1.08
    power = 10.0 ** math.floor(math.log10(largest))
    return next(step * power for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= largest)
