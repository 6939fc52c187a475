"""`python -m accuracy.resizing`: what it costs that photos are resized as whole numbers.

The server resizes uint8 by OpenCV's cubic kernel: values are rounded, and cut at 0 and 255. The official code has
floating-point numbers before it resizes. Printed is ||depth - official|| / ||official|| of the network's output.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from export.graph.parity import relative_error
from export.networks import build
from export.precision.photos import JUDGING, samples
from export.variants import VARIANTS, Variant
from export.weights.checkpoints import find_local
from export.weights.load import load_checkpoint
from export.weights.untrained import fill_untrained
from midas_server.imaging.decode import decode
from midas_server.imaging.geometry import resize_photo
from midas_server.imaging.network_size import network_size
from midas_server.imaging.probe import probe

NETWORKS = ("midas_tiny_256", "depth_anything_v2_vits")


def network_of(row: Variant) -> tuple[torch.nn.Module, str]:
    """The network with the checkpoint that is on this machine, if any; and "trained" or "untrained"."""
    network = build(row.name).eval()
    checkpoint = find_local(row)
    if checkpoint is None:
        fill_untrained(network, row.untrained_gain, row.untrained_last)
        return network, "untrained"
    load_checkpoint(network, row, checkpoint.path)
    return network, "trained"


def depth_of(network: torch.nn.Module, row: Variant, photo: NDArray[np.float64]) -> NDArray[np.float32]:
    """(H, W, 3), RGB in 0..1 -> (1, H, W)."""
    normalised = ((photo - row.mean) / row.std).transpose(2, 0, 1)[np.newaxis]
    with torch.inference_mode():
        depth: NDArray[np.float32] = network(torch.from_numpy(normalised.astype(np.float32))).numpy()
    return depth


def main() -> None:
    """Print, for each network and photo, how far whole numbers take the depth from the official one's."""
    for name in NETWORKS:
        row = VARIANTS[name]
        network, weights = network_of(row)
        for file in JUDGING:
            data = samples()[file].read_bytes()
            pixels = decode(data, probe(data))
            height, width = pixels.shape[:2]
            size = network_size(width, height, row.resolution, row.default_rule, row.multiple)
            ours = depth_of(network, row, resize_photo(pixels, size) / 255)
            floating = np.asarray(cv2.resize(pixels / 255, size, interpolation=cv2.INTER_CUBIC), np.float64)
            official = depth_of(network, row, floating)
            print(f"{name}, {weights}, {file}, {size[0]}x{size[1]}: {relative_error(ours, official):.1e}")


if __name__ == "__main__":
    main()
