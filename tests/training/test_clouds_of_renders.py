"""The point clouds of a render, from relative and from metric depth: near is near in both."""

from dataclasses import replace

import numpy as np
import pytest

from accuracy.predictors import inverse_depth
from midas_client import DepthMap
from training.scenes.dataset import render


@pytest.mark.long  # the renderer is compiled first, which takes longer than the whole test
def test_point_clouds_of_relative_and_metric_depth_agree() -> None:
    made = render(7, 3, 96, 64)
    metres = made.depth.clip(0, 80).astype(np.float32)  # the sky as far as such a network puts it
    as_relative = (3 * np.asarray(1 / metres) + 0.2).astype(np.float32)
    metric = DepthMap(
        *(metres, "m", "v", "official", (96, 64), (518, 518), {}, {"format": "float32"}), kind="metric_depth"
    )
    relative = replace(metric, depth=as_relative, kind="relative_inverse_depth")
    near_y, near_x = np.unravel_index(int(metres.argmin()), metres.shape)
    far_y, far_x = np.unravel_index(int(metres.argmax()), metres.shape)
    known = [(x, y, float(metres[y, x])) for x, y in ((int(near_x), int(near_y)), (int(far_x), int(far_y)))]
    fitted = relative.to_metric(known).point_cloud(fov=60)
    direct = metric.point_cloud(fov=60)
    assert fitted.unit == direct.unit == "metres"
    np.testing.assert_allclose(fitted.points, direct.points, rtol=1e-3, atol=1e-3)
    # and without known distances: the same order, near is near in both
    z = relative.point_cloud(fov=60).points[:, 2]
    order = np.argsort(direct.points[:, 2], kind="stable")
    assert (np.diff(z[order]) >= -1e-5).all()
    # what accuracy compares with the truth is nearness for both
    assert np.corrcoef(inverse_depth(metres, "metric_depth").ravel(), as_relative.ravel())[0, 1] > 0.999
