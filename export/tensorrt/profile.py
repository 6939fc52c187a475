"""The range of input shapes that a plan takes, from a network's row of the table.

TensorRT's optimisation profile is a box: a smallest, a best and a largest value for each dimension. The row bounds an
area instead. So both sides end at sqrt(max_area), rounded down to a multiple of 32, which takes the largest square; or
at the longer side of a 16:9 photo at the default resolution, where that is longer (dpt_beit_large_512): TensorRT then
reserves memory for a square of that side, although no request within the row's area comes near it. Longer photos that
the ONNX graph takes within the same area are outside the box; preprocess knows the largest side and refuses them before
they reach TensorRT.
"""

import math
from dataclasses import dataclass

from export.variants import ServedNetwork

MULTIPLE = 32
PHOTO_RATIOS = (1.0, 4 / 3, 3 / 2, 16 / 9)  # what cameras and phones take, landscape and portrait

Shape = tuple[int, int, int]  # batch, height, width


@dataclass(frozen=True)
class Profile:
    """The least, the best and the largest (batch, height, width). Kernels are chosen for the best."""

    minimum: Shape
    optimum: Shape
    maximum: Shape


def profile_of(network: ServedNetwork) -> Profile:
    """Return the profile of `network`.

    The optimum is one 4:3 photo at the default resolution: who waits for a single depth map is served best, and a
    larger batch runs with the same kernels. A network of one size varies in its batch alone.
    """
    if network.fixed_size:
        side = network.resolution
        return Profile((1, side, side), (1, side, side), (network.max_batch_size, side, side))
    largest = largest_side(network)
    height, width = _default_size(network, 4 / 3)
    return Profile(
        (1, MULTIPLE, MULTIPLE),
        (1, min(height, largest), min(width, largest)),
        (network.max_batch_size, largest, largest),
    )


def largest_side(network: ServedNetwork) -> int:
    """Return the largest height and width in pixels that the plan of `network` takes."""
    if network.fixed_size:
        return network.resolution
    square = math.isqrt(network.max_area) // MULTIPLE * MULTIPLE
    return max(square, *(max(size) for size in common_sizes(network)))


def common_sizes(network: ServedNetwork) -> list[tuple[int, int]]:
    """Return the (height, width) to which the default options bring photos of common shapes, each once."""
    if not network.any_aspect:
        return [(network.resolution, network.resolution)]
    sizes = [size for r in PHOTO_RATIOS for size in (_default_size(network, r), _default_size(network, 1 / r))]
    return [(height, width) for height, width in dict.fromkeys(sizes) if height * width <= network.max_area]


def _default_size(network: ServedNetwork, ratio: float) -> tuple[int, int]:
    """(height, width) of a photo larger than the network, whose width is `ratio` times its height."""
    side = network.resolution
    if network.resize == "square":
        return side, side
    if (network.resize == "minimal") == (ratio >= 1):
        return side, _multiple(side * ratio)  # minimal: the shorter side becomes `side`; upper_bound: the longer one
    return _multiple(side / ratio), side


def _multiple(length: float) -> int:
    return max(round(length / MULTIPLE), 1) * MULTIPLE
