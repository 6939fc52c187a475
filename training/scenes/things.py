"""Small things: what stands and lies on tables, boards and floors; each rests on z = 0 of its frame."""

import math
from itertools import pairwise

from training.scenes import materials as m
from training.scenes.scene import Scene, rotation
from training.scenes.tracing import BLADES


def cup(scene: Scene) -> None:
    """A cup with a handle."""
    r = scene.rng
    radius, high = r.uniform(0.03, 0.05), r.uniform(0.06, 0.12)
    body = m.plain(scene)
    scene.post((0, 0, 0), radius * r.uniform(0.7, 1.0), radius, high, body, hollow=True)
    scene.post((0, 0, 0.004), radius * 0.65, radius * 0.9, high * 0.75, m.plain(scene, m.tint(0.08, 0.6, 0.25), 0.3))
    points = [
        (radius + 0.025 * math.sin(a), 0.0, high * 0.5 - high * 0.3 * math.cos(a)) for a in (0.0, 0.8, 1.6, 2.4, 3.14)
    ]
    for a, b in pairwise(points):
        scene.limb(a, b, 0.006, body)


def bottle(scene: Scene) -> None:
    """A bottle with a label."""
    r = scene.rng
    radius, high = r.uniform(0.025, 0.05), r.uniform(0.15, 0.32)
    glass = m.plain(scene, m.colour(scene, (0.2, 0.9), (0.1, 0.8)), 0.8)
    scene.post((0, 0, 0), radius, radius, high * 0.6, glass)
    scene.post((0, 0, high * 0.6), radius, radius * 0.35, high * 0.18, glass)
    scene.post((0, 0, high * 0.78), radius * 0.35, radius * 0.33, high * 0.22, glass)
    if r.random() < 0.7:
        scene.post((0, 0, high * 0.12), radius * 1.01, radius * 1.01, high * 0.35, m.picture(scene))


def can(scene: Scene) -> None:
    """A can, a jar or a roll."""
    r = scene.rng
    radius, high = r.uniform(0.025, 0.07), r.uniform(0.05, 0.2)
    scene.post((0, 0, 0), radius, radius, high, m.picture(scene) if r.random() < 0.6 else m.metal(scene))
    if r.random() < 0.5:
        scene.post((0, 0, high), radius * 0.9, radius * 0.9, 0.01, m.metal(scene))


def package(scene: Scene) -> None:
    """A carton or a box."""
    r = scene.rng
    size = (r.uniform(0.05, 0.25), r.uniform(0.03, 0.15), r.uniform(0.04, 0.3))
    cover = m.picture(scene) if r.random() < 0.6 else m.plain(scene)
    scene.box((0, 0, size[2] / 2), size, cover, bevel=0.003)


def book_pile(scene: Scene) -> None:
    """Books one on the other."""
    r = scene.rng
    z = 0.0
    for _ in range(int(r.integers(1, 6))):
        size = (r.uniform(0.14, 0.24), r.uniform(0.18, 0.3), r.uniform(0.01, 0.045))
        turn = rotation(r.normal(0, 0.25))
        scene.box((0, 0, z + size[2] / 2), size, m.picture(scene) if r.random() < 0.5 else m.plain(scene), turn)
        scene.box(
            (0.003, 0, z + size[2] / 2),
            (size[0], size[1] * 0.99, size[2] * 0.8),
            m.plain(scene, (0.75, 0.72, 0.62), 0.0),
            turn,
        )
        z += size[2]


def fruit_bowl(scene: Scene) -> None:
    """A bowl of fruit."""
    r = scene.rng
    radius = r.uniform(0.09, 0.16)
    scene.post((0, 0, 0), radius * 0.5, radius, radius * 0.6, m.plain(scene), hollow=True)
    base = m.tint(r.uniform(0.0, 0.3), r.uniform(0.5, 0.9), r.uniform(0.5, 0.9))
    for _ in range(int(r.integers(2, 9))):
        s = r.uniform(0.03, 0.045)
        a, d = r.uniform(0, 6.28), radius * 0.6 * math.sqrt(r.random())
        fruit = m.make(scene, 1, m.near(scene, base, 0.3), m.near(scene, base, 0.5), size=(0.04, 0.04), shine=0.2)
        scene.ball(
            (d * math.cos(a), d * math.sin(a), radius * 0.55 + s * r.uniform(0.2, 0.8)),
            (s, s, s * r.uniform(0.8, 1.1)),
            fruit,
        )


def ball(scene: Scene) -> None:
    """A ball."""
    s = scene.rng.uniform(0.02, 0.12)
    scene.ball((0, 0, s), (s, s, s), m.cloth(scene) if scene.rng.random() < 0.5 else m.plain(scene))


def vase(scene: Scene) -> None:
    """A vase with flowers or twigs."""
    r = scene.rng
    high, radius = r.uniform(0.12, 0.35), r.uniform(0.03, 0.08)
    body = m.plain(scene) if r.random() < 0.6 else m.cloth(scene)
    scene.ball((0, 0, high * 0.42), (radius, radius, high * 0.42), body)
    scene.post((0, 0, high * 0.7), radius * 0.5, radius * 0.65, high * 0.3, body, hollow=True)
    leaf, flower = m.foliage(scene), m.plain(scene, m.colour(scene, (0.4, 0.9), (0.5, 0.95)), 0.0)
    for _ in range(int(r.integers(0, 14))):
        a, lean, long = r.uniform(0, 6.28), r.uniform(0.05, 0.6), r.uniform(0.12, 0.3)
        end = (long * math.sin(lean) * math.cos(a), long * math.sin(lean) * math.sin(a), high + long * math.cos(lean))
        scene.limb((0, 0, high * 0.8), end, 0.0025, leaf)
        s = r.uniform(0.012, 0.035)
        scene.ball(end, (s, s, s * 0.7), flower if r.random() < 0.6 else leaf, cut=(1, 0.35, 2.5 / s))
        if r.random() < 0.6:
            half = (end[0] * 0.6, end[1] * 0.6, high + (end[2] - high) * 0.6)
            scene.ball(half, (0.045, 0.016, 0.003), leaf, rotation(a, 0.2, -0.4))


def screen(scene: Scene, wide: float = 0.5) -> None:
    """A monitor or television on its foot."""
    r = scene.rng
    high = wide * r.uniform(0.55, 0.65)
    dark = m.plain(scene, m.tint(0.6, 0.1, r.choice([0.1, 0.15, 0.75])), 0.2)
    lift = 0.1 if wide < 0.7 else 0.05
    scene.box((0, 0, 0.008), (wide * 0.45, 0.18, 0.015), dark)
    scene.box((0, -0.03, lift * 0.6), (0.05, 0.03, lift * 1.2), dark)
    turn = rotation(pitch=-r.uniform(0.0, 0.15))
    scene.box((0, 0, lift + high / 2), (wide, 0.03, high), dark, turn, bevel=0.006)
    face = m.picture(scene, glow=r.uniform(0.3, 1.2)) if r.random() < 0.65 else m.glass(scene)
    scene.box((0, 0.011, lift + high / 2), (wide * 0.95, 0.012, high * 0.92), face, turn)


def keyboard(scene: Scene) -> None:
    """A keyboard and a mouse."""
    r = scene.rng
    dark = m.plain(scene, m.tint(0.6, 0.05, r.choice([0.12, 0.2, 0.8])), 0.1)
    keys = m.plain(scene, m.tint(0.6, 0.05, r.choice([0.05, 0.3, 0.9])), 0.1)
    scene.box((0, 0, 0.01), (0.44, 0.15, 0.02), dark, bevel=0.005)
    for row in range(4):
        for column in range(10):
            scene.box((-0.19 + column * 0.042, 0.05 - row * 0.032, 0.022), (0.034, 0.025, 0.01), keys, bevel=0.003)
    scene.ball((0.3, 0.0, 0.012), (0.03, 0.05, 0.022), dark)


def laptop(scene: Scene) -> None:
    """An open laptop."""
    r = scene.rng
    shell = m.metal(scene)
    w, d = r.uniform(0.28, 0.38), r.uniform(0.2, 0.26)
    scene.box((0, 0, 0.01), (w, d, 0.018), shell, bevel=0.004)
    scene.box((0, 0.03, 0.0195), (w * 0.85, d * 0.45, 0.002), m.plain(scene, (0.03, 0.03, 0.03), 0.1))
    with scene.at(0, -d / 2, 0.02, pitch=-r.uniform(0.1, 0.6) * -1):
        scene.box((0, 0, d / 2), (w, 0.008, d), shell)
        scene.box((0, 0.004, d / 2), (w * 0.94, 0.003, d * 0.9), m.picture(scene, glow=r.uniform(0.2, 1.0)))


def small_plant(scene: Scene) -> None:
    """A succulent or a small pot of leaves."""
    r = scene.rng
    radius = r.uniform(0.03, 0.09)
    scene.post((0, 0, 0), radius * 0.75, radius, radius * 1.5, m.plain(scene))
    leaf = m.foliage(scene)
    if r.random() < 0.4:
        scene.ball((0, 0, radius * 2.2), (radius * 1.3, radius * 1.3, radius * 1.1), leaf, cut=(1, 0.45, 4.0 / radius))
        return
    for _ in range(int(r.integers(8, 26))):
        a, up, long = r.uniform(0, 6.28), r.uniform(0.2, 1.5), radius * r.uniform(1.5, 3.5)
        c, sn = math.cos(up) * long * 0.5, math.sin(up) * long * 0.5
        scene.ball(
            (c * math.cos(a), c * math.sin(a), radius * 1.5 + sn),
            (long * 0.55, radius * 0.28, radius * 0.08),
            leaf,
            rotation(a, 0, -up),
        )


def toy(scene: Scene) -> None:
    """A doll, a bear or a figure of balls and limbs."""
    r = scene.rng
    fur, s = m.cloth(scene), r.uniform(0.06, 0.16)
    scene.ball((0, 0, s * 1.0), (s * 0.7, s * 0.6, s * 0.85), fur)
    scene.ball((0, s * 0.1, s * 2.2), (s * 0.6, s * 0.55, s * 0.55), fur)
    for sx in (-1, 1):
        scene.ball((sx * s * 0.5, 0, s * 2.65), (s * 0.22, s * 0.12, s * 0.22), fur)
        scene.limb((sx * s * 0.6, 0, s * 1.5), (sx * s * 1.0, s * 0.5, s * 1.0), s * 0.2, fur)
        scene.limb((sx * s * 0.4, s * 0.2, s * 0.3), (sx * s * 0.6, s * 1.1, s * 0.25), s * 0.25, fur)
        scene.ball((sx * s * 0.2, s * 0.6, s * 2.3), (s * 0.07,) * 3, m.plain(scene, (0.01, 0.01, 0.01), 0.8))
    scene.ball((0, s * 0.6, s * 2.1), (s * 0.22, s * 0.18, s * 0.16), m.plain(scene))


def plate(scene: Scene) -> None:
    """A plate with food."""
    r = scene.rng
    radius = r.uniform(0.09, 0.15)
    scene.post((0, 0, 0), radius * 0.6, radius, 0.02, m.plain(scene, m.tint(r.random(), 0.1, 0.9), 0.3))
    for _ in range(int(r.integers(0, 7))):
        s = r.uniform(0.015, 0.045)
        a, d = r.uniform(0, 6.28), radius * 0.5 * math.sqrt(r.random())
        scene.ball(
            (d * math.cos(a), d * math.sin(a), 0.02 + s * 0.3), (s, s * 0.8, s * 0.5), m.cloth(scene), rotation(a)
        )


def tool(scene: Scene) -> None:
    """A pen, a spoon, scissors: something long that lies flat."""
    r = scene.rng
    long, thin = r.uniform(0.1, 0.22), r.uniform(0.003, 0.012)
    scene.limb((-long / 2, 0, thin), (long / 2, 0, thin), thin, m.plain(scene) if r.random() < 0.5 else m.metal(scene))
    if r.random() < 0.4:
        scene.ball((long / 2, 0, thin), (0.03, 0.02, thin), m.metal(scene))


def cone_or_pyramid(scene: Scene) -> None:
    """A cone, a candle, a lamp shade, a funnel."""
    r = scene.rng
    a, b = r.uniform(0.02, 0.1), r.uniform(0.003, 0.08)
    scene.post(
        (0, 0, 0),
        a,
        b,
        r.uniform(0.06, 0.3),
        m.cloth(scene) if r.random() < 0.5 else m.plain(scene),
        hollow=r.random() < 0.3,
    )


def crumpled_cloth(scene: Scene) -> None:
    """Cloth thrown down: a heap of flat folds."""
    r = scene.rng
    stuff = m.cloth(scene)
    for _ in range(int(r.integers(5, 14))):
        size = (r.uniform(0.05, 0.16), r.uniform(0.02, 0.06), r.uniform(0.015, 0.05))
        scene.ball(
            (r.normal(0, 0.08), r.normal(0, 0.08), size[2] * 0.6),
            size,
            stuff,
            rotation(r.uniform(0, 6), r.normal(0, 0.2), r.normal(0, 0.2)),
        )


def brush(scene: Scene) -> None:
    """Grass or bristles in a tray."""
    r = scene.rng
    w = r.uniform(0.08, 0.2)
    scene.box((0, 0, 0.03), (w, 0.06, 0.06), m.plain(scene), bevel=0.006)
    leaf = m.foliage(scene)
    for k in range(3):
        scene.box((0, -0.02 + 0.02 * k, 0.1), (w, 0.001, r.uniform(0.08, 0.14)), leaf, cut=(BLADES, 0.008, 0.4))


THINGS = [
    cup, cup, bottle, bottle, can, package, package, book_pile, book_pile, fruit_bowl, ball, vase, small_plant,
    small_plant,
    toy, plate, tool, cone_or_pyramid, crumpled_cloth, laptop, brush,
]  # fmt: skip


def any_thing(scene: Scene, scale: float = 1.0) -> None:
    """One thing, by chance; `scale` is left to the caller's choice of distance."""
    THINGS[int(scene.rng.integers(len(THINGS)))](scene)


def scatter(scene: Scene, width: float, deep: float, count: int) -> None:
    """Things on a rectangle about the origin, kept apart where there is room."""
    r = scene.rng
    taken: list[tuple[float, float]] = []
    for _ in range(count):
        for _ in range(6):
            x, y = r.uniform(-0.5, 0.5) * width, r.uniform(-0.5, 0.5) * deep
            if all(math.hypot(x - a, y - b) > 0.13 for a, b in taken):
                break
        else:
            continue
        taken.append((x, y))
        with scene.at(x, y, 0.0, r.uniform(0, 6.28)):
            any_thing(scene)


def fill_board(scene: Scene, width: float, deep: float, high: float) -> None:
    """What stands on one board of a shelf: rows of books, things, or nothing."""
    r = scene.rng
    kind = r.random()
    if kind < 0.12:
        return
    x = -width / 2
    if kind < 0.7:
        shared = m.plain(scene)
        while x < width / 2 - 0.05:
            if r.random() < 0.06:
                x += r.uniform(0.03, 0.25)
                continue
            thick, tall = r.uniform(0.012, 0.05), high * r.uniform(0.55, 0.93)
            cover = shared if r.random() < 0.3 else (m.plain(scene) if r.random() < 0.7 else m.picture(scene))
            lean = r.normal(0, 0.03) if r.random() < 0.9 else 0.2
            book = (thick, min(deep * r.uniform(0.5, 0.8), 0.24), tall)
            scene.box((x + thick / 2, r.uniform(-0.02, 0.04), tall / 2), book, cover, rotation(roll=lean), bevel=0.003)
            x += thick + 0.002
        return
    if kind < 0.85:
        row_of_goods(scene, width, deep, high)
        return
    while x < width / 2 - 0.1:
        with scene.at(x + 0.08, r.uniform(-0.03, 0.03), 0, r.uniform(0, 6)):
            if high > 0.3:
                any_thing(scene)
            else:
                [cup, can, package, ball, small_plant][int(r.integers(5))](scene)
        x += r.uniform(0.15, 0.4)


def row_of_goods(scene: Scene, width: float, deep: float, high: float) -> None:
    """Equal packages side by side, one kind after the other, as in a shop."""
    r = scene.rng
    x = -width / 2
    while x < width / 2 - 0.04:
        label = m.picture(scene) if r.random() < 0.85 else m.plain(scene)
        lid = m.plain(scene)
        shape = r.integers(3)
        w, tall = r.uniform(0.05, 0.16), min(r.uniform(0.08, 0.32), high * 0.92)
        facings = int(r.integers(1, 6))
        for _ in range(facings):
            if x + w > width / 2:
                return
            y = deep / 2 - w / 2 - (abs(r.normal(0, 0.03)) if r.random() < 0.5 else r.uniform(0, 0.1))
            if shape == 0:
                scene.box(
                    (x + w / 2, y - 0.02, tall / 2), (w * 0.95, w * 0.8, tall), label, rotation(r.normal(0, 0.05))
                )
            elif shape == 1:
                scene.post((x + w / 2, y, 0), w * 0.47, w * 0.47, tall * 0.8, label)
                scene.post((x + w / 2, y, tall * 0.8), w * 0.47, w * 0.15, tall * 0.1, lid)
                scene.post((x + w / 2, y, tall * 0.9), w * 0.16, w * 0.16, tall * 0.1, lid)
            else:
                scene.post((x + w / 2, y, 0), w * 0.48, w * 0.48, tall * 0.9, label)
                scene.post((x + w / 2, y, tall * 0.9), w * 0.48, w * 0.48, tall * 0.08, lid)
            x += w * 1.02
        x += r.uniform(0, 0.03)
