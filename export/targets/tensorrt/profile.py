"""The range of input shapes that a plan takes, from a network's row of the table.

TensorRT's optimisation profile is a box: a smallest, a best and a largest value for each dimension. The row bounds an
area instead. So both sides end at sqrt(max_area), rounded down to the row's grid, which takes the largest square; or
at the longer side of a 16:9 photo at the default resolution, where that is longer (dpt_beit_large_512): TensorRT then
reserves memory for a square of that side, although no request within the row's area comes near it. Longer photos that
the ONNX graph takes within the same area are outside the box; preprocess knows the largest side and refuses them before
they reach TensorRT.
"""

import math
from dataclasses import dataclass

from export.targets.common_sizes import FOUR_TO_THREE, common_sizes, default_size
from export.variants.row import ServedNetwork

Shape = tuple[int, int, int]  # batch, height, width


@dataclass(frozen=True)
class Profile:
    """The input shapes that a plan takes, each (batch, height, width).

    Attributes:
        minimum: the least.
        optimum: the one that kernels are chosen for.
        maximum: the largest.
    """

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
    height, width = default_size(network, FOUR_TO_THREE)
    return Profile(
        (1, network.multiple, network.multiple),
        (1, min(height, largest), min(width, largest)),
        (network.max_batch_size, largest, largest),
    )


def largest_side(network: ServedNetwork) -> int:
    """Return the largest height and width in pixels that the plan of `network` takes."""
    if network.fixed_size:
        return network.resolution
    square = math.isqrt(network.max_area) // network.multiple * network.multiple
    largest = max(square, *(max(size) for size in common_sizes(network)))
    return min(largest, network.max_side or largest)
