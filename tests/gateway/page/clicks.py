"""Pairs of lines on renders with exact depth, as a visitor would click them: `python -m tests.gateway.page.clicks URL`.

URL is a running gateway (`make serve-web`). It writes `clicks.json`, by which `gateway/page/test/measuring.test.js`
counts how often the true length is within the stated ends.
"""

from __future__ import annotations

import io
import json
import math
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import requests
from numpy.typing import NDArray
from PIL import Image

from training.scenes.cameras import is_worth_a_picture
from training.scenes.dataset import LAYOUTS, SCENES_TRIED
from training.scenes.film import develop
from training.scenes.lighting import render_view
from training.scenes.pictures import make_pictures
from training.scenes.scene import Scene

SEED = 90210
WIDTH, HEIGHT = 640, 480
SCENES, PAIRS = 34, 20
# A hand is this many pixels off, one standard deviation.
HAND = 1.3
FILE = Path(__file__).parent / "clicks.json"


def view(number: int, pictures: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float64], float]:
    """A photo (uint8 RGB [H, W, 3]), its depth in metres [H, W] and its horizontal angle of view in degrees."""
    rng = np.random.default_rng([SEED, number])
    shares = np.array([share for _, share in LAYOUTS.values()])
    layout, _ = LAYOUTS[list(LAYOUTS)[int(rng.choice(len(LAYOUTS), p=shares / shares.sum()))]]
    for _ in range(SCENES_TRIED):
        scene = Scene(rng, pictures)
        cameras = layout(scene)
        world = scene.world()
        camera = next((each for each in cameras if is_worth_a_picture(world, each)), cameras[0])
        if is_worth_a_picture(world, camera):
            break
    row = camera.row(WIDTH, HEIGHT)
    light, depth = render_view(world, row, WIDTH, HEIGHT, int(rng.integers(1 << 30)), scene.reach, scene.haze)
    return develop(light, depth, rng), depth, camera.view


def pairs(depth: NDArray[Any], nearness: NDArray[np.float64], angle: float, rng: np.random.Generator) -> list[Any]:
    """PAIRS of (known, wanted): each the metres, and x, y and nearness [0, 1] of its ends as clicked."""
    half = math.tan(math.radians(angle) / 2) * 2 / WIDTH

    def point(x: int, y: int) -> NDArray[np.float64]:
        return np.array([(x + 0.5 - WIDTH / 2) * half, (HEIGHT / 2 - y - 0.5) * half, -1]) * float(depth[y, x])

    def is_on_a_thing(x: int, y: int) -> bool:
        if not (8 <= x < WIDTH - 8 and 8 <= y < HEIGHT - 8):
            return False
        around = depth[y - 3 : y + 4, x - 3 : x + 4]
        return bool(np.isfinite(around).all() and around.max() < 1.08 * around.min())

    def end(x: int, y: int) -> list[float]:
        u, v = x + 0.5 + HAND * rng.normal(), y + 0.5 + HAND * rng.normal()
        around = nearness[int(v) - 2 : int(v) + 3, int(u) - 2 : int(u) + 3]
        return [round(u, 1), round(v, 1), round(float(np.median(around)), 4)]

    def line() -> list[Any] | None:
        for _ in range(400):
            x, y = int(rng.integers(8, WIDTH - 8)), int(rng.integers(8, HEIGHT - 8))
            long, turn = rng.uniform(0.06, 0.46) * WIDTH, rng.uniform(0, 2 * math.pi)
            u, v = round(x + long * math.cos(turn)), round(y + long * math.sin(turn))
            # One thing, not from the table to the horizon.
            if is_on_a_thing(x, y) and is_on_a_thing(u, v) and 0.5 < depth[y, x] / depth[v, u] < 2:
                return [round(float(np.linalg.norm(point(x, y) - point(u, v))), 4), end(x, y), end(u, v)]
        return None

    made = [(line(), line()) for _ in range(PAIRS)]
    return [[known, wanted] for known, wanted in made if known and wanted]


def main() -> int:
    """The command line; returns the exit status."""
    pictures = make_pictures(SEED)
    scenes = []
    for number in range(SCENES):
        photo, depth, angle = view(number, pictures)
        _, jpeg = cv2.imencode(".jpg", photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
        answer = requests.post(
            f"{sys.argv[1]}/predict", files={"image": jpeg.tobytes()}, headers={"Accept": "image/png"}, timeout=60
        )
        answer.raise_for_status()
        nearness = np.asarray(Image.open(io.BytesIO(answer.content))) / 65535
        scenes.append(pairs(depth, nearness, angle, np.random.default_rng(number)))
    FILE.write_text(json.dumps({"width": WIDTH, "height": HEIGHT, "scenes": scenes}, separators=(",", ":")) + "\n")
    print(f"{sum(map(len, scenes))} pairs in {FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
