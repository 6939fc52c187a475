"""A stack of made-up pictures: what hangs on walls, lies on covers, runs on screens and stands outside windows."""

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 96


def _smooth(rng: np.random.Generator, cells: int) -> NDArray[np.float64]:
    grid = rng.random((cells, cells, 3))
    return np.asarray(cv2.resize(grid, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), dtype=np.float64)


def _landscape(rng: np.random.Generator) -> NDArray[np.float64]:
    """Sky, ridges one before the other, a plain."""
    image = np.empty((SIDE, SIDE, 3))
    top, low = rng.uniform(0.3, 0.9, 3), rng.uniform(0.6, 1.0, 3)
    image[:] = (top + (low - top) * np.linspace(0, 1, SIDE)[:, None])[:, None, :]
    x = np.arange(SIDE)
    hue = rng.uniform(0.1, 0.6, 3)
    for ridge in range(rng.integers(2, 6)):
        line = SIDE * (0.35 + 0.12 * ridge) + sum(
            rng.normal(0, 7) * np.sin(x * rng.uniform(0.01, 0.15) + rng.uniform(0, 6)) for _ in range(4)
        )
        image[np.arange(SIDE)[:, None] > line[None, :]] = np.clip(
            hue * (1.2 - 0.15 * ridge) + rng.normal(0, 0.06, 3), 0, 1
        )
    return image * (0.9 + 0.2 * _smooth(rng, 24))


def _shapes(rng: np.random.Generator) -> NDArray[np.float64]:
    """Flat shapes on a ground: posters, covers, packages."""
    image = np.ascontiguousarray(np.broadcast_to(rng.random(3), (SIDE, SIDE, 3)).copy())
    for _ in range(rng.integers(1, 12)):
        fill = rng.random(3).tolist()
        a = rng.integers(0, SIDE, 2).tolist()
        b = rng.integers(0, SIDE, 2).tolist()
        kind = rng.integers(4)
        if kind == 0:
            cv2.rectangle(image, a, b, fill, -1)
        elif kind == 1:
            cv2.circle(image, a, int(rng.integers(3, SIDE // 2)), fill, -1, cv2.LINE_AA)
        elif kind == 2:
            cv2.line(image, a, b, fill, int(rng.integers(1, 8)), cv2.LINE_AA)
        else:
            points = rng.integers(0, SIDE, (int(rng.integers(3, 6)), 2)).astype(np.int32)
            cv2.fillPoly(image, [points], fill, cv2.LINE_AA)
    return image


def _page(rng: np.random.Generator) -> NDArray[np.float64]:
    """Lines of writing with a headline and a figure: pages, notices, labels, screens."""
    paper = rng.choice([0.95, 0.85, 0.1])
    ink = 1.0 - paper + rng.uniform(-0.05, 0.05)
    image = np.full((SIDE, SIDE, 3), paper) * rng.uniform(0.9, 1.0, 3)
    row = 8
    step = int(rng.integers(4, 9))
    while row < SIDE - 8:
        column = int(rng.integers(6, 12))
        while column < SIDE - 12:
            word = int(rng.integers(3, 14))
            image[row : row + max(step // 2, 1), column : min(column + word, SIDE - 6)] = ink * rng.uniform(0.6, 1.0, 3)
            column += word + 3
        row += step if rng.random() > 0.15 else 2 * step
    if rng.random() < 0.6:
        a, b = rng.integers(8, 50, 2)
        h, w = rng.integers(15, 40, 2)
        image[a : a + h, b : b + w] = _smooth(rng, 6)[a : a + h, b : b + w]
    if rng.random() < 0.5:
        cv2.putText(
            image,
            "".join(rng.choice(list("ABDEKLMNORST"), 5)),
            (6, 24),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.8,
            rng.random(3).tolist(),
            2,
            cv2.LINE_AA,
        )
    return np.asarray(image)


def _scene(rng: np.random.Generator) -> NDArray[np.float64]:
    """Blobs with light and shade before a blurred ground: what a photo looks like from afar."""
    image = _smooth(rng, int(rng.integers(2, 8))) * rng.uniform(0.5, 1.0)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float64)
    for _ in range(rng.integers(1, 7)):
        cx, cy = rng.uniform(0, SIDE, 2)
        rx, ry = rng.uniform(5, 35, 2)
        inside = ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2
        shade = np.clip(1.1 - 0.5 * ((x - cx) / rx + (y - cy) / ry), 0.2, 1.4)[..., None]
        mask = np.clip((1.0 - inside) * 4.0, 0, 1)[..., None]
        image = image * (1 - mask) + mask * shade * rng.uniform(0.1, 0.8, 3)
    return np.asarray(image + rng.normal(0, 0.03, image.shape))


def make_pictures(seed: int, count: int = 160) -> NDArray[np.float32]:
    """A stack [count,96,96,3] of pictures, linear RGB in [0, 1], the same for the same seed."""
    rng = np.random.default_rng([seed, 77])
    makers = [_landscape, _shapes, _page, _scene]
    stack = np.stack([np.clip(makers[i % len(makers)](rng), 0.0, 1.0) for i in range(count)])
    # print is paler than pure colours
    grey = stack.mean(axis=3, keepdims=True)
    stack = grey + (stack - grey) * rng.uniform(0.2, 0.85, (count, 1, 1, 1))
    return np.ascontiguousarray(stack.astype(np.float32) ** 2.2)
