"""Points in space: shapes that are known, and the file."""

from __future__ import annotations

import math
import struct
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from midas_client import DepthMap, Intrinsics, MetricDepth, OptionError, PointCloud

WIDTH, HEIGHT = 64, 48
CAMERA = Intrinsics(fx=80.0, fy=90.0, cx=30.0, cy=20.0)


def metric(metres: npt.NDArray[Any], photo_size: tuple[int, int] = (WIDTH, HEIGHT)) -> MetricDepth:
    return MetricDepth(metres.astype(np.float32), 1.0, 0.0, 0.0, np.zeros(2), photo_size)


def relative(depth: npt.NDArray[np.float32], photo_size: tuple[int, int] = (WIDTH, HEIGHT)) -> DepthMap:
    return DepthMap(depth, "m", "v", "default", photo_size, (32, 32), {}, {"format": "float32"})


def seen(points: npt.NDArray[np.float32], camera: Intrinsics) -> npt.NDArray[np.float64]:
    """Where a camera sees the points, [N, 2], in pixels."""
    x, y, z = points.astype(np.float64).T
    return np.stack([camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy], axis=1)


def test_a_wall() -> None:
    cloud = metric(np.full((HEIGHT, WIDTH), 2.0)).point_cloud(intrinsics=CAMERA)
    assert cloud.points.dtype == np.float32
    assert cloud.points.shape == (len(cloud), 3) == (WIDTH * HEIGHT, 3)
    assert (cloud.points[:, 2] == 2).all()
    # The top left pixel is left of and above the axis, so x and y are below 0.
    np.testing.assert_allclose(cloud.points[0], [-30 / 80 * 2, -20 / 90 * 2, 2])
    np.testing.assert_allclose(cloud.points[-1], [33 / 80 * 2, 27 / 90 * 2, 2], rtol=1e-6)
    assert (cloud.unit, cloud.colors) == ("metres", None)
    with pytest.raises(ValueError, match="read-only"):
        cloud.points[0] = 0


def test_a_floor_is_flat_and_below() -> None:
    """A floor 1.5 m below the camera: y = 1.5 wherever it is seen, and nothing above the horizon."""
    below = np.arange(HEIGHT)[:, None] - CAMERA.cy
    with np.errstate(divide="ignore"):
        z = np.where(below > 0, 1.5 * CAMERA.fy / below, np.inf) * np.ones(WIDTH)
    cloud = metric(z).point_cloud(intrinsics=CAMERA)
    assert len(cloud) == (HEIGHT - 21) * WIDTH
    np.testing.assert_allclose(cloud.points[:, 1], 1.5, rtol=1e-5)
    near = cloud.points[-WIDTH:]
    assert near[0, 0] < 0 < near[-1, 0]
    assert near[0, 2] < cloud.points[0, 2]


def test_a_slanted_wall_is_a_plane() -> None:
    """z = 3 + x / 2: what is to the right is farther."""
    ray = (np.arange(WIDTH) - CAMERA.cx) / CAMERA.fx
    cloud = metric(3 / (1 - ray / 2) * np.ones((HEIGHT, 1))).point_cloud(intrinsics=CAMERA)
    np.testing.assert_allclose(cloud.points[:, 2], 3 + cloud.points[:, 0] / 2, rtol=1e-5)


def test_each_point_is_seen_where_it_came_from() -> None:
    z = np.random.default_rng(0).random((HEIGHT, WIDTH)) + 1
    pixels = seen(metric(z).point_cloud(intrinsics=CAMERA).points, CAMERA)
    y, x = np.indices(z.shape)
    np.testing.assert_allclose(pixels, np.stack([x.ravel(), y.ravel()], axis=1), atol=1e-4)


def test_the_camera_is_described_in_the_photos_pixels() -> None:
    """A map of a quarter of the size spans the same space, and its points are seen at the centres of its pixels."""
    cloud = metric(np.full((HEIGHT // 4, WIDTH // 4), 2.0)).point_cloud(intrinsics=CAMERA)
    pixels = seen(cloud.points, CAMERA)
    np.testing.assert_allclose(pixels[0], [1.5, 1.5], atol=1e-4)
    np.testing.assert_allclose(pixels[-1], [WIDTH - 2.5, HEIGHT - 2.5], atol=1e-4)


def test_field_of_view() -> None:
    """At 90 degrees, the photo's left and right border are as far from the axis as they are away."""
    camera = Intrinsics.from_fov(90, (WIDTH, HEIGHT))
    assert astuple(camera) == pytest.approx((32, 32, 31.5, 23.5))
    points = metric(np.full((HEIGHT, WIDTH), 4.0)).point_cloud(fov=90).points
    half_a_pixel = 4 / 32 / 2
    np.testing.assert_allclose(points[:, :2].min(axis=0), [-4 + half_a_pixel, -3 + half_a_pixel], rtol=1e-6)
    np.testing.assert_allclose(points[:, :2].max(axis=0), [4 - half_a_pixel, 3 - half_a_pixel], rtol=1e-6)


@pytest.mark.parametrize("fov", [0, 180, -5, math.nan, math.inf, True, "60"])
def test_fields_of_view_that_are_none(fov: float) -> None:
    with pytest.raises(OptionError, match=r"fov is .*above 0 and below 180"):
        metric(np.ones((2, 2))).point_cloud(fov=fov)


@pytest.mark.parametrize(
    "change", [{"fx": 0}, {"fy": -1}, {"fx": math.inf}, {"cx": math.nan}, {"cy": "1"}, {"fx": True}]
)
def test_cameras_that_are_none(change: dict[str, float]) -> None:
    with pytest.raises(OptionError, match=f"{next(iter(change))} is .*number of pixels"):
        Intrinsics(**{"fx": 80.0, "fy": 90.0, "cx": 30.0, "cy": 20.0, **change})


def test_one_camera_is_needed() -> None:
    for cloud_of in (metric(np.ones((2, 2))).point_cloud, relative(np.eye(2, dtype=np.float32)).point_cloud):
        with pytest.raises(OptionError, match=r"Neither fov nor intrinsics given. Give one"):
            cloud_of()
        with pytest.raises(OptionError, match=r"Both fov and intrinsics given. Give one"):
            cloud_of(fov=60, intrinsics=CAMERA)
        with pytest.raises(OptionError, match=r"intrinsics is \(1, 2, 3, 4\)"):
            cloud_of(intrinsics=(1, 2, 3, 4))  # type: ignore[arg-type]


def test_relative_depth_runs_from_one_to_far() -> None:
    depth = np.array([[10, 20, 40, 50]], np.float32)
    cloud = relative(depth, (4, 1)).point_cloud(fov=60, far=5)
    assert cloud.unit == "relative"
    # 1 / z is linear in the depth: 0.2 at 10, 1 at 50.
    np.testing.assert_allclose(1 / cloud.points[:, 2], [0.2, 0.4, 0.8, 1.0], rtol=1e-6)
    default = relative(depth, (4, 1)).point_cloud(fov=60).points[:, 2]
    np.testing.assert_allclose([default.max(), default.min()], [10, 1], rtol=1e-6)


def test_relative_depth_that_is_flat_or_not_finite() -> None:
    flat = relative(np.full((3, 4), 1e4, np.float32)).point_cloud(fov=60)
    assert (flat.points[:, 2] == 1).all()
    broken = relative(np.array([[1, np.nan, 2, np.inf, -np.inf]], np.float32)).point_cloud(fov=60)
    np.testing.assert_allclose(broken.points[:, 2], [10, 1], rtol=1e-6)
    assert len(relative(np.full((3, 4), np.nan, np.float32)).point_cloud(fov=60)) == 0


@pytest.mark.parametrize("far", [1, 0.5, math.inf, math.nan, "9", True])
def test_values_of_far_that_are_none(far: float) -> None:
    with pytest.raises(OptionError, match=r"far is .*above 1"):
        relative(np.eye(3, dtype=np.float32)).point_cloud(fov=60, far=far)


def test_what_has_no_distance_has_no_point() -> None:
    z = np.array([[1, np.inf, 2, np.nan, 0, -1, 9]])
    assert metric(z).point_cloud(fov=60).points[:, 2].tolist() == [1, 2, 9]
    assert metric(z).point_cloud(fov=60, max_metres=2).points[:, 2].tolist() == [1, 2]


def test_colours_go_with_their_points() -> None:
    y, x = np.indices((HEIGHT, WIDTH))
    photo = np.stack([x, y, x + y], axis=2).astype(np.uint8)
    z = np.where((x + y) % 3, 2.0, np.inf)
    cloud = metric(z).point_cloud(intrinsics=CAMERA, colors=photo, stride=2, max_points=100)
    assert cloud.colors is not None
    assert cloud.colors.dtype == np.uint8
    assert cloud.colors.shape == (100, 3)
    np.testing.assert_allclose(seen(cloud.points, CAMERA), cloud.colors[:, :2], atol=1e-4)
    with pytest.raises(ValueError, match="read-only"):
        cloud.colors[0] = 0
    photo[0, 0] = 9  # the caller's own array can still be written to


@pytest.mark.parametrize("factor", [1 / 8, 1 / 2, 3])
def test_a_photo_of_another_size_is_resized(factor: float) -> None:
    left = np.zeros((int(HEIGHT * factor), int(WIDTH * factor), 3), np.uint8)
    left[:, : left.shape[1] // 2] = (250, 100, 5)
    cloud = metric(np.full((HEIGHT, WIDTH), 2.0)).point_cloud(fov=60, colors=left)
    assert cloud.colors is not None
    colours = cloud.colors.reshape(HEIGHT, WIDTH, 3)
    assert (colours[:, : WIDTH // 4] == (250, 100, 5)).all()
    assert (colours[:, -WIDTH // 4 :] == 0).all()


@pytest.mark.parametrize(
    ("colors", "reason"),
    [
        (np.zeros((48, 64, 3), np.float32), "colors is an array of float32"),
        (np.zeros((48, 64), np.uint8), r"colors has shape \[48, 64\]"),
        (np.zeros((48, 64, 4), np.uint8), r"colors has shape \[48, 64, 4\]"),
        (np.zeros((0, 64, 3), np.uint8), "colors has shape"),
        (np.zeros((64, 48, 3), np.uint8), "colors is 48 x 64, but upright the photo is 64 x 48.*upright_rgb"),
        ("photo.jpg", "colors is a str"),
    ],
)
def test_colours_that_are_none(colors: npt.NDArray[np.uint8], reason: str) -> None:
    with pytest.raises(OptionError, match=reason):
        metric(np.ones((HEIGHT, WIDTH))).point_cloud(fov=60, colors=colors)


def test_thinned_out() -> None:
    z = 1 + np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
    whole = metric(z)
    thinned = whole.point_cloud(intrinsics=CAMERA, stride=3)
    np.testing.assert_array_equal(thinned.points[:, 2], z[::3, ::3].ravel())
    np.testing.assert_allclose(seen(thinned.points, CAMERA)[1], [3, 0], atol=1e-4)
    drawn = whole.point_cloud(fov=60, max_points=50)
    assert len(np.unique(drawn.points[:, 2])) == 50
    assert (np.diff(drawn.points[:, 2]) > 0).all()
    np.testing.assert_array_equal(drawn.points, whole.point_cloud(fov=60, max_points=50).points)
    assert len(whole.point_cloud(fov=60, max_points=10**6)) == z.size


@pytest.mark.parametrize("name", ["stride", "max_points"])
@pytest.mark.parametrize("value", [0, -1, 2.0, True, "2"])
def test_counts_that_are_none(name: str, value: int) -> None:
    with pytest.raises(OptionError, match=f"{name} is .*whole numbers from 1"):
        metric(np.ones((2, 2))).point_cloud(fov=60, **{name: value})  # type: ignore[arg-type]


def test_flying_pixels_are_left_out() -> None:
    """A box at 2 m before a wall at 5 m, with a pixel in between at each edge, and a gap that is infinitely far."""
    row = np.array([5, 5, 5, 3.5, 2, 2, 2, 2, 3.5, 5, 5, 5, np.inf, 5, 5])
    z = np.tile(row, (3, 1))
    kept = metric(z).point_cloud(fov=60, edge=0.1).points[:, 2]
    assert kept.tolist() == [5, 5, 2, 2, 5, 5] * 3
    slope = np.tile(np.linspace(2, 3, 15), (3, 1))
    assert len(metric(slope).point_cloud(fov=60, edge=0.1)) == slope.size


@pytest.mark.parametrize("edge", [0, -1, math.nan, True, "0.1"])
def test_edges_that_are_none(edge: float) -> None:
    with pytest.raises(OptionError, match=r"edge is .*above 0"):
        metric(np.ones((2, 2))).point_cloud(fov=60, edge=edge)


def read_ply(path: Path) -> tuple[list[str], list[tuple[float, ...]]]:
    """Header lines and vertices, by the format's description alone."""
    header, _, body = path.read_bytes().partition(b"end_header\n")
    lines = header.decode("ascii").splitlines()
    layout = "<" + "".join(
        {"float": "f", "uchar": "B"}[line.split()[1]] for line in lines if line.startswith("property")
    )
    return lines, list(struct.iter_unpack(layout, body))


@pytest.mark.parametrize("coloured", [False, True])
def test_ply(tmp_path: Path, coloured: bool) -> None:
    z = np.random.default_rng(0).random((HEIGHT, WIDTH)) + 1
    photo = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8) if coloured else None
    cloud = metric(z).point_cloud(fov=60, colors=photo, stride=5)
    cloud.save(tmp_path / "cloud.PLY")
    lines, vertices = read_ply(tmp_path / "cloud.PLY")
    assert lines[:4] == [
        "ply",
        "format binary_little_endian 1.0",
        "comment x right, y down, z forward; metres",
        f"element vertex {len(cloud)}",
    ]
    assert [line.split()[2] for line in lines[4:]] == ["x", "y", "z", *(("red", "green", "blue") if coloured else ())]
    values = np.array(vertices)
    np.testing.assert_array_equal(values[:, :3].astype(np.float32), cloud.points)
    if cloud.colors is not None:
        np.testing.assert_array_equal(values[:, 3:], cloud.colors)


def test_ply_of_nothing(tmp_path: Path) -> None:
    empty = metric(np.full((2, 2), np.inf)).point_cloud(fov=60, colors=np.zeros((2, 2, 3), np.uint8))
    empty.save(tmp_path / "cloud.ply")
    lines, vertices = read_ply(tmp_path / "cloud.ply")
    assert "element vertex 0" in lines
    assert vertices == []


def test_ply_is_the_only_format(tmp_path: Path) -> None:
    cloud = PointCloud(np.zeros((1, 3), np.float32), None, "relative")
    with pytest.raises(OptionError, match=r"as '.obj'. Allowed: \.ply"):
        cloud.save(tmp_path / "cloud.obj")
    cloud.save(tmp_path / "cloud.ply")
    assert "comment x right, y down, z forward; relative unit" in read_ply(tmp_path / "cloud.ply")[0]


@pytest.mark.parametrize(("cx", "cy"), [(2015.5, 20.0), (30.0, 1511.5), (-5.0, 20.0)])
def test_intrinsics_of_another_size_are_told(cx: float, cy: float) -> None:
    camera = Intrinsics(fx=3000.0, fy=3000.0, cx=cx, cy=cy)
    with pytest.raises(OptionError, match=r"outside of its 64 x 48 pixels.*another size"):
        metric(np.full((HEIGHT, WIDTH), 2.0)).point_cloud(intrinsics=camera)


@pytest.mark.parametrize(("cx", "cy"), [(WIDTH / 7, HEIGHT / 2), (WIDTH / 2, HEIGHT / 7), (0.9 * WIDTH, HEIGHT / 2)])
def test_intrinsics_of_a_smaller_size_are_told(cx: float, cy: float) -> None:
    with pytest.warns(UserWarning, match="far from the middle of its 64 x 48 pixels.*another size") as caught:
        metric(np.full((HEIGHT, WIDTH), 2.0)).point_cloud(intrinsics=Intrinsics(60.0, 60.0, cx, cy))
    assert caught[0].filename == __file__


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("edge", [None, 0.1])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_not_finite_have_no_point(value: float, edge: float | None) -> None:
    z = np.full((HEIGHT, WIDTH), 2.0, np.float32)
    z[10, 10] = value
    clouds = [
        metric(z).point_cloud(intrinsics=CAMERA, edge=edge),
        relative(z).point_cloud(intrinsics=CAMERA, edge=edge),
    ]
    for cloud in clouds:
        assert np.isfinite(cloud.points).all()
        assert 0 < len(cloud) < z.size
