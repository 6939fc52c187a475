"""A trained network, served, gives the depth that it is known to give on photos with ground truth."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from midas_client import DepthClient
from midas_server.launch import Triton
from tests.midas_protocol import Map, delta_1_and_abs_rel
from tests.networks import FOREIGN, FOREIGN_ONNX, SHARED

SCENES = SHARED / "scenes"

# delta-1 and AbsRel of this network with short side 256, mean over the four photos, measured without any server
EXPECTED = (0.638, 0.217)


def read(name: str) -> Map:
    return np.asarray(Image.open(SCENES / name), np.float64)


def metres(name: str, unit: float) -> tuple[Path, Map, float]:
    depth = read(f"{name}_depth.png") / unit
    photo = next(SCENES.glob(f"{name}_rgb.*"))
    return photo, np.divide(1, depth, out=np.zeros_like(depth), where=depth > 0), 80.0


def truths() -> list[tuple[Path, Map, float]]:
    """Photo, true inverse depth (0 where there is none), and largest depth, of the four photos."""
    return [
        metres("tum_desk", 5000),
        metres("sun_basement", 1000),
        # a disparity stands for inverse depth
        (SCENES / "motorcycle_rgb.png", read("motorcycle_disparity.png") / 256, np.inf),
        (SCENES / "aloe_rgb.jpg", read("aloe_disparity.png"), np.inf),
    ]


@pytest.mark.skipif(not FOREIGN_ONNX.is_file(), reason="needs the photos and the network of ../shared")
def test_the_served_depth_is_as_accurate_as_the_network(triton: Triton) -> None:
    with DepthClient(triton.grpc_url) as client:
        figures = [
            delta_1_and_abs_rel(client.predict(photo, model=FOREIGN).depth.astype(np.float64), truth, truth > 0, cap)
            for photo, truth, cap in truths()
        ]
    assert np.mean(figures, axis=0) == pytest.approx(EXPECTED, abs=0.02)
