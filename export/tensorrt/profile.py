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

from export.variants import ServedNetwork
from midas_server.imaging.network_size import network_size

PHOTOS = ((12000, 12000), (16000, 12000), (18000, 12000), (16000, 9000))
"""(width, height) of what cameras and phones take; each is upright too. Larger than any network's input."""

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
    height, width = _default_size(network, PHOTOS[1])
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


def common_sizes(network: ServedNetwork) -> list[tuple[int, int]]:
    """Return the (height, width) to which the default options bring photos of common shapes, each once."""
    sizes = [_default_size(network, size) for photo in PHOTOS for size in (photo, photo[::-1])]
    longest = network.max_side or network.max_area
    return [size for size in dict.fromkeys(sizes) if math.prod(size) <= network.max_area and max(size) <= longest]


def _default_size(network: ServedNetwork, photo: tuple[int, int]) -> tuple[int, int]:
    """The (height, width) to which the default options bring a photo of (width, height)."""
    width, height = network_size(*photo, network.resolution, network.default_rule, network.multiple)
    return height, width
