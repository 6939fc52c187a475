"""The tracer against geometry that can be worked out by hand."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from training.scenes import materials
from training.scenes.cameras import Camera
from training.scenes.lighting import probe_view, render_view
from training.scenes.scene import Scene, rotation
from training.scenes.tracing import FAR, FOLIAGE, WHEEL, build_tree, first_hit, span

PICTURES = np.zeros((1, 8, 8, 3), dtype=np.float32)
WIDTH, HEIGHT = 64, 48
AHEAD = Camera((0.0, 0.0, 0.0), (0.0, 1.0, 0.0), 0.0, 60.0)


def empty_scene() -> Scene:
    return Scene(np.random.default_rng(1), PICTURES)


def slopes(camera: Camera) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The tangents of the angles to the right and upwards of each pixel's centre."""
    half = math.tan(math.radians(camera.view) / 2)
    x = (2 * (np.arange(WIDTH) + 0.5) / WIDTH - 1) * half
    y = (1 - 2 * (np.arange(HEIGHT) + 0.5) / HEIGHT) * half * HEIGHT / WIDTH
    return np.broadcast_to(x, (HEIGHT, WIDTH)), np.broadcast_to(y[:, None], (HEIGHT, WIDTH))


def test_a_wall_across_the_view_has_one_depth_along_the_axis() -> None:
    scene = empty_scene()
    scene.box((0.0, 5.5, 0.0), (100.0, 1.0, 100.0), materials.plain(scene))
    depth, _ = probe_view(scene.world(), AHEAD.row(WIDTH, HEIGHT), WIDTH, HEIGHT)
    np.testing.assert_allclose(depth, 5.0, rtol=1e-12)


def test_a_floor_recedes_with_the_inverse_of_the_slope() -> None:
    scene = empty_scene()
    scene.box((0.0, 0.0, -2.0), (1e5, 1e5, 1.0), materials.plain(scene))
    depth, _ = probe_view(scene.world(), AHEAD.row(WIDTH, HEIGHT), WIDTH, HEIGHT)
    _, up = slopes(AHEAD)
    below = up < 0
    np.testing.assert_allclose(depth[below], -1.5 / up[below], rtol=1e-9)
    assert np.isinf(depth[~below]).all()


@pytest.mark.parametrize("capsule", [False, True])
def test_a_ball_has_the_depth_of_the_quadratic_formula(capsule: bool) -> None:
    scene = empty_scene()
    paint = materials.plain(scene)
    if capsule:  # one that is all ends
        scene.limb((0.3, 4.0, 0.1999), (0.3, 4.0, 0.2001), 1.0, paint)
    else:
        scene.ball((0.3, 4.0, 0.2), (1.0, 1.0, 1.0), paint)
    depth, index = probe_view(scene.world(), AHEAD.row(WIDTH, HEIGHT), WIDTH, HEIGHT)
    right, up = slopes(AHEAD)
    a = right**2 + 1 + up**2
    b = 0.3 * right + 4.0 + 0.2 * up
    inside = b * b - a * (0.09 + 16 + 0.04 - 1)
    expected = np.where(inside > 0, (b - np.sqrt(np.maximum(inside, 0))) / a, np.inf)
    sure = np.abs(inside) > 1e-2
    np.testing.assert_allclose(depth[sure], expected[sure], rtol=2e-4 if capsule else 1e-9)
    assert ((index >= 0) == np.isfinite(depth)).all()


def test_a_turned_and_rolled_camera_sees_the_same_ball_at_the_same_depth() -> None:
    scene = empty_scene()
    scene.ball((0.0, 4.0, 0.0), (1.0, 1.0, 1.0), materials.plain(scene))
    rolled = Camera((0.0, 0.0, 0.0), (0.0, 1.0, 0.0), 0.7, 60.0)
    beside = Camera((4.0, 4.0, 0.0), (0.0, 4.0, 0.0), 0.0, 60.0)
    world = scene.world()
    for camera in (AHEAD, rolled, beside):
        depth, _ = probe_view(world, camera.row(65, 49), 65, 49)
        assert depth[24, 32] == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("bottom", "top"), [(1.0, 1.0), (1.0, 0.25), (0.0, 1.0), (0.3, 1.0)], ids=["cylinder", "bucket", "funnel", "cone"]
)
def test_frustums_against_marching_along_the_ray(bottom: float, top: float) -> None:
    """`span` agrees with stepping along random rays and asking whether each point is inside."""
    rng = np.random.default_rng(3)
    solids = np.zeros((1, 20))
    solids[0, 12:15] = bottom, top, 1.0
    steps = np.linspace(-8.0, 8.0, 4001)
    hits = 0
    for _ in range(300):
        start = rng.uniform(-1, 1, 3)
        along = rng.normal(size=3)
        along /= np.linalg.norm(along)
        points = start + steps[:, None] * along
        radius = 0.5 * (bottom + top) + 0.5 * (top - bottom) * points[:, 2]
        inside = (np.abs(points[:, 2]) <= 1) & (points[:, 0] ** 2 + points[:, 1] ** 2 <= radius**2) & (radius >= 0)
        t0, t1 = span(solids, 0, 2, *start.tolist(), *along.tolist())
        if inside.sum() > 3:
            hits += 1
            assert t0 == pytest.approx(steps[inside][0], abs=0.01)
            assert t1 == pytest.approx(steps[inside][-1], abs=0.01)
        elif not inside.any():
            assert t1 - t0 < 0.1
    assert hits > 50


def test_the_tree_finds_what_a_search_through_all_solids_finds() -> None:
    rng = np.random.default_rng(5)
    scene = empty_scene()
    paint = materials.plain(scene)
    for _ in range(200):
        place = tuple(rng.uniform(-5, 5, 3).tolist())
        size = tuple(rng.uniform(0.05, 0.8, 3).tolist())
        turn = rotation(*rng.uniform(-3, 3, 3).tolist())
        [scene.box, scene.ball][int(rng.integers(2))](place, size, paint, turn)
    solids, kinds, order, boxes, links = scene.world()[:5]
    # a tree of one leaf that holds everything
    _, whole, leaf = build_tree(np.full((1, 3), -1e3), np.full((1, 3), 1e3))
    leaf[0] = (0, 0, len(solids), 0)
    stack = np.zeros(128, dtype=np.int64)
    hits = 0
    for _ in range(500):
        ox, oy, oz = rng.uniform(-6, 6, 3).tolist()
        dx, dy, dz = rng.normal(size=3).tolist()
        found = first_hit(solids, kinds, order, boxes, links, stack, ox, oy, oz, dx, dy, dz, FAR, False)
        searched = first_hit(
            solids, kinds, np.arange(len(solids)), whole, leaf, stack, ox, oy, oz, dx, dy, dz, FAR, False
        )
        assert found == searched
        hits += found[1] >= 0
    assert hits > 100


@pytest.mark.parametrize("cut", [(FOLIAGE, 0.5, 8.0), (WHEEL, 0.8, 10.0)])
def test_a_cut_out_lets_some_rays_through_and_keeps_the_others_exact(cut: tuple[int, float, float]) -> None:
    scene = empty_scene()
    paint = materials.plain(scene)
    turn = rotation(pitch=math.pi / 2)
    scene.post((0.0, 4.0, 0.0), 1.5, 1.5, 0.1, paint, turn, cut=cut)
    scene.box((0.0, 8.0, 0.0), (40.0, 0.2, 40.0), paint)
    depth, _ = probe_view(scene.world(), AHEAD.row(WIDTH, HEIGHT), WIDTH, HEIGHT)
    behind = np.isclose(depth, 7.9)
    disc = np.isclose(depth, 3.9)
    assert disc.sum() > 50
    right, up = slopes(AHEAD)
    through = behind & (np.hypot(right, up) * 3.9 < 1.4)
    assert through.sum() > 50


def test_light_falls_where_no_solid_stands_in_its_way() -> None:
    scene = empty_scene()
    grey = materials.make(scene, 0, (0.5, 0.5, 0.5), stains=0.0)
    scene.box((0.0, 0.0, -1.05), (100.0, 100.0, 0.1), grey)
    scene.box((0.0, 4.0, 3.0), (2.0, 2.0, 0.1), grey)
    scene.ambient = np.full((3, 3), 0.01)
    scene.sun((0.0, 0.0, 1.0), (1.0, 1.0, 1.0), 0.0)
    down = Camera((0.0, -1.0, 2.0), (0.0, 4.0, -1.0), 0.0, 80.0)
    light, depth = render_view(scene.world(), down.row(WIDTH, HEIGHT), WIDTH, HEIGHT, 1, 0.5, 0.0)
    assert light.shape == (HEIGHT, WIDTH, 3)
    assert light.dtype == np.float32
    assert np.isfinite(light).all()
    floor = np.isfinite(depth)
    assert light[floor].max() == pytest.approx(0.505, abs=0.02)
    shade = light[HEIGHT // 2, WIDTH // 2, 0]
    assert shade < 0.05
