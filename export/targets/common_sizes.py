"""The network sizes that photos of common shapes get: what targets are warmed up with and made fast for."""

import math

from export.variants.row import ServedNetwork
from midas_server.imaging.network_size import network_size

FOUR_TO_THREE = (16000, 12000)
PHOTOS = ((12000, 12000), FOUR_TO_THREE, (18000, 12000), (16000, 9000))
"""(width, height) of what cameras and phones take; each is upright too. Larger than any network's input."""


def common_sizes(network: ServedNetwork) -> list[tuple[int, int]]:
    """Return the (height, width) to which the default options bring photos of common shapes, each once."""
    sizes = [default_size(network, size) for photo in PHOTOS for size in (photo, photo[::-1])]
    longest = network.max_side or network.max_area
    return [size for size in dict.fromkeys(sizes) if math.prod(size) <= network.max_area and max(size) <= longest]


def default_size(network: ServedNetwork, photo: tuple[int, int]) -> tuple[int, int]:
    """The (height, width) to which the default options bring a photo of (width, height)."""
    width, height = network_size(*photo, network.resolution, network.default_rule, network.multiple)
    return height, width
