"""A trained network, served, gives the depth that it is known to give on photos with ground truth."""

from functools import partial
from pathlib import Path

import pytest

from accuracy.evaluate import evaluate
from accuracy.predictors import served_at
from accuracy.samples import read_samples
from accuracy.subjects import Subject
from midas_server.launch import Triton
from tests.networks import FOREIGN, FOREIGN_ONNX, SHARED

# Of this network with short side 256, mean over the four photos, measured without any server.
DELTA_1, ABS_REL, SPEARMAN = 0.638, 0.217, 0.690


@pytest.mark.skipif(not FOREIGN_ONNX.is_file(), reason="needs the photos and the network of ../shared")
def test_the_served_depth_is_as_accurate_as_the_network(triton: Triton, tmp_path: Path) -> None:
    scenes = SHARED / "scenes"
    (tmp_path / "pairs.csv").write_text(
        "photo,truth,kind,scale\n"
        f"{scenes}/tum_desk_rgb.png,{scenes}/tum_desk_depth.png,depth,{1 / 5000}\n"
        f"{scenes}/sun_basement_rgb.jpg,{scenes}/sun_basement_depth.png,depth,0.001\n"
        f"{scenes}/motorcycle_rgb.png,{scenes}/motorcycle_disparity.png,disparity,{1 / 256}\n"
        f"{scenes}/aloe_rgb.jpg,{scenes}/aloe_disparity.png,disparity,\n"
    )
    served = Subject(FOREIGN, partial(served_at, triton.grpc_url, FOREIGN))
    figures = evaluate(served, read_samples([tmp_path])).mean
    assert figures.delta_1 == pytest.approx(DELTA_1, abs=0.005)
    assert figures.abs_rel == pytest.approx(ABS_REL, abs=0.005)
    assert figures.spearman == pytest.approx(SPEARMAN, abs=0.005)
