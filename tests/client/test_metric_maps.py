"""Maps of a metric network: metres, larger is farther. Nothing is inverted twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from midas_client import AnswerError, DepthMap, InferRequest, InferResponse, MetricFitError, OptionError
from midas_client._cli.video_target import VideoPictures
from midas_client._colormap import colour_table
from midas_client._depth_kind import Upsampling
from midas_client._depth_map import depth_map_from
from midas_client._smoothing import TemporalSmoother
from midas_server.imaging.geometry import resize_depth

MakeInfo = Callable[..., bytes]
METRES = np.linspace(1, 12, 48 * 64, dtype=np.float32).reshape(48, 64)[::-1].copy()  # near at the bottom


def map_of(depth: npt.NDArray[np.float32], photo_size: tuple[int, int] = (64, 48)) -> DepthMap:
    return DepthMap(
        *(depth, "m", "depth_anything_v2_metric_hypersim_vits", "official", photo_size, (518, 518), {}),
        {"format": "float32"},
        kind="metric_depth",
        max_depth=20.0,
        upsampling="bilinear_corners",
        licence="not stated",
    )


def test_fields_come_from_info(make_info: MakeInfo) -> None:
    def answer(**more: object) -> DepthMap:
        info = json.loads(make_info()) | more
        return depth_map_from(
            InferRequest("m", b"photo", {}, "id"), InferResponse(METRES[:3, :4], b"", json.dumps(info).encode())
        )

    before = answer()  # a server of an earlier version says nothing of all this
    assert (before.kind, before.unit, before.max_depth, before.upsampling, before.licence) == (
        *("relative_inverse_depth", "relative", None, "bicubic"),
        None,
    )
    metric = answer(
        kind="metric_depth", unit="metres", max_depth=80, upsampling="bilinear_corners", licence="Apache-2.0"
    )
    assert (metric.kind, metric.unit, metric.max_depth, metric.upsampling, metric.licence) == (
        *("metric_depth", "metres", 80.0, "bilinear_corners"),
        "Apache-2.0",
    )
    with pytest.raises(AnswerError, match="'nearness' is none of relative_inverse_depth, metric_depth"):
        answer(kind="nearness")


def test_near_is_bright() -> None:
    table = colour_table("gray")
    grey = map_of(METRES).colorize("gray")
    assert np.array_equal(grey[-1, 0], table[255])
    assert np.array_equal(grey[0, -1], table[0])
    with_holes = METRES.copy()
    with_holes[0, 0], with_holes[0, 1] = np.nan, np.inf
    assert not map_of(with_holes).colorize("gray")[0, :2].any()


@pytest.mark.parametrize("upsampling", ["bilinear", "bilinear_corners"])
@pytest.mark.parametrize("size", [(64, 48), (65, 100), (531, 371)])
def test_larger_as_the_server_does_it(upsampling: Upsampling, size: tuple[int, int]) -> None:
    resized = replace(map_of(METRES), upsampling=upsampling).resize(size)
    np.testing.assert_allclose(resized.depth, resize_depth(METRES, size, upsampling), rtol=2e-6)
    assert resized.unit == "metres"


def test_to_metric_is_the_map_itself() -> None:
    metric = map_of(METRES).to_metric()
    assert np.array_equal(metric.depth, METRES)
    assert (metric.scale, metric.shift, metric.residual, metric.residuals.size) == (1.0, 0.0, 0.0, 0)
    assert map_of(METRES).to_metric(max_metres=5).depth.max() == 5


def test_to_metric_takes_one_factor_from_known_points() -> None:
    known = [(x, y, 1.25 * float(METRES[y, x])) for x, y in ((3, 40), (30, 20), (60, 2))]
    for points in (known, known[:1]):
        metric = map_of(METRES).to_metric(points)
        assert metric.scale == pytest.approx(1.25, rel=1e-6)
        assert metric.residual < 1e-5
        np.testing.assert_allclose(metric.depth, 1.25 * METRES, rtol=1e-6)
    with pytest.raises(MetricFitError, match="No known point was given"):
        map_of(METRES).to_metric([])
    with pytest.raises(MetricFitError, match=r"The depth at \(0, 0\) is 0"):
        map_of(np.zeros_like(METRES)).to_metric([(0, 0, 1.0)])


def test_relative_depth_still_needs_two_points() -> None:
    with pytest.raises(MetricFitError, match="No known points cannot give scale and shift"):
        replace(map_of(METRES), kind="relative_inverse_depth").to_metric()


def test_points_are_in_metres() -> None:
    cloud = map_of(METRES).point_cloud(fov=60)
    assert cloud.unit == "metres"
    np.testing.assert_allclose(cloud.points[:, 2].reshape(METRES.shape), METRES)
    with pytest.raises(OptionError, match="far is 10, and this depth is in metres already"):
        map_of(METRES).point_cloud(fov=60, far=10)


def test_a_video_of_metres_loses_its_flicker_and_stays_in_metres() -> None:
    rng = np.random.default_rng(0)
    frame = np.full((48, 64, 3), 128, np.uint8)
    smoother = TemporalSmoother(0.9)
    noisy, smooth = [], []
    for _ in range(40):
        breath = np.float32(rng.normal(1, 0.02))
        noisy.append((METRES * breath * rng.normal(1, 0.01, METRES.shape)).astype(np.float32))
        smooth.append(smoother.smooth(frame, noisy[-1], metric=True))
    assert np.array_equal(smooth[0], noisy[0])  # the first map comes as it is
    before, after = (np.abs(np.diff(np.log(maps[10:]), axis=0)).mean() for maps in (noisy, smooth))
    assert after < before / 4
    np.testing.assert_allclose(np.mean(smooth[20:], axis=0), METRES, rtol=0.04)
    assert smooth[-1].dtype == np.float32
    assert not smooth[-1].flags.writeable


def test_colours_of_a_video_have_the_near_bright() -> None:
    frame = np.full((48, 64, 3), 128, np.uint8)
    coloured = VideoPictures("gray").picture(frame, map_of(METRES))
    assert coloured[-1].mean() > 200
    assert coloured[0].mean() < 50
    numbers = VideoPictures(None).picture(frame, map_of(METRES))
    assert numbers[0].mean() > numbers[-1].mean()  # 16 bits are the metres themselves
