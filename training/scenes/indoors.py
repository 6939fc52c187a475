"""Places indoors: rooms, offices, kitchens, cellars, corridors and shops."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.scenes import furniture as f
from training.scenes import materials as m
from training.scenes import outdoors, people, things
from training.scenes import surfaces as s
from training.scenes.cameras import Camera, field_of_view, tilt
from training.scenes.scene import Scene, rotation
from training.scenes.tracing import BARS

Opening = tuple[float, float, float, float]  # its middle along the wall, its width, its sill, its head


@dataclass(frozen=True)
class Door:
    """A closed door of a room: its wall (0 to 3), its middle along that wall, its leaf's width and height; metres."""

    wall: int
    x: float
    width: float
    height: float


def pierced_wall(scene: Scene, long: float, high: float, surface: int, opening: Opening | None) -> None:
    """A wall along x whose room side is y = 0 (the room lies at +y), with at most one opening."""
    t = 0.2
    if opening is None:
        scene.box((0, -t / 2, high / 2), (long, t, high), surface)
        return
    x, w, sill, head = opening
    left, right = x - w / 2 + long / 2, long / 2 - x - w / 2
    scene.box((-long / 2 + left / 2, -t / 2, high / 2), (left, t, high), surface)
    scene.box((long / 2 - right / 2, -t / 2, high / 2), (right, t, high), surface)
    scene.box((x, -t / 2, (high + head) / 2), (w, t, high - head), surface)
    if sill > 0.0:
        scene.box((x, -t / 2, sill / 2), (w, t, sill), surface)


def wall_things(scene: Scene, long: float, high: float) -> None:
    """What hangs on a wall: pictures, a clock, boards, switches, a mirror, curtains."""
    r = scene.rng
    x = -long / 2 + r.uniform(0.3, 1.0)
    while x < long / 2 - 0.5:
        kind = r.random()
        w, h = r.uniform(0.2, 1.0), r.uniform(0.2, 0.8)
        z = r.uniform(1.3, 1.7)
        if kind < 0.5:
            frame = m.wood(scene) if r.random() < 0.5 else m.plain(scene)
            scene.box((x, 0.01, z), (w + 0.06, 0.02, h + 0.06), frame)
            scene.box((x, 0.014, z), (w, 0.02, h), m.picture(scene))
        elif kind < 0.58:
            scene.box((x, 0.01, z), (w + 0.06, 0.02, h + 0.06), m.wood(scene))
            mirror = m.make(scene, s.PLAIN, (0.1, 0.1, 0.1), mirror=0.85, stains=0.0)
            scene.box((x, 0.014, z), (w, 0.02, h), mirror)
        elif kind < 0.66:
            scene.post((x, 0.0, z + 0.3), 0.15, 0.15, 0.04, m.picture(scene), rotation(pitch=-math.pi / 2))
        elif kind < 0.76:
            with scene.at(x, 0.13, z):
                scene.box((0, 0, 0), (w, 0.25, 0.025), m.wood(scene))
                things.fill_board(scene, w, 0.22, 0.32)
        elif kind < 0.82 and high > 2.2:
            with scene.at(x, 0.0, 0):
                f.radiator(scene)
        elif kind < 0.88:
            scene.box((x, 0.006, 1.1), (0.08, 0.012, 0.08), m.plain(scene, (0.7, 0.7, 0.68), 0.1))
        x += r.uniform(0.5, 2.2)


def window(scene: Scene, opening: Opening) -> None:
    """The frame of a window in a wall along x, perhaps with curtains or blinds."""
    r = scene.rng
    x, w, sill, head = opening
    frame = m.plain(scene, m.tint(0.1, r.uniform(0, 0.3), r.choice([0.9, 0.95, 0.3])), 0.1)
    z, h = (sill + head) / 2, head - sill
    for sx in (-1, 1):
        scene.box((x + sx * (w / 2 - 0.03), -0.08, z), (0.06, 0.08, h), frame)
    for end in (sill + 0.03, head - 0.03):
        scene.box((x, -0.08, end), (w, 0.08, 0.06), frame)
    for k in range(1, int(r.integers(1, 4))):
        scene.box((x - w / 2 + k * w / 2, -0.08, z), (0.05, 0.05, h), frame)
    if sill > 0.2:
        scene.box((x, 0.06, sill), (w + 0.2, 0.3, 0.03), frame)
        if r.random() < 0.5:
            with scene.at(x, 0.05, sill + 0.015):
                things.scatter(scene, w * 0.9, 0.1, int(r.integers(1, 4)))
    kind = r.random()
    if kind < 0.45:
        stuff = m.cloth(scene)
        rail = head + 0.12
        low = 0.03 if r.random() < 0.7 else sill - 0.1
        scene.limb((x - w / 2 - 0.4, 0.12, rail), (x + w / 2 + 0.4, 0.12, rail), 0.015, m.metal(scene))
        for sx in (-1, 1):
            folds = int(r.integers(4, 9))
            for k in range(folds):
                place = x + sx * (w / 2 + 0.35 - k * 0.075)
                scene.post((place, 0.11 + 0.02 * (k % 2), low), 0.05, 0.04, rail - low, stuff)
    elif kind < 0.6:
        slat = m.plain(scene, m.tint(0.1, 0.05, 0.9), 0.0)
        drop = r.uniform(0.2, 1.0) * h
        for k in range(int(drop / 0.05)):
            scene.box((x, 0.02, head - 0.05 * k), (w, 0.03, 0.004), slat, rotation(pitch=r.uniform(0.3, 0.4)))


def door(scene: Scene, x: float) -> tuple[float, float]:
    """A closed door on a wall along x; returns the width and the height of its leaf, whose front is at y = 0.04."""
    r = scene.rng
    leaf, frame = (m.wood(scene) if r.random() < 0.5 else m.plain(scene)), m.plain(scene)
    w, h = r.uniform(0.75, 0.95), r.uniform(2.0, 2.1)
    scene.box((x, 0.01, h / 2 + 0.03), (w + 0.16, 0.03, h + 0.1), frame)
    scene.box((x, 0.015, h / 2), (w, 0.05, h), leaf, bevel=0.008)
    for z in (0.55, 1.45):
        if r.random() < 0.6:
            scene.box((x, 0.03, z), (w * 0.65, 0.04, 0.6), leaf, bevel=0.02)
    scene.limb((x + w * 0.4, 0.08, 1.0), (x + w * 0.28, 0.08, 1.0), 0.01, m.metal(scene))
    return w, h


def shell(scene: Scene, w: float, d: float, h: float) -> list[Door]:  # noqa: PLR0912, PLR0915
    """The floor, ceiling and walls of a room of w by d by h about the origin, what is on and behind them, and light.

    Returns its closed doors.
    """
    r = scene.rng
    doors: list[Door] = []
    outdoors.daylight(scene)
    scene.haze = 0.0
    sky_light = scene.ambient.copy()
    strong = r.random() < 0.5
    scene.reach = float(r.uniform(0.6, 1.8))
    warm = np.array(m.tint(r.uniform(0.06, 0.14), r.uniform(0.0, 0.35), 1.0))
    scene.ambient = np.stack([0.25 * warm, 0.22 * warm, 0.17 * warm]) * r.uniform(0.6, 1.3) + 0.1 * sky_light
    if not strong:
        scene.lights.clear()
    paint = m.wall(scene)
    others = [paint if r.random() < 0.75 else m.wall(scene) for _ in range(4)]
    scene.box((0, 0, -0.05), (w + 8, d + 8, 0.1), m.floor(scene))
    white = m.make(scene, s.PLAIN, (float(r.uniform(0.5, 0.85)),) * 3, stains=0.08)
    scene.box((0, 0, h + 0.05), (w + 0.4, d + 0.4, 0.1), white)
    skirting = m.plain(scene) if r.random() < 0.6 else None
    behind = r.random() < 0.5
    outside = False
    for k, (long, off) in enumerate([(w, d / 2), (d, w / 2), (w, d / 2), (d, w / 2)]):
        angle = k * math.pi / 2
        with scene.at(off * math.sin(angle), -off * math.cos(angle), 0, angle):
            kind = r.random()
            opening: Opening | None = None
            x = float(r.uniform(-0.25, 0.25) * long)
            if kind < 0.4:
                wide = float(min(r.uniform(0.8, 2.4), long * 0.45))
                sill = 0.0 if r.random() < 0.2 else float(r.uniform(0.6, 1.0))
                opening = (x, wide, sill, float(r.uniform(1.9, min(h - 0.15, 2.4))))
                window(scene, opening)
                outside = True
            elif kind < 0.6 and behind:
                opening = (x, float(r.uniform(0.8, 1.6)), 0.0, 2.05)
                side_room(scene, opening, h)
            elif kind < 0.75:
                doors.append(Door(k, x, *door(scene, x)))
            else:
                wall_things(scene, long, h)
            if kind < 0.75 and r.random() < 0.4:
                scene.box((-long * 0.38, 0.012, 1.6), (0.4, 0.02, 0.5), m.picture(scene))
            pierced_wall(scene, long + 0.4, h, others[k], opening)
            if skirting is not None and opening is None:
                scene.box((0, 0.008, 0.05), (long, 0.016, 0.1), skirting)
    if outside:
        view = r.random()
        scene.box((0, 0, -1.05), (400, 400, 0.1), m.ground(scene) if view < 0.6 else m.paving(scene))
        for _ in range(int(r.integers(2, 8))):
            a, far = r.uniform(0, 6.28), r.uniform(8, 40)
            with scene.at(far * math.cos(a), far * math.sin(a), -1.0, a + math.pi / 2):
                if r.random() < 0.6:
                    outdoors.tree(scene)
                else:
                    outdoors.house(scene, r.uniform(6, 15), 8, r.uniform(4, 14))
    if r.random() < 0.8:
        lit = (r.uniform(1.5, 5.0) * (0.4 if strong else 1.0)) * (h / 2.6) ** 2
        lamp = (float(r.uniform(-0.2, 0.2) * w), float(r.uniform(-0.2, 0.2) * d), h - float(r.uniform(0.25, 0.7)))
        tone = (lit * float(warm[0]), lit * float(warm[1]), lit * float(warm[2]))
        scene.lamp((lamp[0], lamp[1], lamp[2] - 0.05), tone, 0.15)
        shade = m.make(scene, s.PLAIN, (0.9, 0.85, 0.75), glow=2.5)
        if r.random() < 0.5:
            scene.post((lamp[0], lamp[1], lamp[2]), 0.005, 0.005, h - lamp[2], m.metal(scene))
            scene.post((lamp[0], lamp[1], lamp[2]), r.uniform(0.12, 0.25), 0.05, 0.2, shade, hollow=True)
        else:
            scene.post((lamp[0], lamp[1], h - 0.1), 0.2, 0.2, 0.1, shade)
    for _ in range(int(r.integers(0, 3))):
        if r.random() < 0.25:
            scene.box(
                (r.uniform(-0.4, 0.4) * w, 0, h - 0.1), (0.2, d, 0.2), m.wood(scene) if r.random() < 0.5 else white
            )
        elif r.random() < 0.2:
            scene.limb(
                (r.uniform(-0.4, 0.4) * w, -d / 2, h - 0.2),
                (r.uniform(-0.4, 0.4) * w, d / 2, h - 0.2),
                r.uniform(0.03, 0.1),
                m.metal(scene),
            )
    return doors


def side_room(scene: Scene, opening: Opening, high: float) -> None:
    """The room that is seen through a doorway in the wall along x."""
    r = scene.rng
    x, _, _, _ = opening
    deep, half = r.uniform(1.5, 4.0), r.uniform(1.0, 2.5)
    paint = m.wall(scene)
    scene.box((x, -deep - 0.3, high / 2), (2 * half, 0.2, high), paint)
    for sx in (-1, 1):
        scene.box((x + sx * half, -deep / 2 - 0.2, high / 2), (0.2, deep, high), paint)
    scene.box((x, -deep / 2 - 0.2, high + 0.02), (2 * half, deep, 0.1), paint)
    scene.box((x, -deep / 2 - 0.2, 0.003), (2 * half, deep, 0.006), m.floor(scene))
    with scene.at(x + r.uniform(-0.5, 0.5) * half, -deep + 0.3):
        [f.shelf, f.cabinet, f.chair, f.plant][int(r.integers(4))](scene)
    with scene.at(x, -deep + 0.2):
        wall_things(scene, 2 * half, high)


Piece = Callable[[Scene], None]


def lived_in(scene: Scene) -> tuple[list[tuple[Piece, float]], list[tuple[Piece, float]]]:
    """Pieces (with their radius) along the walls and in the middle, by the kind of room."""
    kind = scene.rng.random()
    if kind < 0.35:
        return (
            [
                (f.sofa, 1.0), (f.shelf, 0.7), (f.cabinet, 0.8), (f.plant, 0.4),
                (lambda c: f.floor_lamp(c, c.rng.random() < 0.4), 0.3), (f.sofa, 0.9),
            ],
            [(f.table, 0.8), (f.sofa, 1.0), (f.chair, 0.4)],
        )  # fmt: skip
    if kind < 0.55:
        return [(f.desk, 0.9), (f.shelf, 0.7), (f.cabinet, 0.8), (f.desk, 0.9), (f.ladder_or_rack, 0.6)], [
            (f.chair, 0.4),
            (f.chair, 0.4),
            (f.desk, 0.9),
        ]
    if kind < 0.72:
        return [(f.cabinet, 0.8), (f.cabinet, 0.8), (f.shelf, 0.7), (f.plant, 0.4), (f.cabinet, 0.8)], [
            (f.table, 0.9),
            (f.chair, 0.4),
            (f.chair, 0.4),
            (f.chair, 0.4),
        ]
    if kind < 0.86:
        return [(f.bed, 1.1), (f.cabinet, 0.7), (f.shelf, 0.7), (f.desk, 0.9), (f.plant, 0.4)], [
            (f.chair, 0.4),
            (f.bed, 1.2),
        ]
    return (
        [
            (f.ladder_or_rack, 0.6), (f.shelf, 0.7), (f.ladder_or_rack, 0.6), (f.staircase, 1.0),
            (outdoors.two_wheeler, 0.8), (f.cabinet, 0.8),
        ],
        [(f.table, 0.8), (f.ladder_or_rack, 0.6), (outdoors.two_wheeler, 0.9), (f.chair, 0.4)],
    )  # fmt: skip


def room(scene: Scene) -> list[Camera]:
    """A room with furniture along its walls and in the middle, seen by a person who stands or sits in it."""
    r = scene.rng
    w, d, h = r.uniform(2.4, 6.5), r.uniform(2.6, 7.0), r.uniform(2.2, 3.1)
    furnished(scene, w, d, h)
    return [inside_camera(scene, w, d, h) for _ in range(12)]


def furnished(scene: Scene, w: float, d: float, h: float) -> list[Door]:
    """The shell of a room of w by d by h with furniture, people and things in it; returns its closed doors."""
    r = scene.rng
    doors = shell(scene, w, d, h)
    along, middle = lived_in(scene)
    taken: list[tuple[float, float, float]] = []

    def free(x: float, y: float, radius: float) -> bool:
        return all(math.hypot(x - a, y - b) > 0.8 * (radius + c) for a, b, c in taken)

    for _ in range(int(r.integers(5, 15))):
        piece, radius = along[int(r.integers(len(along)))]
        for _ in range(5):
            side = int(r.integers(4))
            angle = side * math.pi / 2
            long, off = ((w, d / 2), (d, w / 2))[side % 2]
            reach = 0.26 if piece in (f.shelf, f.ladder_or_rack) else (1.1 if piece is f.bed else 0.45)
            slide = r.uniform(-0.5, 0.5) * (long - 1.0)
            c, sn = math.cos(angle), math.sin(angle)
            x, y = off * sn - reach * sn + slide * c, -off * c + reach * c + slide * sn
            if free(x, y, radius):
                taken.append((x, y, radius))
                with scene.at(x, y, 0, angle + (r.normal(0, 0.2) if r.random() < 0.2 else 0.0)):
                    piece(scene)
                break
    for _ in range(int(r.integers(1, 8))):
        piece, radius = middle[int(r.integers(len(middle)))]
        x, y = r.uniform(-0.35, 0.35) * w, r.uniform(-0.35, 0.35) * d
        if free(x, y, radius):
            taken.append((x, y, radius))
            with scene.at(x, y, 0, r.uniform(0, 6.28)):
                piece(scene)
    if r.random() < 0.45:
        size = (r.uniform(1.0, 2.5), r.uniform(0.8, 2.0))
        scene.box(
            (r.normal(0, 0.5), r.normal(0, 0.5), 0.006), (*size, 0.012), m.cloth(scene), rotation(r.normal(0, 0.3))
        )
    for _ in range(int(r.integers(0, 3)) if r.random() < 0.45 else 0):
        x, y = r.uniform(-0.4, 0.4) * w, r.uniform(-0.4, 0.4) * d
        with scene.at(x, y, 0, r.uniform(0, 6.28)):
            if r.random() < 0.25:
                people.animal(scene, 0.4)
            elif r.random() < 0.35:
                people.seated(scene)
            else:
                people.person(scene)
    for _ in range(int(r.integers(0, 10))):
        with scene.at(r.uniform(-0.45, 0.45) * w, r.uniform(-0.45, 0.45) * d, 0, r.uniform(0, 6)):
            things.any_thing(scene)
    return doors


def inside_camera(scene: Scene, w: float, d: float, h: float) -> Camera:
    """A camera near one side of a room that looks across it, from the height of a seat to over one's head."""
    r = scene.rng
    angle = r.uniform(0, 2 * math.pi)
    x, y = 0.44 * w * math.cos(angle), 0.44 * d * math.sin(angle)
    high = float(np.clip(r.normal(1.4, 0.3), 0.5, h - 0.2))
    towards = r.normal(0, 0.35)
    target = (
        -x * 0.8 + towards * y, -y * 0.8 - towards * x,
        high + math.hypot(x, y) * 1.7 * math.tan(math.radians(r.normal(-11, 9))),
    )  # fmt: skip
    return Camera((x, y, high), target, tilt(r), min(field_of_view(r) + 5, 90))


def corridor(scene: Scene) -> list[Camera]:  # noqa: PLR0915
    """A long corridor with doors, lamps and now and then something in the way."""
    r = scene.rng
    w, long, h = r.uniform(1.3, 3.5), r.uniform(7, 30), r.uniform(2.2, 3.4)
    outdoors.daylight(scene)
    scene.haze = 0.0
    scene.lights.clear()
    scene.reach = 1.2
    tone = np.array(m.tint(r.uniform(0.05, 0.6), r.uniform(0, 0.15), 1.0))
    scene.ambient = np.stack([0.4 * tone, 0.35 * tone, 0.3 * tone]) * r.uniform(0.5, 1.3)
    paint = m.wall(scene)
    scene.box((0, 0, -0.05), (w + 1, long, 0.1), m.floor(scene))
    white = m.plain(scene, (0.7, 0.7, 0.68), 0.0)
    scene.box((0, 0, h + 0.05), (w + 1, long, 0.1), white)
    for sx in (-1, 1):
        with scene.at(sx * w / 2, 0, 0, sx * math.pi / 2):
            pierced_wall(scene, long, h, paint if sx < 0 or r.random() < 0.8 else m.wall(scene), None)
            x = -long / 2 + r.uniform(0.8, 2)
            step = r.uniform(1.8, 4.5)
            while x < long / 2 - 0.8:
                if r.random() < 0.75:
                    door(scene, x)
                elif r.random() < 0.5:
                    scene.box((x, 0.012, 1.5), (r.uniform(0.4, 1.2), 0.025, r.uniform(0.4, 0.8)), m.picture(scene))
                else:
                    with scene.at(x, 0.3, 0):
                        [f.cabinet, f.plant, f.chair, f.shelf][int(r.integers(4))](scene)
                x += step
            if r.random() < 0.3:
                scene.limb((-long / 2, 0.08, 0.95), (long / 2, 0.08, 0.95), 0.025, m.wood(scene))
            if r.random() < 0.4:
                scene.box((0, 0.01, 0.06), (long, 0.02, 0.12), m.plain(scene))
    with scene.at(0, long / 2, 0, math.pi):
        if r.random() < 0.4:
            scene.box(
                (0, 0.02, h * 0.5),
                (w * 0.7, 0.03, h * 0.6),
                m.make(scene, s.GRADED, (0.6, 0.7, 0.6), (0.9, 0.95, 1.0), glow=1.5),
            )
            scene.box((0, 0.04, h * 0.5), (w * 0.7, 0.03, h * 0.6), white, cut=(BARS, 0.4, 0.1))
        else:
            door(scene, 0.0)
        pierced_wall(scene, w + 1, h, paint, None)
    with scene.at(0, -long / 2, 0):
        pierced_wall(scene, w + 1, h, paint, None)
    shade = m.make(scene, s.PLAIN, (0.95, 0.95, 0.9), glow=2.5)
    lamps = int(np.clip(long / 3, 2, 4))
    for k in range(lamps):
        y = -long / 2 + (k + 0.5) * long / lamps
        scene.box((0, y, h - 0.03), (0.3 if r.random() < 0.5 else 1.2, 0.3, 0.06), shade)
        scene.lamp((0, y, h - 0.15), (1.6, 1.6, 1.5), 0.2)
    for _ in range(int(r.integers(0, 6))):
        with scene.at(r.uniform(-0.35, 0.35) * w, r.uniform(-0.5, 0.5) * long, 0, r.uniform(0, 6.28)):
            people.person(scene) if r.random() < 0.6 else f.ladder_or_rack(scene)
    cameras = []
    for _ in range(10):
        y = r.uniform(-0.48, -0.1) * long
        x = r.uniform(-0.35, 0.35) * w
        high = float(np.clip(r.normal(1.45, 0.25), 0.5, h - 0.25))
        ahead = r.uniform(3, 8)
        target = (
            x * 0.3 + r.normal(0, 0.12) * ahead,
            y + ahead,
            high + ahead * math.tan(math.radians(r.normal(-4, 6))),
        )
        cameras.append(Camera((x, y, high), target, tilt(r), field_of_view(r)))
    return cameras


def shop(scene: Scene) -> list[Camera]:
    """Aisles between shelves of goods (or of books), or one wall of shelves seen from near."""
    r = scene.rng
    long, h, aisle = r.uniform(4, 12), r.uniform(2.6, 4.0), r.uniform(1.3, 2.4)
    tall = r.uniform(1.5, 2.2)
    outdoors.daylight(scene)
    scene.haze = 0.0
    scene.lights.clear()
    scene.reach = 0.8
    scene.ambient = np.full((3, 3), 0.5) * r.uniform(0.7, 1.3)
    scene.box((0, 0, -0.05), (14, long + 6, 0.1), m.floor(scene))
    scene.box((0, 0, h), (14, long + 6, 0.1), m.plain(scene, (0.6, 0.6, 0.6), 0.0))
    for angle, off in ((0.0, long / 2 + 2.5), (math.pi, long / 2 + 2.5), (math.pi / 2, 6.5), (-math.pi / 2, 6.5)):
        with scene.at(off * math.sin(angle), -off * math.cos(angle), 0, angle):
            pierced_wall(scene, 20, h, m.wall(scene), None)
    steel = m.plain(scene, m.tint(0.6, 0.05, r.uniform(0.3, 0.9)), 0.1)
    rows = int(r.integers(3, 7))
    books = r.random() < 0.2
    sides = (-1, 1) if r.random() < 0.75 else (1,)
    for side in sides:
        with scene.at(side * (aisle / 2 + 0.25), 0, 0, side * math.pi / 2):
            scene.box((0, -0.22, tall / 2), (long, 0.03, tall), steel)
            for k in range(rows):
                z = 0.12 + k * (tall - 0.12) / rows
                scene.box((0, 0, z), (long, 0.45, 0.025), steel)
                scene.box((0, 0.23, z), (long, 0.01, 0.04), m.plain(scene, None, 0.0))
                with scene.at(0, 0.05, z + 0.0125):
                    if books:
                        things.fill_board(scene, long, 0.35, (tall - 0.12) / rows - 0.03)
                    else:
                        things.row_of_goods(scene, long, 0.36, (tall - 0.12) / rows - 0.03)
            for x in np.arange(-long / 2, long / 2 + 0.01, long / max(int(long / 1.5), 1)):
                scene.box((float(x), 0, tall / 2), (0.03, 0.45, tall), steel)
    for k in range(3):
        y = (k - 1) * long / 3
        scene.lamp((0, y, h - 0.2), (2.2, 2.2, 2.1), 0.25)
        scene.box((0, y, h - 0.08), (0.2, 1.4, 0.06), m.make(scene, s.PLAIN, (0.95, 0.95, 0.95), glow=2.5))
    for _ in range(int(r.integers(0, 4))):
        with scene.at(r.uniform(-0.35, 0.35) * aisle, r.uniform(-0.2, 0.6) * long, 0, r.uniform(0, 6.28)):
            people.person(scene)
    cameras = []
    for _ in range(10):
        y, x, high = r.uniform(-0.5, 0.1) * long, r.uniform(-0.4, 0.4) * aisle, r.uniform(0.9, 1.8)
        a = r.normal(0, 0.45)
        target = (x + math.sin(a) * 3, y + math.cos(a) * 3, high + 3 * math.tan(math.radians(r.normal(-8, 8))))
        cameras.append(Camera((x, y, high), target, tilt(r), field_of_view(r)))
    return cameras
