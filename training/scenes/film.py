"""From linear light to a photo: lens blur, movement, exposure, tone, vignette, noise and JPEG."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Light = NDArray[np.float32]


def lens_blur(light: Light, depth: NDArray[np.float64], focus: float, strength: float) -> Light:
    """Blur `light` [H,W,3] by |1/depth - 1/focus| * strength pixels; `depth` [H,W] in metres, inf in the sky."""
    radius = np.minimum(np.abs(1.0 / depth - 1.0 / focus) * strength, 7.0).astype(np.float32)
    # the near blurs over what is behind it, so the radius itself is spread a little
    radius = cv2.GaussianBlur(radius, (0, 0), 1.5)
    levels = [0.0, 1.0, 2.0, 4.0, 7.0]
    stack = [light] + [cv2.GaussianBlur(light, (0, 0), level * 0.6) for level in levels[1:]]
    result = np.zeros_like(light)
    for k, level in enumerate(levels):
        below = levels[k - 1] if k > 0 else -1.0
        above = levels[k + 1] if k + 1 < len(levels) else 1e9
        rising = (radius - below) / (level - below)
        falling = (above - radius) / (above - level)
        weight = np.clip(np.minimum(rising, falling), 0.0, 1.0)
        result += weight[..., None] * stack[k]
    return result


def shake(light: Light, length: float, angle: float) -> Light:
    """Blur along a line of `length` pixels."""
    size = math.ceil(length) | 1
    kernel = np.zeros((size, size), dtype=np.float32)
    half = length / 2
    middle = size // 2
    a = (round(middle - half * math.cos(angle)), round(middle - half * math.sin(angle)))
    b = (round(middle + half * math.cos(angle)), round(middle + half * math.sin(angle)))
    cv2.line(kernel, a, b, (1.0,), 1)
    return np.asarray(cv2.filter2D(light, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT), dtype=np.float32)


def develop(light: Light, depth: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A photo, uint8 RGB [H,W,3], of linear light [H,W,3]; each has its own lens, exposure and sensor."""
    h, w = depth.shape
    finite = depth[np.isfinite(depth)]
    if rng.random() < 0.3 and finite.size:
        focus = float(finite[rng.integers(finite.size)])
        light = lens_blur(light, depth, focus, float(rng.uniform(0.5, 5.0)) * min(focus, 3.0))
    if rng.random() < 0.12:
        light = shake(light, float(rng.uniform(2, 6)), float(rng.uniform(0, math.pi)))
    luminance = light @ np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
    key = float(np.exp(np.mean(np.log(luminance + 1e-3))))
    bright = float(np.quantile(luminance, 0.97))
    gain = math.exp(rng.normal(math.log(0.20), 0.3)) / max(key, 0.12 * bright, 1e-3)
    balance = np.exp(rng.normal(0, 0.07, 3)).astype(np.float32)
    light = light * gain * balance
    if rng.random() < 0.6:
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        r2 = ((x - w / 2) ** 2 + (y - h / 2) ** 2) / (w * w + h * h) * 4
        light = light * (1.0 - float(rng.uniform(0.05, 0.45)) * r2)[..., None]
    # a film's shoulder: bright light is rolled off instead of cut
    shoulder = float(rng.uniform(2.0, 6.0))
    light = np.maximum(light, 0.0)
    light = light * (1.0 + light / (shoulder * shoulder)) / (1.0 + light * float(rng.uniform(0.2, 0.6)))
    image = np.clip(light, 0, 1) ** (1.0 / 2.2)
    contrast = float(rng.uniform(0.9, 1.25))
    image = (image - 0.45) * contrast + 0.45
    grey = image.mean(axis=2, keepdims=True)
    image = grey + (image - grey) * float(rng.uniform(0.7, 1.25) if rng.random() < 0.95 else 0.0)
    noise = float(rng.uniform(0.0, 0.025) if rng.random() < 0.85 else rng.uniform(0.025, 0.06))
    grain = rng.standard_normal((h, w, 3), dtype=np.float32)
    if rng.random() < 0.5:
        grain = cv2.GaussianBlur(grain, (0, 0), 0.6) * 1.6
    image = image + noise * grain
    photo = np.clip(image * 255.0 + 0.5, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        photo = cv2.GaussianBlur(photo, (0, 0), float(rng.uniform(0.4, 0.9)))
    elif rng.random() < 0.3:
        photo = cv2.addWeighted(photo, 1.5, cv2.GaussianBlur(photo, (0, 0), 1.0), -0.5, 0)
    if rng.random() < 0.3:
        _, packed = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 90))])
        photo = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    return np.asarray(photo, dtype=np.uint8)
