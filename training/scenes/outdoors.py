"""What stands outside: trees, cars, bicycles, houses, poles, fences, rocks; the sky and the sun."""

import math

import numpy as np

from training.scenes import materials as m
from training.scenes import surfaces as s
from training.scenes.scene import Scene, rotation
from training.scenes.tracing import BARS, BLADES, WHEEL


def daylight(scene: Scene) -> None:
    """A sky with its sun (or clouds) and the light that comes from both."""
    r = scene.rng
    kind = r.random()
    high, turn = math.radians(r.uniform(12, 70)), r.uniform(0, 2 * math.pi)
    direction = (math.cos(high) * math.cos(turn), math.cos(high) * math.sin(turn), math.sin(high))
    if kind < 0.55:
        zenith = np.array(m.tint(r.uniform(0.55, 0.62), r.uniform(0.35, 0.75), r.uniform(0.55, 0.9)))
        horizon = np.array(m.tint(r.uniform(0.53, 0.6), r.uniform(0.05, 0.25), r.uniform(0.8, 1.0)))
        warm = max(0.0, 1.0 - high / 0.7)
        strength = r.uniform(1.5, 3.5)
        scene.sun(
            direction,
            (strength, strength * (0.95 - 0.25 * warm), strength * (0.85 - 0.45 * warm)),
            r.uniform(0.01, 0.05),
        )
        clouds, glow = r.uniform(0, 1), 0.5
    elif kind < 0.9:
        grey = r.uniform(0.5, 0.95)
        zenith = np.array(m.tint(0.6, r.uniform(0, 0.12), grey))
        horizon = np.array(m.tint(0.6, r.uniform(0, 0.08), min(grey * 1.15, 1.0)))
        clouds, glow = r.uniform(0, 0.6), 0.0
        scene.sun(direction, (0.5, 0.5, 0.5), 0.5)
    else:
        zenith = np.array(m.tint(r.uniform(0.6, 0.72), 0.5, r.uniform(0.15, 0.5)))
        horizon = np.array(m.tint(r.uniform(0.0, 0.1), r.uniform(0.4, 0.8), r.uniform(0.5, 0.95)))
        clouds, glow = r.uniform(0, 0.8), 0.3
        scene.sun((direction[0], direction[1], 0.15), (1.2, 0.7, 0.4), 0.05)
    scene.sky[:3], scene.sky[3:6], scene.sky[6:9] = zenith, horizon, 0.5 * horizon
    scene.sky[9], scene.sky[13], scene.sky[14] = clouds, glow, r.integers(1, 999)
    scene.sky[10:13] = np.array(direction) / np.linalg.norm(direction)
    scene.ambient = np.stack([0.9 * zenith + 0.2 * horizon, 0.35 * zenith + 0.35 * horizon, 0.22 * horizon])
    scene.reach = 2.5
    scene.haze = float(r.choice([0.0, 0.0, r.uniform(60, 500)]))


def tree(scene: Scene, high: float | None = None) -> None:
    """A broad-leaved tree, a fir, a palm or a bare tree."""
    r = scene.rng
    h = high or r.uniform(3, 12)
    bark = m.make(
        scene, s.MIXED, m.tint(0.08, 0.35, r.uniform(0.2, 0.45)), m.tint(0.08, 0.3, 0.15), size=(0.08, 0.4), bump=0.6
    )
    leaf = m.foliage(scene)
    kind = r.random()
    thick = h * r.uniform(0.015, 0.035)
    if kind < 0.55:
        fork = h * r.uniform(0.25, 0.45)
        scene.limb((0, 0, -0.1), (r.normal(0, 0.02) * h, r.normal(0, 0.02) * h, fork), thick, bark, thick * 0.7)
        for _ in range(int(r.integers(3, 7))):
            a = r.uniform(0, 6.28)
            scene.limb(
                (0, 0, fork * 0.9),
                (math.cos(a) * h * 0.18, math.sin(a) * h * 0.18, h * r.uniform(0.5, 0.75)),
                thick * 0.5,
                bark,
                thick * 0.2,
            )
        for _ in range(int(r.integers(5, 13))):
            a, d = r.uniform(0, 6.28), h * 0.22 * math.sqrt(r.random())
            size = h * r.uniform(0.1, 0.2)
            place = (d * math.cos(a), d * math.sin(a), h * r.uniform(0.5, 0.88))
            scene.ball(
                place,
                (size, size, size * r.uniform(0.6, 0.95)),
                leaf,
                rotation(a),
                cut=(1, r.uniform(0.38, 0.5), r.uniform(5.0, 9.0) / size),
            )
    elif kind < 0.8:
        scene.post((0, 0, -0.1), thick, thick * 0.3, h * 0.95, bark)
        layers = int(r.integers(4, 9))
        for k in range(layers):
            z = h * (0.15 + 0.8 * k / layers)
            wide = h * 0.24 * (1.0 - 0.85 * k / layers)
            scene.post((0, 0, z), wide, wide * 0.25, h * 1.0 / layers, leaf, cut=(1, 0.43, r.uniform(6.0, 10.0) / wide))
    elif kind < 0.88:
        top = (r.normal(0, 0.06) * h, r.normal(0, 0.06) * h, h * 0.85)
        scene.limb((0, 0, -0.1), top, thick, bark, thick * 0.7)
        for _ in range(16):
            a = r.uniform(0, 6.28)
            droop = r.uniform(-0.5, 0.6)
            reach = h * 0.16
            centre = (top[0] + reach * math.cos(a), top[1] + reach * math.sin(a), top[2] + reach * droop)
            scene.ball(centre, (reach, reach * 0.22, reach * 0.04), leaf, rotation(a, 0.0, -droop), cut=(1, 0.3, 4.0))
    else:
        branches = [((0.0, 0.0, -0.1), (0.0, 0.0, h * 0.35), thick)]
        while branches:
            start, end, t = branches.pop()
            scene.limb(start, end, t, bark, t * 0.7)
            if t < thick * 0.25:
                continue
            length = math.dist(start, end) * 0.72
            for _ in range(2 if t > thick * 0.4 else 3):
                a, up = r.uniform(0, 6.28), r.uniform(0.2, 1.2)
                tip = (
                    end[0] + length * math.cos(up) * math.cos(a), end[1] + length * math.cos(up) * math.sin(a),
                    end[2] + length * math.sin(up),
                )  # fmt: skip
                branches.append((end, tip, t * 0.62))


def bush(scene: Scene) -> None:
    """A bush or a part of a hedge."""
    r = scene.rng
    leaf = m.foliage(scene)
    for _ in range(int(r.integers(1, 5))):
        size = r.uniform(0.25, 0.8)
        scene.ball(
            (r.normal(0, 0.4), r.normal(0, 0.3), size * 0.6),
            (size, size, size * 0.8),
            leaf,
            cut=(1, r.uniform(0.38, 0.5), r.uniform(12, 28)),
        )


def tuft(scene: Scene) -> None:
    """A tuft of grass."""
    r = scene.rng
    leaf = m.foliage(scene)
    for _ in range(3):
        h = r.uniform(0.1, 0.5)
        scene.box(
            (r.normal(0, 0.05), r.normal(0, 0.05), h / 2),
            (r.uniform(0.2, 0.6), 0.002, h),
            leaf,
            rotation(r.uniform(0, 3), r.normal(0, 0.2)),
            cut=(BLADES, 0.02, r.normal(0, 0.3)),
        )


def wheel(scene: Scene, radius: float, wide: float, spokes: float = 0.0) -> None:
    """A wheel about the origin whose axle lies along x; with `spokes` one can look through it."""
    rubber = m.make(scene, s.PLAIN, (0.02, 0.02, 0.02), stains=0.1)
    turn = rotation(roll=math.pi / 2)
    if spokes > 0.0:
        scene.post((-wide / 2, 0, 0), radius, radius, wide, rubber, turn, cut=(WHEEL, 0.88, spokes))
        return
    scene.post((-wide / 2, 0, 0), radius, radius, wide, rubber, turn)
    scene.post((-wide / 2 - 0.01, 0, 0), radius * 0.62, radius * 0.62, wide + 0.02, m.metal(scene), turn)


def car(scene: Scene) -> None:
    """A car, a van or a bus along y."""
    r = scene.rng
    paint = m.make(
        scene, s.PLAIN, m.colour(scene, (0.0, 0.9), (0.1, 0.9)), shine=0.8, sharp=60, mirror=0.08, stains=0.05
    )
    dark = m.make(scene, s.PLAIN, (0.02, 0.025, 0.03), shine=0.8, sharp=100, mirror=0.2, stains=0.0)
    w, long = r.uniform(1.65, 1.9), r.uniform(3.6, 4.8)
    kind = r.random()
    low = r.uniform(0.16, 0.25)
    if kind < 0.78:
        body, roof = r.uniform(0.75, 0.95), r.uniform(1.35, 1.75)
        scene.box((0, 0, (low + body) / 2), (w, long, body - low), paint, bevel=0.12)
        scene.ball((0, long * 0.36, body - 0.12), (w * 0.47, long * 0.14, 0.18), paint)
        cabin, back = long * r.uniform(0.4, 0.6), -long * r.uniform(0.02, 0.12)
        scene.box((0, back, (body + roof) / 2), (w * 0.86, cabin * 0.82, roof - body), dark, bevel=0.15)
        for sy, lean in ((1, 0.75), (-1, -0.6)):
            glass = rotation(pitch=lean)
            scene.box(
                (0, back + sy * cabin * 0.42, (body + roof) / 2 - 0.08),
                (w * 0.84, 0.05, (roof - body) * 1.25),
                dark,
                glass,
            )
        scene.box((0, back, roof), (w * 0.84, cabin * 0.85, 0.08), paint, bevel=0.06)
        for sx in (-1, 1):
            for y in (-0.41, 0.0, 0.41):
                scene.box((sx * w * 0.425, back + y * cabin, (body + roof) / 2), (0.05, 0.07, roof - body), paint)
            scene.ball((sx * (w / 2 + 0.06), back + cabin * 0.42, body + 0.08), (0.09, 0.06, 0.07), paint)
    else:
        roof = r.uniform(1.9, 3.0)
        long *= r.uniform(1.1, 2.2)
        scene.box((0, 0, (low + roof) / 2), (w * 1.15, long, roof - low), paint, bevel=0.1)
        scene.box((0, long / 2 + 0.005, roof * 0.68), (w * 1.02, 0.02, roof * 0.36), dark)
        for sx in (-1, 1):
            scene.box((sx * w * 0.578, 0, roof * 0.7), (0.01, long * 0.9, roof * 0.28), dark)
        w *= 1.15
    lamp = m.make(scene, s.PLAIN, (0.85, 0.85, 0.8), shine=1.0, glow=r.choice([0.0, 1.5]))
    tail = m.make(scene, s.PLAIN, (0.5, 0.02, 0.02), shine=0.5, glow=r.choice([0.0, 0.8]))
    for sx in (-1, 1):
        scene.ball((sx * w * 0.37, long / 2, 0.62), (0.16, 0.05, 0.08), lamp)
        scene.box((sx * w * 0.41, -long / 2, 0.72), (0.2, 0.03, 0.14), tail, bevel=0.02)
        for y in (-0.31, 0.32):
            with scene.at(sx * (w / 2 - 0.08), y * long, 0.31):
                wheel(scene, 0.31, 0.2)
    for sy in (-1, 1):
        scene.box((0, sy * (long / 2 + 0.01), 0.42), (0.5, 0.02, 0.11), m.plain(scene, (0.7, 0.7, 0.65), 0.1))
        scene.box((0, sy * (long / 2 - 0.02), 0.35), (w * 0.97, 0.12, 0.18), dark, bevel=0.05)


def two_wheeler(scene: Scene) -> None:
    """A bicycle or a motorcycle along y."""
    r = scene.rng
    motor = r.random() < 0.5
    radius, base = (0.3, 1.35) if motor else (0.34, 1.02)
    frame, black = (
        m.metal(scene) if r.random() < 0.3 else m.plain(scene, None, 0.5),
        m.plain(scene, (0.02, 0.02, 0.02), 0.2),
    )
    chrome = m.metal(scene)
    front, rear = (0.0, base / 2, radius), (0.0, -base / 2, radius)
    t = 0.03 if motor else 0.016
    for place in (front, rear):
        with scene.at(*place):
            wheel(scene, radius, 0.11 if motor else 0.03, 10 if motor else 16)
    grip_y, grip_z = base * 0.27, radius * 2 + 0.38
    seat_y, seat_z = -base * 0.2, radius * 2 + (0.15 if motor else 0.25)
    crank = (0.0, -0.02, radius * 0.95)
    for x in (-0.05, 0.05):
        scene.limb((x, front[1], front[2]), (x, grip_y, grip_z - 0.1), t, chrome if motor else frame)
        scene.limb((x, rear[1], rear[2]), (x * 0.6, seat_y, seat_z - 0.15), t * 0.7, frame)
        scene.limb((x, rear[1], rear[2]), crank, t * 0.8, frame)
    scene.limb(crank, (0, seat_y, seat_z - 0.03), t, frame)
    scene.limb(crank, (0, grip_y, grip_z - 0.2), t * 1.2, frame)
    scene.limb((0, seat_y, seat_z - 0.15), (0, grip_y, grip_z - 0.15), t * 1.2, frame)
    scene.limb((-0.3, grip_y - 0.1, grip_z), (0.3, grip_y - 0.1, grip_z), 0.013, chrome)
    for x in (-0.28, 0.28):
        scene.limb((x, grip_y - 0.16, grip_z), (x, grip_y - 0.1, grip_z), 0.018, black)
        scene.limb((0, crank[1], crank[2]), (x * 0.5, crank[1] + 0.12, crank[2] - 0.1), 0.012, chrome)
    scene.ball(
        (0, seat_y - (0.15 if motor else 0), seat_z), (0.13 if motor else 0.07, 0.3 if motor else 0.13, 0.06), black
    )
    if motor:
        paint = m.make(scene, s.PLAIN, m.colour(scene, (0.3, 0.95), (0.2, 0.9)), shine=1.0, sharp=60, mirror=0.1)
        scene.ball((0, 0.12, seat_z + 0.05), (0.15, 0.27, 0.14), paint)
        scene.ball((0, grip_y + 0.12, grip_z - 0.16), (0.1, 0.09, 0.1), chrome)
        scene.box((0, 0.0, radius + 0.12), (0.3, 0.42, 0.34), m.metal(scene), bevel=0.05)
        for k in range(4):
            scene.box((0, 0.02, radius + 0.05 + k * 0.06), (0.36, 0.34, 0.02), m.metal(scene))
        for x in (-0.14, 0.16):
            scene.limb((x, 0.2, radius - 0.02), (x, -base * 0.6, radius - 0.02), 0.045, chrome)
        for place in (front, rear):
            scene.ball(
                (0, place[1], radius * 1.5), (0.08, radius * 0.9, radius * 0.62), paint, cut=(0, 0, 0)
            ) if r.random() < 0.5 else None
        scene.ball((0, -base * 0.52, seat_z - 0.02), (0.12, 0.22, 0.1), paint)
    elif r.random() < 0.4:
        scene.box((0, grip_y + 0.15, grip_z - 0.05), (0.34, 0.26, 0.22), chrome, cut=(BARS, 0.03, 0.3))


def house(scene: Scene, wide: float, deep: float, high: float) -> None:  # noqa: PLR0912
    """A house whose street side is +y: its wall with windows as a texture or built, a door, a shop, a roof."""
    r = scene.rng
    base = m.tint(r.choice([r.uniform(0, 1), r.normal(0.09, 0.03)]), r.uniform(0.0, 0.5), r.uniform(0.35, 0.9))
    storey = r.uniform(2.7, 3.5)
    step = r.uniform(1.4, 3.2)
    built = r.random() < 0.5
    glass = m.tint(0.6, 0.2, r.uniform(0.08, 0.5))
    if built:
        facing = (
            m.make(scene, s.BRICKS, base, m.near(scene, base, 0.3), (0.4, 0.38, 0.36), size=(0.24, 0.08))
            if r.random() < 0.4 else m.make(scene, s.ASPHALT, base, m.near(scene, base, 0.15), size=(3, 3), stains=0.3)
        )  # fmt: skip
    else:
        facing = m.make(
            scene, s.FACADE, base, m.near(scene, base, 0.15), glass, size=(step, storey), mirror=0.0, stains=0.2
        )
    scene.box((0, -deep / 2, high / 2), (wide, deep, high), facing)
    if built:
        pane = m.make(scene, s.PLAIN, glass, shine=0.6, sharp=80, mirror=r.uniform(0.08, 0.3))
        frame = m.plain(scene, m.tint(0.1, r.uniform(0, 0.2), r.choice([0.9, 0.3])), 0.0)
        columns, rows = max(int(wide / step), 1), max(int(high / storey), 1)
        w, h = step * r.uniform(0.4, 0.65), storey * r.uniform(0.4, 0.6)
        balcony = r.random() < 0.3
        for i in range(columns):
            for j in range(rows):
                x, z = -wide / 2 + (i + 0.5) * wide / columns, (j + 0.55) * storey
                if z + h / 2 > high:
                    continue
                scene.box((x, 0.0, z), (w + 0.12, 0.1, h + 0.12), frame)
                scene.box((x, 0.02, z), (w, 0.08, h), pane)
                scene.box((x, 0.04, z), (0.06, 0.08, h), frame)
                scene.box((x, 0.1, z - h / 2 - 0.08), (w + 0.2, 0.24, 0.06), frame)
                if balcony and j > 0:
                    scene.box((x, 0.5, z - h / 2 - 0.15), (w * 1.5, 1.0, 0.12), frame)
                    scene.box((x, 1.0, z - h / 2 + 0.4), (w * 1.5, 0.03, 1.0), m.metal(scene), cut=(BARS, 0.12, 0.2))
    x = r.uniform(-0.4, 0.4) * wide
    door = m.wood(scene) if r.random() < 0.6 else m.plain(scene)
    scene.box((x, 0.02, 1.1), (1.1, 0.1, 2.2), door, bevel=0.02)
    scene.box((x, 0.2, 0.08), (1.5, 0.5, 0.16), facing)
    if r.random() < 0.4:
        sign = m.picture(scene, glow=float(r.choice([0.0, 0.5])))
        scene.box((x * -0.5, 0.08, 2.9), (wide * 0.6, 0.15, 0.6), sign)
        scene.box((x * -0.5, 0.05, 1.4), (wide * 0.5, 0.12, 2.0), m.glass(scene))
        if r.random() < 0.5:
            scene.box((x * -0.5, 0.7, 2.5), (wide * 0.6, 1.4, 0.04), m.cloth(scene), rotation(pitch=-0.35))
    if r.random() < 0.55:
        tile = m.make(
            scene, s.BRICKS, m.tint(0.03, 0.5, 0.45), m.tint(0.03, 0.4, 0.35), (0.1, 0.06, 0.05), size=(0.3, 0.3)
        )
        pitch = r.uniform(0.4, 0.8)
        long = deep / 2 / math.cos(pitch) + 0.4
        for sign_y in (-1, 1):
            centre = (0.0, -deep / 2 + sign_y * deep / 4, high + deep / 4 * math.tan(pitch))
            scene.box(centre, (wide + 0.6, long, 0.15), tile, rotation(pitch=-sign_y * pitch))
        for k in range(6):
            part = (k + 0.5) / 6
            scene.box(
                (0, -deep / 2, high + part * deep / 2 * math.tan(pitch) * 0.95),
                (wide, deep * (1 - part) * 0.92, deep / 12 * math.tan(pitch)),
                facing,
            )
    elif r.random() < 0.5:
        scene.box((0, 0.15, high), (wide + 0.3, 0.6, 0.35), facing)


def pole(scene: Scene) -> None:
    """A street lamp, a traffic light, a sign."""
    r = scene.rng
    metal = m.metal(scene)
    kind = r.integers(4)
    if kind == 0:
        h = r.uniform(4, 8)
        scene.post((0, 0, 0), 0.09, 0.05, h, metal)
        scene.limb((0, 0, h), (0, 1.4, h + 0.3), 0.04, metal)
        scene.ball((0, 1.5, h + 0.28), (0.13, 0.35, 0.08), m.plain(scene, (0.8, 0.8, 0.75)))
    elif kind == 1:
        scene.post((0, 0, 0), 0.06, 0.06, 2.6, metal)
        scene.box((0, 0.1, 3.0), (0.3, 0.25, 0.9), m.plain(scene, (0.03, 0.03, 0.03)), bevel=0.03)
        for k, c in enumerate([(0.05, 0.6, 0.2), (0.6, 0.5, 0.05), (0.7, 0.05, 0.05)]):
            scene.ball(
                (0, 0.22, 2.72 + 0.28 * k),
                (0.1, 0.04, 0.1),
                m.make(scene, s.PLAIN, c, glow=1.5 if r.random() < 0.4 else 0.0),
            )
    elif kind == 2:
        scene.post((0, 0, 0), 0.03, 0.03, 2.4, metal)
        if r.random() < 0.5:
            scene.post((0, 0.03, 2.4), 0.32, 0.32, 0.02, m.picture(scene), rotation(pitch=math.pi / 2))
        else:
            scene.box((0, 0.04, 2.4), (0.6, 0.02, 0.6), m.picture(scene))
    else:
        scene.post((0, 0, 0), 0.1, 0.07, 0.9, m.plain(scene))
        scene.ball((0, 0, 0.9), (0.08, 0.08, 0.08), m.plain(scene))


def bench(scene: Scene) -> None:
    """A park bench."""
    wood, iron = m.wood(scene, polish=False), m.metal(scene)
    w = scene.rng.uniform(1.2, 2.0)
    for k in range(4):
        scene.box((0, -0.18 + 0.12 * k, 0.45), (w, 0.1, 0.03), wood)
    for k in range(3):
        scene.box((0, -0.28 - 0.03 * k, 0.6 + 0.13 * k), (w, 0.03, 0.1), wood)
    for sx in (-1, 1):
        scene.box((sx * w * 0.4, 0, 0.22), (0.05, 0.45, 0.44), iron, bevel=0.02)


def rock(scene: Scene, size: float | None = None) -> None:
    """A rock, half in the ground."""
    r = scene.rng
    k = size or math.exp(r.normal(-1.0, 0.7))
    base = m.tint(r.normal(0.09, 0.04), r.uniform(0, 0.25), r.uniform(0.25, 0.7))
    stone = m.make(scene, s.MIXED, base, m.near(scene, base, 0.5), size=(k * 0.4, k * 0.4), bump=0.9, stains=0.5)
    for _ in range(3):
        size3 = (k * r.uniform(0.6, 1.2), k * r.uniform(0.5, 1.0), k * r.uniform(0.35, 0.8))
        scene.ball(
            (r.normal(0, 0.4) * k, r.normal(0, 0.4) * k, 0.1 * k),
            size3,
            stone,
            rotation(r.uniform(0, 6), r.normal(0, 0.3), r.normal(0, 0.3)),
        )


def fence(scene: Scene, long: float) -> None:
    """A fence along x."""
    r = scene.rng
    h = r.uniform(0.8, 1.9)
    kind = r.integers(3)
    if kind == 0:
        scene.box(
            (0, 0, h / 2), (long, 0.03, h), m.metal(scene), cut=(BARS, r.uniform(0.09, 0.2), r.uniform(0.12, 0.25))
        )
    elif kind == 1:
        scene.box(
            (0, 0, h / 2),
            (long, 0.03, h),
            m.wood(scene, polish=False),
            cut=(BARS, r.uniform(0.1, 0.2), r.uniform(0.6, 0.85)),
        )
    else:
        scene.box((0, 0, h * 0.35), (long, 0.25, h * 0.7), m.wall(scene))
    for k in range(int(long / 2) + 1):
        scene.post((-long / 2 + 2.0 * k, 0, 0), 0.05, 0.05, h * 1.05, m.wood(scene, polish=False))
