"""Metres and a point cloud, from one photo and a few known distances in it, or from a metric network.

Run it against a server that was started with `make serve`; x and y are pixels from the left and the top:

    python examples/metres.py photo.jpg --known 300,370,0.25 --known 560,60,0.45 --known 30,30,0.70 --fov 60

A network that gives metres, such as depth_anything_v2_metric_hypersim_vits, needs no --known; one known distance
corrects all of its depth by one factor.

It prints how well the distances fit, and writes two files to the current folder: photo_millimetres.png (16-bit grey,
each value a distance in millimetres) and photo.ply (points in metres in the photo's colours, for MeshLab or Open3D).
"""

import argparse
import sys
from pathlib import Path

from midas_client import DepthClient, MidasClientError, upright_rgb


def known_point(text: str) -> tuple[float, float, float]:
    """(x, y, metres) of "300,370,0.25"."""
    try:
        x, y, metres = map(float, text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not X,Y,METRES, such as 300,370,0.25") from None
    return x, y, metres


def main() -> None:
    parser = argparse.ArgumentParser(description="Metres and a point cloud from a photo and known distances.")
    parser.add_argument("photo", type=Path, help="a JPEG, PNG or WebP file")
    parser.add_argument("--known", type=known_point, action="append", default=[], metavar="X,Y,METRES",
                        help="a pixel and its distance from the camera; two at least, near and far ones, "
                             "and none is needed where the network gives metres")  # fmt: skip
    parser.add_argument("--fov", type=float, default=60, help="degrees across the photo's width (%(default)s)")
    parser.add_argument("--url", default="localhost:8001", help="or http://localhost:8000 (default: %(default)s)")
    arguments = parser.parse_args()

    with DepthClient(arguments.url) as client:
        depth_map = client.predict(arguments.photo)

    # Relative depth has an unknown scale and shift in each photo; the known distances give both. More points give
    # better ones. Depth of a metric network is in metres already.
    metric = depth_map.to_metric(arguments.known or None)
    for (x, y, metres), error in zip(arguments.known, metric.residuals, strict=True):
        print(f"({x:g}, {y:g}) is {metres:g} m away, and {metres + error:.2f} m by the fit")
    metric.save(f"{arguments.photo.stem}_millimetres.png")

    colors = upright_rgb(arguments.photo)  # the depth is that of the upright photo
    # edge leaves out the stray points between near and far; max_metres the sky.
    cloud = metric.point_cloud(fov=arguments.fov, colors=colors, edge=0.02, max_metres=100)
    cloud.save(f"{arguments.photo.stem}.ply")
    fit = f"; typical error {metric.residual:.3f} m at the known points" if arguments.known else ""
    print(f"{len(cloud)} points in {cloud.unit}{fit}")


if __name__ == "__main__":
    try:
        main()
    except (MidasClientError, OSError) as error:
        sys.exit(f"metres: {error}")
