"""Views outdoors: streets between houses, parks and open land."""

import math

import numpy as np

from training.scenes import materials as m
from training.scenes import outdoors, people
from training.scenes import surfaces as s
from training.scenes.cameras import Camera, field_of_view, tilt
from training.scenes.scene import Scene


def street(scene: Scene) -> list[Camera]:  # noqa: PLR0912, PLR0915
    """A street along y between rows of houses, with cars, people, trees and poles; seen by a walker or a driver."""
    r = scene.rng
    outdoors.daylight(scene)
    road, walk, long = r.uniform(4, 12), r.uniform(1.2, 4), r.uniform(50, 140)
    scene.box((0, 0, -0.1), (600, 600, 0.1), m.ground(scene))
    scene.box((0, 0, -0.06), (road, long * 2, 0.1), m.paving(scene))
    paved = m.paving(scene)
    for side in (-1, 1):
        scene.box((side * (road + walk) / 2, 0, 0.0), (walk, long * 2, 0.24), paved, bevel=0.02)
        edge = side * (road / 2 + walk)
        y = -long * 0.4
        built = r.random() < 0.9
        while y < long:
            wide = r.uniform(5, 18)
            if built and r.random() < 0.9:
                back = r.uniform(0, 4) if r.random() < 0.3 else 0.0
                with scene.at(edge + side * back, y + wide / 2, 0.1, side * math.pi / 2):
                    outdoors.house(
                        scene, wide, r.uniform(6, 12), r.uniform(3.5, 8) if r.random() < 0.5 else r.uniform(8, 26)
                    )
                if back > 1.5 and r.random() < 0.7:
                    with scene.at(edge + side * 0.2, y + wide / 2, 0.1, side * math.pi / 2):
                        outdoors.fence(scene, wide)
            else:
                for _ in range(3):
                    with scene.at(edge + side * r.uniform(1, 8), y + r.uniform(0, wide)):
                        outdoors.tree(scene) if r.random() < 0.7 else outdoors.bush(scene)
            y += wide + (r.uniform(0, 5) if r.random() < 0.3 else 0.0)
        kerb = side * (road / 2 + 0.5)
        step = r.uniform(6, 20)
        trees = r.random() < 0.5
        for k in range(int(long / step)):
            with scene.at(kerb, -long * 0.2 + k * step, 0.1, side * math.pi / 2):
                if trees and k % 2 == 0:
                    outdoors.tree(scene, r.uniform(3.5, 8))
                else:
                    outdoors.pole(scene)
        parked = r.random() < 0.7
        for k in range(int(long / 6)):
            if parked and r.random() < 0.5:
                with scene.at(
                    side * (road / 2 - 1.1),
                    -long * 0.2 + k * 6.2,
                    0,
                    (0.0 if side > 0 else math.pi) + r.normal(0, 0.02),
                ):
                    outdoors.car(scene)
        for _ in range(int(r.integers(0, 7))):
            with scene.at(
                side * (road / 2 + walk * r.uniform(0.25, 0.9)),
                r.uniform(-0.2, 0.35) * long,
                0.12,
                r.choice([0, math.pi]) + r.normal(0, 0.4),
            ):
                people.person(scene)
        for _ in range(int(r.integers(0, 3))):
            with scene.at(side * (road / 2 + walk * 0.7), r.uniform(-0.1, 0.2) * long, 0.12, r.uniform(0, 6)):
                [outdoors.bench, outdoors.two_wheeler, outdoors.bush][int(r.integers(3))](scene)
    for _ in range(int(r.integers(0, 4))):
        lane = float(r.choice([-1, 1]))
        with scene.at(lane * road * 0.22, r.uniform(-0.05, 0.6) * long, 0, 0.0 if lane > 0 else math.pi):
            outdoors.car(scene) if r.random() < 0.75 else outdoors.two_wheeler(scene)
    if r.random() < 0.5:
        white = m.make(scene, s.PLAIN, (0.7, 0.7, 0.68), stains=0.5)
        for k in range(int(long / 6)):
            scene.box((0, -long * 0.3 + 6 * k, -0.008), (0.14, 2.5, 0.01), white)
    if r.random() < 0.6:
        with scene.at(0, long * 1.02, 0, 0):
            outdoors.house(scene, 30, 10, r.uniform(6, 25)) if r.random() < 0.5 else hills(scene)
    cameras = []
    for _ in range(12):
        y = r.uniform(-0.25, 0.1) * long
        on_walk = r.random() < 0.6
        x = float(
            r.choice([-1, 1]) * (road / 2 + walk * r.uniform(0.2, 0.8)) if on_walk else r.uniform(-0.4, 0.4) * road
        )
        high = float(np.clip(r.normal(1.6, 0.25), 0.6, 6.0) if r.random() < 0.9 else r.uniform(2.5, 9))
        ahead = 10.0
        a = r.normal(0, 0.3) - (0.25 * math.copysign(1.0, x) if on_walk else 0.0) * -1 * 0
        slope = r.normal(1 if high < 3 else -10, 5)
        target = (x * 0.6 + ahead * math.sin(a), y + ahead * math.cos(a), high + ahead * math.tan(math.radians(slope)))
        cameras.append(Camera((x, y, high), target, tilt(r), field_of_view(r)))
    return cameras


def hills(scene: Scene) -> None:
    """Hills and mountains along the horizon at +y."""
    r = scene.rng
    cover = m.make(
        scene, s.MIXED, m.tint(0.27, 0.35, 0.35), m.tint(0.2, 0.3, 0.25), size=(14, 14), bump=0.5, stains=0.4
    )
    for _ in range(int(r.integers(2, 8))):
        far = r.uniform(50, 500)
        wide = far * r.uniform(0.2, 0.6)
        scene.ball(
            (r.normal(0, 0.5) * far, far + wide * 0.4, -0.1 * wide),
            (wide, wide * 0.7, far * r.uniform(0.06, 0.35)),
            cover,
        )


def open_land(scene: Scene) -> list[Camera]:  # noqa: PLR0912
    """A park, a field, a forest's edge, a path or a shore."""
    r = scene.rng
    outdoors.daylight(scene)
    cover = m.ground(scene)
    scene.box((0, 0, -0.05), (3000, 3000, 0.1), cover)
    for _ in range(int(r.integers(0, 8))):
        far = r.uniform(6, 60)
        wide = far * r.uniform(0.3, 0.8)
        scene.ball((r.normal(0, 0.5) * far, far, -0.02 * wide), (wide, wide * 0.8, wide * r.uniform(0.03, 0.12)), cover)
    if r.random() < 0.65:
        hills(scene)
    if r.random() < 0.25:
        water = m.make(scene, s.PLAIN, m.tint(0.55, 0.5, 0.3), mirror=0.35, shine=0.8, sharp=80, bump=0.02, stains=0.1)
        scene.box((r.normal(0, 10), r.uniform(25, 60), 0.01), (r.uniform(20, 300), r.uniform(20, 60), 0.02), water)
    if r.random() < 0.55:
        path = m.paving(scene)
        bend = r.normal(0, 0.12)
        place, heading = (r.normal(0, 1.0), -6.0), r.normal(0, 0.15)
        wide = r.uniform(1.0, 4.0)
        for k in range(14):
            long = 3.0 + k
            with scene.at(place[0], place[1], 0.004 + 0.001 * k, -heading):
                scene.box((0, long / 2, 0), (wide, long * 1.15, 0.01), path)
            place = (place[0] + long * math.sin(heading), place[1] + long * math.cos(heading))
            heading += bend * r.uniform(0.3, 1.5)
    dense = r.random() < 0.35
    for _ in range(int(r.integers(15, 45)) if dense else int(r.integers(2, 16))):
        with scene.at(r.normal(0, 12), 2.5 + abs(r.normal(0, 25)), 0, r.uniform(0, 6)):
            outdoors.tree(scene)
    for _ in range(int(r.integers(0, 22))):
        with scene.at(r.normal(0, 6), 0.5 + abs(r.normal(0, 9)), 0, r.uniform(0, 6)):
            choice = r.random()
            if choice < 0.35:
                outdoors.tuft(scene)
            elif choice < 0.6:
                outdoors.bush(scene)
            elif choice < 0.85:
                outdoors.rock(scene)
            else:
                outdoors.bench(scene)
    for _ in range(int(r.integers(0, 6)) if r.random() < 0.6 else 0):
        with scene.at(r.normal(0, 3), 1.5 + abs(r.normal(0, 9)), 0, r.uniform(0, 6)):
            people.person(scene) if r.random() < 0.65 else people.animal(scene)
    if r.random() < 0.25:
        with scene.at(r.normal(0, 10), r.uniform(12, 45), 0, math.pi + r.normal(0, 0.4)):
            outdoors.house(scene, r.uniform(6, 14), 8, r.uniform(3.5, 7))
    if r.random() < 0.2:
        with scene.at(0, r.uniform(3, 12), 0, r.normal(0, 0.3)):
            outdoors.fence(scene, 40)
    cameras = []
    for _ in range(12):
        x, high = r.normal(0, 2.0), float(np.clip(r.normal(1.5, 0.35), 0.4, 3.0))
        a = r.normal(0, 0.25)
        target = (x + 10 * math.sin(a), -2.0 + 10 * math.cos(a), high + 10 * math.tan(math.radians(r.normal(-3, 5))))
        cameras.append(Camera((x, -2.0, high), target, tilt(r), field_of_view(r)))
    return cameras


def parked(scene: Scene) -> list[Camera]:
    """A car, a motorcycle or a bicycle near the camera, in a yard, a street or a garage."""
    r = scene.rng
    outdoors.daylight(scene)
    scene.box((0, 0, -0.05), (400, 400, 0.1), m.paving(scene))
    with scene.at(0, -r.uniform(2.2, 6), 0, r.normal(0, 0.1)):
        if r.random() < 0.5:
            scene.box((0, -0.5, 2.5), (30, 1.0, 5.0), m.wall(scene))
            for k in range(int(r.integers(0, 4))):
                scene.box(
                    (-5 + 3.3 * k, 0.02, 1.2), (r.uniform(1, 2.6), 0.1, r.uniform(1, 2.4)), m.wood(scene), bevel=0.03
                )
        else:
            outdoors.house(scene, 16, 8, r.uniform(4, 12))
    for k in range(int(r.integers(1, 5))):
        with scene.at(r.normal(0, 0.2) + (k - 1) * r.uniform(0.9, 2.8), r.normal(-0.3, 0.4), 0, r.uniform(0, 6.28)):
            outdoors.two_wheeler(scene) if r.random() < 0.65 else outdoors.car(scene)
    for _ in range(int(r.integers(0, 6))):
        with scene.at(r.normal(0, 3), r.uniform(-2, 0.5), 0, r.uniform(0, 6)):
            [outdoors.pole, outdoors.bush, outdoors.bench, people.person, outdoors.tuft][int(r.integers(5))](scene)
    cameras = []
    for _ in range(12):
        far, side = r.uniform(1.8, 5.0), r.uniform(-0.6, 0.6)
        place = (far * math.sin(side), far * math.cos(side), float(r.uniform(0.7, 1.8)))
        cameras.append(
            Camera(place, (float(r.normal(0, 0.4)), -0.3, float(r.uniform(0.4, 0.9))), tilt(r), field_of_view(r))
        )
    return cameras
