"""One photo: its depth as numbers, as a file and as a picture.

Run it against a server that was started with `make serve`:

    python examples/one_photo.py photo.jpg

It prints where the nearest point is, and writes two files to the current folder: photo_depth.npy (float32 [H, W],
larger is nearer; of a metric network metres) and photo_depth.jpg (the photo beside its depth; bright is near).
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from midas_client import DepthClient, MidasClientError, upright_rgb


def main() -> None:
    parser = argparse.ArgumentParser(description="Depth of one photo, as numbers and as a picture.")
    parser.add_argument("photo", type=Path, help="a JPEG, PNG or WebP file")
    parser.add_argument("--url", default="localhost:8001", help="or http://localhost:8000 (default: %(default)s)")
    arguments = parser.parse_args()

    # The client keeps its connection: a program makes one at its start, and all of its threads share it.
    with DepthClient(arguments.url) as client:
        depth_map = client.predict(arguments.photo)

    depth = depth_map.depth  # float32 [H, W]; row 0 is the top
    # Larger is nearer, without a unit: compare pixels of one photo only. In metres, larger is farther.
    nearest = depth.argmin() if depth_map.unit == "metres" else depth.argmax()
    row, column = np.unravel_index(nearest, depth.shape)
    print(f"{arguments.photo}: {depth.shape[1]} x {depth.shape[0]}, nearest at x = {column}, y = {row}")

    depth_map.save(f"{arguments.photo.stem}_depth.npy")
    # The depth is that of the upright photo.
    side_by_side = np.hstack([upright_rgb(arguments.photo), depth_map.colorize("inferno")])
    Image.fromarray(side_by_side).save(f"{arguments.photo.stem}_depth.jpg", quality=90)


if __name__ == "__main__":
    try:
        main()
    except (MidasClientError, OSError) as error:  # each says what was wrong and what to do
        sys.exit(f"one_photo: {error}")
