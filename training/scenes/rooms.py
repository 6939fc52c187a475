"""Rooms of known sizes, to check measurements from a photo: `python -m training.scenes.rooms --count 200 --out FOLDER`.

Each room is two files. `0007.npz` holds the arrays `depth` (float32 [H,W], metres along the camera's axis, inf in the
sky), `photo` (uint8 RGB [H,W,3]; with --photos) and three plans of the floor, bool [M,N] in cells of `cell` metres:
`free` (nothing between 2 cm and 2 m above the cell), `seen` (the photo shows the floor there) and, by them, where
furniture may stand. `0007.json` holds what is true of it; see `Truth`.

All sizes are metres; the world has its origin in the middle of the floor, x along the room's width, z upwards.
"""

import argparse
import json
import math
import multiprocessing
import sys
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from training.scenes import indoors
from training.scenes.cameras import Camera, is_worth_a_picture
from training.scenes.compiled import compiled
from training.scenes.dataset import made_pictures
from training.scenes.film import develop
from training.scenes.lighting import World, probe_view, render_view
from training.scenes.scene import Scene, rotation
from training.scenes.tracing import FAR, Floats, Integers, first_hit, span

CELL = 0.005
FLOOR_SHARE, CEILING_SHARE, WALL_SHARE = 0.06, 0.01, 0.08
DOOR_SHARE = 0.8
LEAF_FRONT = 0.04
CAMERAS_TRIED = 300
STRAY = 50_000  # one in so many pixels, peeping out between two things, is no end of a wall
SURFACE = 0.015  # what lies on the floor and is thinner, a rug, is floor


@dataclass(frozen=True)
class Truth:
    """What is true of a room and its photo.

    Attributes:
        width, depth, height: of the room, in metres; its walls stand at x = ± width / 2 and y = ± depth / 2.
        focal: in pixels of the photo, whose axis goes through its middle.
        place: the camera's, in the world.
        axes: the camera's x (right), y (down) and z (forward) as rows, in the world.
        door_size: width and height of the door's leaf.
        door_corners: (x, y) in pixels of the leaf's corners: top left, top right, bottom right, bottom left.
        walls_seen: for each wall (0: y = -depth/2, then anticlockwise) the metres along it, from the middle, of the
            leftmost and the rightmost point that the photo shows; None for a wall of which it shows next to nothing.
    """

    width: float
    depth: float
    height: float
    focal: float
    place: tuple[float, float, float]
    axes: list[list[float]]
    door_size: tuple[float, float]
    door_corners: list[tuple[float, float]]
    walls_seen: list[tuple[float, float] | None]
    cell: float = CELL


@dataclass(frozen=True)
class Room:
    """A room as it is seen: its truth and the arrays that the module's text describes."""

    truth: Truth
    depth: NDArray[np.float32]
    free: NDArray[np.bool_]
    seen: NDArray[np.bool_]
    photo: NDArray[np.uint8] | None


@compiled
def _stands_in(solids: Floats, kinds: Integers, x: float, y: float, top: float) -> bool:
    """Whether a solid reaches through the height `top` at a place of the floor: a ray that starts in it sees none."""
    for i in range(solids.shape[0]):
        cx, cy, cz = x - solids[i, 9], y - solids[i, 10], top - solids[i, 11]
        px = solids[i, 0] * cx + solids[i, 1] * cy + solids[i, 2] * cz
        py = solids[i, 3] * cx + solids[i, 4] * cy + solids[i, 5] * cz
        pz = solids[i, 6] * cx + solids[i, 7] * cy + solids[i, 8] * cz
        t0, t1 = span(solids, i, kinds[i], px, py, pz, -solids[i, 2], -solids[i, 5], -solids[i, 8])
        if t0 <= t1 and t0 <= 0.0 and t1 > SURFACE:
            return True
    return False


@compiled
def _plans(world: World, camera: Floats, w: float, d: float, high: float) -> tuple[Floats, Floats]:
    """Whether each cell of the floor is free of things, and whether the camera sees it: 1 or 0, [M,N] each, y first."""
    solids, kinds, order, boxes, links = world[0], world[1], world[2], world[3], world[4]
    stack = np.zeros(128, dtype=np.int64)
    rows, columns = int(d / CELL), int(w / CELL)
    free = np.zeros((rows, columns))
    seen = np.zeros((rows, columns))
    top = min(2.0, high - 0.01)
    for row in range(rows):
        for column in range(columns):
            x = (column + 0.5) * CELL - w / 2
            y = (row + 0.5) * CELL - d / 2
            t, found = first_hit(
                solids, kinds, order, boxes, links, stack, x, y, top, 0.0, 0.0, -1.0, top - SURFACE - 0.005, True
            )
            if found < 0 and not _stands_in(solids, kinds, x, y, top):
                free[row, column] = 1.0
            ox = x - camera[0]
            oy = y - camera[1]
            oz = -camera[2]
            ahead = ox * camera[9] + oy * camera[10] + oz * camera[11]
            if ahead <= 0.0:
                continue
            across = (ox * camera[3] + oy * camera[4] + oz * camera[5]) / ahead
            upwards = (ox * camera[6] + oy * camera[7] + oz * camera[8]) / ahead
            if abs(across) > camera[12] or abs(upwards) > camera[13]:
                continue
            far = math.sqrt(ox * ox + oy * oy + oz * oz)
            t, found = first_hit(
                solids, kinds, order, boxes, links, stack, camera[0], camera[1], camera[2],
                ox / far, oy / far, oz / far, FAR, False,
            )  # fmt: skip
            if found >= 0 and camera[2] * (1.0 - t / far) < SURFACE:
                seen[row, column] = 1.0
    return free, seen


def _world_points(depth: Floats, camera: Floats) -> Floats:
    """The points [H,W,3] in the world that a camera's depth map [H,W] shows."""
    height, width = depth.shape
    x = ((np.arange(width) + 0.5) / width * 2 - 1) * camera[12]
    y = (1 - (np.arange(height) + 0.5) / height * 2) * camera[13]
    rays = camera[9:12] + x[None, :, None] * camera[3:6] + y[:, None, None] * camera[6:9]
    return np.asarray(camera[:3] + np.minimum(depth, 1e4)[..., None] * rays)


def between_pixels(points: Floats, camera: Floats, w: float, d: float) -> NDArray[np.bool_]:
    """The cells of the floor, bool [M,N], around which all four pixels of a picture show the floor.

    What hides such a cell, as the tip of a leaf, is thinner than a pixel: the picture shows the floor there.

    Args:
        points: what the picture shows, [H,W,3] in the world.
        camera: as a row.
        w: the room's width.
        d: its depth.
    """
    floor = np.abs(points[..., 2]) < SURFACE
    all_four = floor[:-1, :-1] & floor[:-1, 1:] & floor[1:, :-1] & floor[1:, 1:]
    x, y = np.meshgrid((np.arange(int(w / CELL)) + 0.5) * CELL - w / 2, (np.arange(int(d / CELL)) + 0.5) * CELL - d / 2)
    away = np.stack([x, y, np.zeros_like(x)], axis=-1) - camera[:3]
    ahead = np.maximum(away @ camera[9:12], 1e-6)
    height, width = floor.shape
    column = np.floor((away @ camera[3:6] / ahead / camera[12] + 1) / 2 * width - 0.5)
    row = np.floor((1 - away @ camera[6:9] / ahead / camera[13]) / 2 * height - 0.5)
    inside = (away @ camera[9:12] > 0) & (column >= 0) & (column < width - 1) & (row >= 0) & (row < height - 1)
    found = np.zeros(inside.shape, dtype=bool)
    found[inside] = all_four[row[inside].astype(int), column[inside].astype(int)]
    return found


def walls_seen_in(points: Floats, w: float, d: float, h: float) -> list[tuple[float, float] | None]:
    """What a picture shows of each wall; see `Truth.walls_seen`.

    Args:
        points: [H,W,3] in the world.
        w: the room's width.
        d: its depth.
        h: its height.
    """
    seen: list[tuple[float, float] | None] = []
    inside = (points[..., 2] > SURFACE) & (points[..., 2] < h - SURFACE)
    for k, (off, half) in enumerate(2 * [(d / 2, w / 2), (w / 2, d / 2)]):
        local = points @ rotation(k * math.pi / 2)
        # a house across the street may stand in a wall's own plane
        on = inside & (np.abs(local[..., 1] + off) < 1e-3) & (np.abs(local[..., 0]) < half + 1e-3)
        along = np.sort(local[..., 0][on])
        skip = max(2, on.size // STRAY)
        seen.append((float(along[skip]), float(along[-1 - skip])) if on.sum() >= 0.002 * on.size else None)
    return seen


def _corners(door: indoors.Door, w: float, d: float, camera: Floats, width: int, height: int) -> Floats | None:
    """The door's corners [4,2] in pixels, or None where they are not all in the picture."""
    off = (d / 2, w / 2)[door.wall % 2]
    x, half = door.x, door.width / 2
    # seen from the room, a wall's x runs to the left
    local = np.array([[x + half, door.height], [x - half, door.height], [x - half, 0.0], [x + half, 0.0]])
    points = np.stack([local[:, 0], np.full(4, LEAF_FRONT - off), local[:, 1]], axis=1)
    seen = points @ rotation(door.wall * math.pi / 2).T - camera[:3]
    ahead = seen @ camera[9:12]
    if ahead.min() < 0.3:
        return None
    across = seen @ camera[3:6] / ahead / camera[12]
    upwards = seen @ camera[6:9] / ahead / camera[13]
    if max(np.abs(across).max(), np.abs(upwards).max()) > 0.99:
        return None
    return np.asarray(np.stack([(across + 1) / 2 * width - 0.5, (1 - upwards) / 2 * height - 0.5], axis=1))


def _shows_door(points: Floats, door: indoors.Door, corners: Floats, w: float, d: float) -> bool:
    """Whether most of the door is in view, with its lower corners (furniture may hide the rest)."""
    off = (d / 2, w / 2)[door.wall % 2]
    local = points @ rotation(door.wall * math.pi / 2)
    on = (
        (np.abs(local[..., 1] + off - LEAF_FRONT) < 0.06)
        & (np.abs(local[..., 0] - door.x) < door.width / 2)
        & (local[..., 2] < door.height)
    )
    x, y = np.concatenate([corners, corners[:1]]).T
    area = abs(float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))) / 2
    return bool(on.sum() > DOOR_SHARE * area) and area > 0.01 * on.size


def _good_view(world: World, cameras: list[Camera], doors: list[indoors.Door], size: tuple[float, float, float]) -> (
    tuple[Camera, indoors.Door] | None
):  # fmt: skip
    """The first camera that shows floor, ceiling, walls and a whole door, as one who measures would take it."""
    w, d, h = size
    wide, high = 96, 72
    for camera in cameras:
        row = camera.row(wide, high)
        for door in doors:
            corners = _corners(door, w, d, row, wide, high)
            if corners is None or not is_worth_a_picture(world, camera):
                continue
            points = _world_points(probe_view(world, row, wide, high)[0], row)
            level = points[..., 2]
            walls = [a for a in walls_seen_in(points, w, d, h) if a]
            if (
                (np.abs(level) < SURFACE).mean() > FLOOR_SHARE
                and (np.abs(level - h) < 1e-3).mean() > CEILING_SHARE
                and len(walls) >= 2
                and _shows_door(points, door, corners, w, d)
            ):
                return camera, door
    return None


def make_room(seed: int, number: int, width: int, height: int, photo: bool) -> Room:
    """Room `number` of the set `seed`; the same arguments give the same room on the same machine."""
    rng = np.random.default_rng([seed, number, 15])
    pictures = made_pictures(seed)
    found = None
    while found is None:
        scene = Scene(rng, pictures)
        w, d, h = size = (rng.uniform(2.4, 6.5), rng.uniform(2.6, 7.0), rng.uniform(2.2, 3.1))
        doors = indoors.furnished(scene, *size)
        if doors:
            world = scene.world()
            found = _good_view(world, [indoors.inside_camera(scene, *size) for _ in range(CAMERAS_TRIED)], doors, size)
    camera, door = found
    row = camera.row(width, height)
    depth, _ = probe_view(world, row, width, height)
    free, seen = _plans(world, row, w, d, h)
    points = _world_points(depth, row)
    seen[between_pixels(points, row, w, d)] = 1.0
    corners = _corners(door, w, d, row, width, height)
    assert corners is not None
    image = None
    if photo:
        light, _ = render_view(world, row, width, height, int(rng.integers(1 << 30)), scene.reach, scene.haze)
        image = develop(light, depth, rng)
    truth = Truth(
        *(float(w), float(d), float(h)),
        focal=float(width / 2 / row[12]),
        place=camera.place,
        axes=[row[3:6].tolist(), (-row[6:9]).tolist(), row[9:12].tolist()],
        door_size=(door.width, door.height),
        door_corners=[(float(x), float(y)) for x, y in corners],
        walls_seen=walls_seen_in(points, w, d, h),
    )
    return Room(truth, depth.astype(np.float32), free > 0, seen > 0, image)


def write_room(number: int, folder: Path, seed: int, width: int, height: int, photos: bool) -> None:
    """Write room `number` of the set `seed` into `folder`; what is there is kept."""
    stem = folder / f"{number:04d}"
    if stem.with_suffix(".json").is_file():
        return
    room = make_room(seed, number, width, height, photos)
    np.savez_compressed(
        stem.with_suffix(".npz"),
        depth=room.depth,
        free=np.packbits(room.free, axis=1),
        seen=np.packbits(room.seen, axis=1),
        **({} if room.photo is None else {"photo": room.photo}),
    )
    stem.with_suffix(".json").write_text(json.dumps(asdict(room.truth)))


def main() -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.scenes.rooms", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="number of rooms (default 200)")
    parser.add_argument("--out", type=Path, required=True, help="folder; an interrupted run goes on in it")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other rooms (default 0)")
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--height", type=int, default=240)
    parser.add_argument("--photos", action="store_true", help="also the photo that the camera takes; slower")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1)")
    options = parser.parse_args()
    if options.count < 1 or options.jobs < 1 or min(options.width, options.height) < 64:
        parser.error("--count and --jobs must be at least 1, --width and --height at least 64")
    options.out.mkdir(parents=True, exist_ok=True)
    work = partial(
        write_room, folder=options.out, seed=options.seed, width=options.width, height=options.height,
        photos=options.photos,
    )  # fmt: skip
    numbers = range(options.count)
    if options.jobs == 1:
        for number in track(numbers, "rendering rooms"):
            work(number)
        return 0
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        for _ in track(pool.imap(work, numbers), "rendering rooms", total=options.count):
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
