"""A parallax video: one photo seen by a camera that moves a little, near things against far ones.

Run it against a server that was started with `make serve`. It needs PyAV: pip install "./client[video]".

    python examples/parallax.py photo.jpg parallax.mp4

It writes parallax.mp4 (H.264): one round of the camera, so that the video can be played in a loop. Behind the near
things lies a second layer, the background continued, so no gap is torn open at their edges. What is there is a guess.
"""

import argparse
import sys
from itertools import product

import numpy as np
import numpy.typing as npt
from PIL import Image

from midas_client import DepthClient, DepthMap, MidasClientError, VideoWriter, upright_rgb

Floats = npt.NDArray[np.float32]
Shift = tuple[float, float]  # x and y in pixels


def spread(near: Floats, function: np.ufunc, pixels: int) -> Floats:
    """Each value becomes the smallest (np.minimum) or the largest (np.maximum) around it."""
    for _ in range(pixels):
        near = function.reduce([np.roll(near, turn, axis) for axis, turn in ((0, 0), (0, 1), (0, -1), (1, 1), (1, -1))])
    return near


def nearness(depth_map: DepthMap) -> Floats:
    """float32 [H, W] from 0 (far) to 1 (near), with steps where the network has slopes at the edges of things."""
    inverse = 1 / np.maximum(depth_map.depth, 1e-3) if depth_map.unit == "metres" else depth_map.depth
    low, high = np.percentile(inverse, (1, 99))
    near = ((inverse - low) / max(high - low, 1e-6)).clip(0, 1).astype(np.float32)
    slope = max(near.shape) // 100
    smallest, largest = spread(near, np.minimum, slope), spread(near, np.maximum, slope)
    stepped = np.where(near - smallest < largest - near, smallest, largest)
    # Wider than the thing itself, or a line of its rim would stay behind with the background.
    return spread(np.where(largest - smallest > 0.1, stepped, near), np.maximum, max(2, max(near.shape) // 150))


def background(near: Floats, slope: float) -> Floats:
    """The largest map that is nowhere above `near` and nowhere steeper than `slope` a pixel: steps become ramps."""
    for axis in (0, 1):
        ramp = slope * np.arange(near.shape[axis], dtype=np.float32).reshape((-1, 1) if axis == 0 else (1, -1))
        ahead = np.minimum.accumulate(near - ramp, axis) + ramp
        back = np.flip(np.minimum.accumulate(np.flip(near + ramp, axis), axis), axis) - ramp
        near = np.minimum(ahead, back)
    return near


def filled(colors: Floats, weights: Floats) -> Floats:
    """Colours [H, W, 3]; those without weight [H, W] become weighted means around them, from ever coarser pictures."""
    known = weights > 0
    if known.all() or not known.any():
        return colors
    height, width = known.shape
    weighted = np.dstack([colors * weights[..., np.newaxis], weights])
    even = np.pad(weighted, ((0, height % 2), (0, width % 2), (0, 0)))
    means = even.reshape(-(-height // 2), 2, -(-width // 2), 2, 4).mean((1, 3), dtype=np.float32)
    coarse = filled(means[..., :3] / np.maximum(means[..., 3:], 1e-12), means[..., 3])
    smooth = Image.fromarray(coarse.clip(0, 255).astype(np.uint8)).resize((width, height), Image.Resampling.BILINEAR)
    return np.where(known[..., np.newaxis], colors, np.asarray(smooth, np.float32))


def moved(near: Floats, shift: Shift) -> Floats:
    """The map as the moved camera has it: each pixel goes `shift` times its value; NaN where none arrives."""
    height, width = near.shape
    order = np.argsort(near, axis=None)  # the nearest is written last, over what is behind it
    value = near.ravel()[order]
    left = np.floor(order % width + shift[0] * value).astype(int)
    top = np.floor(order // width + shift[1] * value).astype(int)
    result = np.full(near.shape, np.nan, np.float32)
    for right, down in product((0, 1), repeat=2):  # four pixels for each, so that no cracks open where it is stretched
        x, y = left + right, top + down
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        place = (y * width + x)[inside]
        result.flat[place] = np.fmax(result.flat[place], value[inside])
    return result


def taken(colors: Floats, near: Floats, shift: Shift) -> Floats:
    """Colours [H, W, 3] of the places that `moved` brought here, interpolated between pixels."""
    height, width = near.shape
    rows, columns = np.mgrid[:height, :width]
    y, x = (rows - shift[1] * near).clip(0, height - 1.001), (columns - shift[0] * near).clip(0, width - 1.001)
    top, left = y.astype(int), x.astype(int)
    down, right = (y - top)[..., np.newaxis], (x - left)[..., np.newaxis]
    upper = (1 - right) * colors[top, left] + right * colors[top, left + 1]
    lower = (1 - right) * colors[top + 1, left] + right * colors[top + 1, left + 1]
    return np.asarray((1 - down) * upper + down * lower, np.float32)


class Layers:
    """The photo in two layers: what is seen, and what lies behind the near things.

    Args:
        colors: float32 RGB [H, W, 3].
        near: float32 [H, W] from 0 (far) to 1 (near).
        reach: pixels that the camera moves a thing at 1 against one at 0, at most.
    """

    def __init__(self, colors: Floats, near: Floats, reach: float) -> None:
        self.colors = colors
        middle = np.float32(np.median(near))  # what stands still
        self.front = near - middle
        # No moved ramp is stretched by more than half, so that the four pixels of `moved` close it.
        self.back = background(near, 0.5 / reach) - middle
        # What near things cover is filled from far away of them, and from what is far. Their rims have mixed colours.
        covered = spread(near - background(near, 0.1 / reach), np.maximum, 2) > 0.02
        self.behind = filled(colors, np.where(covered, 0, np.exp(-12 * near)))

    def frame(self, shift: Shift) -> Floats:
        """The picture [H, W, 3] of a camera that has moved; its edge, as wide as the shift, means nothing."""
        front, back = moved(self.front, shift), np.nan_to_num(moved(self.back, shift))
        gaps = np.isnan(front)
        seen = taken(self.colors, np.where(gaps, 0, front), shift)
        return np.where(gaps[..., np.newaxis], taken(self.behind, back, shift), seen)


def main() -> None:
    parser = argparse.ArgumentParser(description="A parallax video of one photo.")
    parser.add_argument("photo", help="a JPEG, PNG or WebP file")
    parser.add_argument("output", help="a name that ends in .mp4 or .mkv")
    parser.add_argument("--shift", type=float, default=2.5, metavar="PERCENT",
                        help="how far the nearest and the farthest move apart to each side, in percent of the width "
                             "(%(default)s); above 5, much of what is seen is a guess")  # fmt: skip
    parser.add_argument("--seconds", type=float, default=3, help="of the round (%(default)s)")
    parser.add_argument("--side", type=int, default=800, help="longest side of the video in pixels (%(default)s)")
    parser.add_argument("--url", default="localhost:8001", help="or http://localhost:8000 (default: %(default)s)")
    arguments = parser.parse_args()
    if not (0 < arguments.shift <= 10 and 0 < arguments.seconds <= 60 and 64 <= arguments.side <= 2000):
        parser.error("allowed: --shift up to 10, --seconds up to 60, --side from 64 to 2000")

    photo = Image.fromarray(upright_rgb(arguments.photo))
    photo.thumbnail((arguments.side, arguments.side))
    with DepthClient(arguments.url) as client:
        near = nearness(client.predict(photo, filter="guided"))  # the filter moves edges to those of the photo

    reach = arguments.shift / 100 * photo.width
    layers = Layers(np.asarray(photo, np.float32), near, reach)
    edge = int(np.ceil(reach)) + 1  # the moved camera sees beyond the photo there: it is cut off
    with VideoWriter(arguments.output, fps=25) as film:
        for angle in np.linspace(0, 2 * np.pi, max(2, round(25 * arguments.seconds)), endpoint=False):
            shift = (reach * float(np.cos(angle)), 0.4 * reach * float(np.sin(angle)))
            frame = layers.frame(shift)
            film.write(np.rint(frame[edge:-edge, edge:-edge]).clip(0, 255).astype(np.uint8))
    print(f"{arguments.output}: {film.frame_count} frames; the nearest moves {reach:.0f} pixels against the farthest")


if __name__ == "__main__":
    try:
        main()
    except (MidasClientError, OSError) as error:
        sys.exit(f"parallax: {error}")
    except KeyboardInterrupt:
        sys.exit("parallax: interrupted; no video was written")
