"""Pictures that put a photo and its depth side by side."""

import os
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from midas_client import DepthMap
from midas_server.imaging.decode import decode
from midas_server.imaging.probe import Limits, probe

HEIGHT = 420
GAP = 12
CAPTION = 34
PAPER = (250, 250, 248)
INK = (40, 40, 40)


def upright(photo: Path) -> Image.Image:
    """The photo in RGB as the server that was started here sees it, turned by the same rule."""
    data = photo.read_bytes()
    return Image.fromarray(decode(data, probe(data, Limits.from_environment(os.environ))))


def side_by_side(photo: Path, depth: DepthMap, caption: str) -> Image.Image:
    """The photo, its depth in colours (bright is near), and a line of text below."""
    left = upright(photo)
    right = Image.fromarray(depth.colorize("inferno"))
    panels = [_at_height(panel) for panel in (left, right)]
    width = sum(panel.width for panel in panels) + 3 * GAP
    picture = Image.new("RGB", (width, HEIGHT + GAP + CAPTION), PAPER)
    x = GAP
    for panel in panels:
        picture.paste(panel, (x, GAP))
        x += panel.width + GAP
    ImageDraw.Draw(picture).text((GAP, HEIGHT + GAP + 8), caption, fill=INK, font=ImageFont.load_default(size=15))
    return picture


def stacked(pictures: Sequence[Image.Image]) -> Image.Image:
    """All pictures on one sheet, one below the other."""
    sheet = Image.new("RGB", (max(p.width for p in pictures), sum(p.height for p in pictures)), PAPER)
    y = 0
    for picture in pictures:
        sheet.paste(picture, ((sheet.width - picture.width) // 2, y))
        y += picture.height
    return sheet


def _at_height(panel: Image.Image) -> Image.Image:
    return panel.resize((round(panel.width * HEIGHT / panel.height), HEIGHT), Image.Resampling.LANCZOS)
