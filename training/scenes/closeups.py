"""Near views: desks and table tops, still lifes before a wall or cloth, and people before what is behind them."""

import math

import numpy as np

from training.scenes import furniture as f
from training.scenes import indoors, outdoors, people, things
from training.scenes import materials as m
from training.scenes import surfaces as s
from training.scenes.cameras import Camera, tilt
from training.scenes.scene import Scene, rotation


def around(
    scene: Scene, target: tuple[float, float, float], far: tuple[float, float], high: tuple[float, float], wide: float
) -> Camera:
    """A camera at a distance from `target`, `high` degrees above it, at +y give or take `wide` radians."""
    r = scene.rng
    distance, up, side = r.uniform(*far), math.radians(r.uniform(*high)), r.uniform(-wide, wide)
    place = (
        target[0] + distance * math.cos(up) * math.sin(side),
        target[1] + distance * math.cos(up) * math.cos(side),
        target[2] + distance * math.sin(up),
    )
    aim = (target[0] + r.normal(0, 0.12) * distance, target[1], target[2] + r.normal(0, 0.08) * distance)
    return Camera(place, aim, tilt(r), float(np.clip(r.normal(52, 10), 35, 80)))


def table_top(scene: Scene) -> list[Camera]:
    """A desk or table in a room, seen by the person who sits or stands at it."""
    r = scene.rng
    w, d, h = r.uniform(3, 6), r.uniform(3, 6), r.uniform(2.3, 2.9)
    indoors.shell(scene, w, d, h)
    y = -d / 2 + r.uniform(0.45, 1.4)
    with scene.at(0, y):
        top = 0.75
        if r.random() < 0.55:
            f.desk(scene)
        else:
            f.table(scene, r.uniform(0.9, 1.8), r.uniform(0.6, 0.9), top, laden=0.0)
            with scene.at(0, 0, top):
                things.scatter(scene, 1.3, 0.65, int(r.integers(6, 22)))
    for sx in (-1, 1):
        if r.random() < 0.7:
            with scene.at(sx * r.uniform(1.3, 2.0), -d / 2 + 0.4):
                [f.shelf, f.cabinet, f.plant, f.chair, f.ladder_or_rack][int(r.integers(5))](scene)
    for _ in range(int(r.integers(0, 3))):
        with scene.at(r.uniform(-1.2, 1.2), y + r.uniform(-0.3, 0.7), 0, math.pi + r.normal(0, 0.5)):
            f.chair(scene)
    return [around(scene, (float(r.uniform(-0.4, 0.4)), y, 0.78), (0.5, 1.7), (5, 55), 1.0) for _ in range(10)]


def still_life(scene: Scene) -> list[Camera]:
    """A few things on a table, a floor or steps before a wall, a cloth or boards, as in a studio; some are big."""
    r = scene.rng
    outdoors.daylight(scene)
    scene.haze = 0.0
    scene.lights.clear()
    scene.reach = 0.5
    scene.ambient = np.full((3, 3), 0.35) * r.uniform(0.5, 1.4)
    wide, deep = r.uniform(1.2, 3.0), r.uniform(0.4, 1.6)
    top = m.cloth(scene) if r.random() < 0.4 else m.floor(scene)
    back = m.picture(scene) if r.random() < 0.15 else (m.cloth(scene) if r.random() < 0.5 else m.wall(scene))
    scene.box((0, 0, -0.05), (wide * 2.5, deep * 2 + 1.5, 0.1), top)
    scene.box((0, -deep, 1.0), (wide * 3, 0.1, 2.4), back, rotation(r.normal(0, 0.25)))
    if r.random() < 0.4:
        scene.box((wide * 0.7, -deep * 0.3, 0.7), (0.05, deep * 1.6, 1.5), m.wall(scene), rotation(r.normal(0, 0.4)))
    if r.random() < 0.35:
        stuff = m.cloth(scene)
        for k in range(int(r.integers(5, 16))):
            x = -wide / 2 + k * wide / 10
            scene.limb(
                (x, -deep + 0.1, 1.6),
                (x + r.normal(0, 0.12), -deep * r.uniform(0.7, 0.95), 0.0),
                r.uniform(0.04, 0.11),
                stuff,
            )
    kind = r.random()
    if kind < 0.3:
        for _ in range(int(r.integers(1, 4))):
            with scene.at(r.uniform(-0.3, 0.3) * wide, r.uniform(-0.6, 0.3) * deep, 0, r.uniform(0, 6)):
                f.plant(scene, r.uniform(0.3, 0.8))
    elif kind < 0.5:
        for _ in range(int(r.integers(3, 12))):
            size = tuple(r.uniform(0.06, 0.35, 3).tolist())
            x, y = r.uniform(-0.4, 0.4) * wide, r.uniform(-0.8, 0.4) * deep
            cover = [m.picture, m.cloth, m.wood, m.plain][int(r.integers(4))](scene)
            scene.box((x, y, size[2] / 2), (size[0], size[1], size[2]), cover, rotation(r.uniform(0, 3)), bevel=0.004)
    for _ in range(int(r.integers(1, 4))):
        step = r.uniform(0.05, 0.25)
        if r.random() < 0.4:
            x, y = r.uniform(-0.3, 0.3) * wide, -deep * r.uniform(0.3, 0.8)
            scene.box((x, y, step / 2), (r.uniform(0.2, 0.7), r.uniform(0.15, 0.4), step), m.wood(scene), bevel=0.005)
            with scene.at(x, y, step):
                things.scatter(scene, 0.4, 0.15, int(r.integers(1, 4)))
    things.scatter(scene, wide * 0.8, deep * 1.5, int(r.integers(5, 24)))
    for _ in range(int(r.integers(0, 3))):
        long = r.uniform(0.4, 1.2)
        a = (r.uniform(-0.4, 0.4) * wide, r.uniform(-0.5, 0.3) * deep, 0.0)
        scene.limb(a, (a[0] + r.normal(0, 0.2), a[1] + r.normal(0, 0.15), long), r.uniform(0.006, 0.03), m.wood(scene))
    for _ in range(int(r.integers(1, 3))):
        strength = r.uniform(0.6, 2.5)
        scene.lamp(
            (r.uniform(-1.5, 1.5), r.uniform(0, 2), r.uniform(1.2, 2.4)),
            (strength, strength * 0.95, strength * 0.85),
            r.uniform(0.05, 0.3),
        )
    return [
        around(scene, (float(r.uniform(-0.25, 0.25)), float(-deep * 0.2), 0.15), (0.45, 2.0), (4, 45), 0.7)
        for _ in range(10)
    ]


def portrait(scene: Scene) -> list[Camera]:  # noqa: PLR0912
    """One to three people near the camera, in a room, a street or the open."""
    r = scene.rng
    kind = r.random()
    if kind < 0.45:
        w, d = r.uniform(4, 8), r.uniform(4, 9)
        indoors.shell(scene, w, d, r.uniform(2.4, 3.2))
        for _ in range(int(r.integers(1, 5))):
            with scene.at(r.uniform(-0.4, 0.4) * w, -d / 2 + 0.4):
                [f.shelf, f.cabinet, f.plant, f.sofa, f.desk][int(r.integers(5))](scene)
        y = float(r.uniform(-0.2, 0.1) * d)
        far = min(2.6, d * 0.42 - y * 0.5)
    else:
        outdoors.daylight(scene)
        scene.box((0, 0, -0.05), (400, 400, 0.1), m.ground(scene) if kind < 0.75 else m.paving(scene))
        for _ in range(int(r.integers(3, 15))):
            with scene.at(r.normal(0, 7), -r.uniform(2.5, 35), 0, r.uniform(-0.3, 0.3)):
                choice = r.random()
                if choice < 0.4:
                    outdoors.tree(scene)
                elif choice < 0.6:
                    outdoors.bush(scene)
                elif choice < 0.75:
                    people.person(scene)
                elif choice < 0.87:
                    outdoors.car(scene)
                else:
                    outdoors.bench(scene)
        if kind > 0.75:
            for k in range(-2, 3):
                with scene.at(k * 9.0, -r.uniform(8, 14), 0):
                    outdoors.house(scene, 9, 8, r.uniform(5, 15))
        y, far = 0.0, 4.0
    count = int(r.choice([1, 1, 2, 2, 3]))
    for k in range(count):
        pose = "sit" if r.random() < 0.3 else None
        with scene.at(
            (k - (count - 1) / 2) * r.uniform(0.5, 0.8),
            y + r.normal(0, 0.2),
            0,
            r.normal(0, 0.5) + (math.pi if r.random() < 0.1 else 0.0),
        ):
            if pose == "sit":
                people.seated(scene)
            elif r.random() < 0.12:
                people.animal(scene)
            else:
                people.person(scene)
    height = float(r.uniform(0.75, 1.35))
    return [around(scene, (0.0, y, height), (0.7, max(far, 1.0)), (-12, 18), 0.6) for _ in range(10)]


def floor_view(scene: Scene) -> list[Camera]:
    """Things on a floor or the ground seen from above: toys, shoes, boxes, a carpet, an animal."""
    r = scene.rng
    if r.random() < 0.7:
        indoors.shell(scene, r.uniform(3, 6), r.uniform(3, 6), 2.6)
    else:
        outdoors.daylight(scene)
        scene.box((0, 0, -0.05), (200, 200, 0.1), m.ground(scene) if r.random() < 0.6 else m.paving(scene))
        for _ in range(int(r.integers(2, 14))):
            with scene.at(r.normal(0, 1.2), r.normal(-0.8, 1.2)):
                outdoors.rock(scene, r.uniform(0.05, 0.3)) if r.random() < 0.5 else outdoors.tuft(scene)
    if r.random() < 0.5:
        scene.box(
            (0, 0, 0.005), (r.uniform(0.8, 2), r.uniform(0.6, 1.5), 0.01), m.cloth(scene), rotation(r.uniform(0, 3))
        )
    things.scatter(scene, 1.8, 1.8, int(r.integers(4, 16)))
    for _ in range(int(r.integers(0, 3))):
        with scene.at(r.normal(0, 0.5), r.uniform(-1.3, 0.2), 0, r.uniform(0, 6)):
            [lambda c: people.animal(c, 0.35), f.chair, lambda c: f.plant(c, 0.5), f.ladder_or_rack][
                int(r.integers(4))
            ](scene)
    return [around(scene, (0.0, float(r.uniform(-0.4, 0.2)), 0.08), (0.6, 1.7), (12, 65), 1.2) for _ in range(10)]


def garden_near(scene: Scene) -> list[Camera]:
    """Plants, stones and pots near the camera with the open land behind."""
    r = scene.rng
    outdoors.daylight(scene)
    scene.box((0, 0, -0.05), (400, 400, 0.1), m.ground(scene))
    for _ in range(int(r.integers(5, 16))):
        with scene.at(r.normal(0, 0.9), r.uniform(-3.0, 0.5), 0, r.uniform(0, 6)):
            choice = r.random()
            if choice < 0.35:
                f.plant(scene)
            elif choice < 0.55:
                outdoors.tuft(scene)
            elif choice < 0.75:
                outdoors.rock(scene, r.uniform(0.08, 0.35))
            elif choice < 0.9:
                outdoors.bush(scene)
            else:
                people.animal(scene)
    if r.random() < 0.5:
        with scene.at(0, -r.uniform(3, 8), 0, r.normal(0, 0.2)):
            outdoors.fence(scene, 16) if r.random() < 0.6 else scene.box((0, 0, 1.0), (14, 0.3, 2.0), m.wall(scene))
    for _ in range(int(r.integers(1, 8))):
        with scene.at(r.normal(0, 8), -r.uniform(5, 30)):
            outdoors.tree(scene)
    if r.random() < 0.3:
        scene.box(
            (0, -0.3, 0.35),
            (1.4, 0.8, 0.7),
            m.make(scene, s.MIXED, m.tint(0.08, 0.3, 0.5), m.tint(0.08, 0.3, 0.35), size=(0.2, 0.2)),
            bevel=0.02,
        )
        with scene.at(0, -0.3, 0.7):
            things.scatter(scene, 1.1, 0.5, 5)
    return [around(scene, (0.0, -0.8, float(r.uniform(0.2, 0.7))), (0.9, 2.8), (2, 35), 0.5) for _ in range(10)]
