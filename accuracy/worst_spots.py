"""Where an aspect of a depth map is worst: the photo beside the depth, with a box around the spot."""

import base64
import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from accuracy.aspects import Finding, View
from reports.plots.sheet import Picture

WIDTH = 360
"""Of the photo and of the depth in a picture, in pixels."""
SPOT = 8
"""A spot is this fraction of the longest side."""
RED = (230, 30, 40)


def worst_spot(name: str, words: str, view: View, finding: Finding) -> Picture:
    """A picture for a page; `name` is its file's, without a suffix, `words` what it shows."""
    height, width = view.depth.shape
    side = max(8, max(height, width) // SPOT)
    mean = cv2.blur(finding.badness, (side, side), borderType=cv2.BORDER_REFLECT)
    row, column = np.unravel_index(int(mean.argmax()), mean.shape)
    tall = round(WIDTH * height / width)
    box = [
        float(value) * WIDTH / width for value in (column - side / 2, row - side / 2, column + side / 2, row + side / 2)
    ]
    panels = []
    for panel in (view.photo, _coloured(view.depth)):
        image = Image.fromarray(panel).resize((WIDTH, tall), Image.Resampling.BOX)
        ImageDraw.Draw(image).rectangle((box[0], box[1], box[2], box[3]), outline=RED, width=3)
        panels.append(np.asarray(image))
    jpeg = io.BytesIO()
    Image.fromarray(np.hstack(panels)).save(jpeg, "JPEG", quality=80)
    data = base64.b64encode(jpeg.getvalue()).decode()
    return Picture(
        name,
        words,
        lambda: (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {tall + 24}">'
            f'<text x="4" y="16" font-size="13" fill="currentColor">{words}</text>'
            f'<image y="24" width="{2 * WIDTH}" height="{tall}" href="data:image/jpeg;base64,{data}"/></svg>'
        ),
    )


def _coloured(depth: NDArray[np.float32]) -> NDArray[np.uint8]:
    steps = (depth * 255).clip(0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(cv2.applyColorMap(steps, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB), np.uint8)
