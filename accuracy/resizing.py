"""`python -m accuracy.resizing`: what it costs that photos are resized as whole numbers.

The server resizes uint8 by OpenCV's cubic kernel: values are rounded, and cut at 0 and 255. The official code has
floating-point numbers before it resizes. Printed is ||depth - official|| / ||official|| of the network's output.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from export.commands.progress import silent
from export.commands.variant import with_weights
from export.graph.parity import relative_error
from export.graph.trace import FromPixels
from export.precision.photos import JUDGING, samples
from export.variants import VARIANTS
from export.weights.checkpoints import find_local
from midas_server.imaging.decode import decode
from midas_server.imaging.geometry import resize_photo
from midas_server.imaging.network_size import network_size
from midas_server.imaging.probe import probe

NETWORKS = ("midas_tiny_256", "depth_anything_v2_vits")


def depth_of(network: FromPixels, photo: NDArray[np.uint8] | NDArray[np.float64]) -> NDArray[np.float32]:
    """(H, W, 3), RGB in 0..255 -> (1, H, W)."""
    with torch.inference_mode():
        depth: NDArray[np.float32] = network(torch.from_numpy(photo[np.newaxis])).numpy()
    return depth


def main() -> None:
    """Print, for each network and photo, how far whole numbers take the depth from the official one's."""
    for name in NETWORKS:
        row = VARIANTS[name]
        checkpoint = find_local(row)
        network = with_weights(row, checkpoint, silent)
        for file in JUDGING:
            data = samples()[file].read_bytes()
            pixels = decode(data, probe(data))
            height, width = pixels.shape[:2]
            size = network_size(width, height, row.resolution, row.default_rule, row.multiple)
            ours = depth_of(network, resize_photo(pixels, size))
            floating = np.asarray(
                cv2.resize(pixels.astype(np.float64), size, interpolation=cv2.INTER_CUBIC), np.float64
            )
            official = depth_of(network, floating)
            weights = "trained" if checkpoint else "untrained"
            print(f"{name}, {weights}, {file}, {size[0]}x{size[1]}: {relative_error(ours, official):.1e}")


if __name__ == "__main__":
    main()
