"""Furniture: each piece stands on z = 0 about the origin of its frame and faces +y (away from the wall behind it)."""

import math

from training.scenes import materials as m
from training.scenes import things
from training.scenes.scene import Scene, rotation
from training.scenes.tracing import BARS


def table(
    scene: Scene, width: float | None = None, deep: float | None = None, high: float | None = None, laden: float = 0.8
) -> None:
    """A dining, coffee or side table with things on it."""
    r = scene.rng
    width = width or r.uniform(0.6, 2.0)
    deep = deep or r.uniform(0.5, 1.0)
    high = high or (r.uniform(0.68, 0.8) if r.random() < 0.7 else r.uniform(0.35, 0.55))
    top = m.wood(scene) if r.random() < 0.6 else m.plain(scene)
    legs = top if r.random() < 0.5 else m.metal(scene)
    thick = r.uniform(0.02, 0.06)
    if r.random() < 0.25:
        round_radius = min(width, deep) * 0.6
        scene.post((0, 0, high - thick), round_radius, round_radius, thick, top)
        scene.post((0, 0, 0), 0.05, 0.04, high - thick, legs)
        scene.post((0, 0, 0), round_radius * 0.6, round_radius * 0.5, 0.03, legs)
        width = deep = round_radius * 1.3
    else:
        scene.box((0, 0, high - thick / 2), (width, deep, thick), top, bevel=0.008)
        w = r.uniform(0.015, 0.04)
        for sx in (-1, 1):
            for sy in (-1, 1):
                base = (sx * (width / 2 - w * 2), sy * (deep / 2 - w * 2), 0.0)
                if r.random() < 0.5:
                    scene.box((base[0], base[1], (high - thick) / 2), (2 * w, 2 * w, high - thick), legs)
                else:
                    scene.post(base, w * 0.7, w, high - thick, legs)
        if r.random() < 0.4:
            scene.box((0, 0, high - thick - 0.05), (width - 0.1, deep - 0.1, 0.08), legs)
    if r.random() < laden:
        with scene.at(0, 0, high):
            things.scatter(scene, width * 0.85, deep * 0.85, int(r.integers(2, 12)))


def chair(scene: Scene) -> None:
    """A kitchen chair, a stool or an office chair."""
    r = scene.rng
    wood = m.wood(scene) if r.random() < 0.6 else m.plain(scene)
    seat = wood if r.random() < 0.5 else m.cloth(scene)
    w, d, h = r.uniform(0.38, 0.5), r.uniform(0.38, 0.5), r.uniform(0.42, 0.48)
    leg = r.uniform(0.014, 0.024)
    kind = r.random()
    if kind < 0.2:
        metal = m.metal(scene)
        for k in range(5):
            a = k * 2 * math.pi / 5
            scene.limb((0, 0, 0.1), (0.3 * math.cos(a), 0.3 * math.sin(a), 0.05), 0.02, metal)
            scene.ball((0.3 * math.cos(a), 0.3 * math.sin(a), 0.03), (0.03, 0.03, 0.03), metal)
        scene.post((0, 0, 0.08), 0.03, 0.03, h - 0.1, metal)
        scene.box((0, 0, h), (w * 1.1, d * 1.1, 0.09), seat, bevel=0.05)
        scene.box((0, -d / 2, h + 0.4), (w, 0.07, r.uniform(0.4, 0.7)), seat, rotation(pitch=0.1), bevel=0.06)
        if r.random() < 0.6:
            for sx in (-1, 1):
                scene.limb((sx * w * 0.6, -d * 0.3, h + 0.22), (sx * w * 0.6, d * 0.3, h + 0.22), 0.025, metal)
                scene.limb((sx * w * 0.6, 0, h), (sx * w * 0.6, 0, h + 0.22), 0.015, metal)
        return
    splay = r.choice([0.0, 0.05])
    for sx in (-1, 1):
        for sy in (-1, 1):
            scene.limb(
                (sx * (w / 2 - leg + splay), sy * (d / 2 - leg + splay), 0.0),
                (sx * (w / 2 - leg), sy * (d / 2 - leg), h),
                leg,
                wood,
            )
    scene.box((0, 0, h), (w, d, r.uniform(0.025, 0.08)), seat, bevel=0.02)
    if kind < 0.3:
        return
    high = r.uniform(0.35, 0.55)
    lean = rotation(pitch=r.uniform(0.05, 0.2))
    for sx in (-1, 1):
        scene.limb((sx * (w / 2 - leg), -d / 2 + leg, h), (sx * (w / 2 - leg), -d / 2 - 0.06, h + high), leg, wood)
    if r.random() < 0.4:
        scene.box((0, -d / 2 - 0.02, h + high * 0.65), (w * 0.95, 0.025, high * 0.6), seat, lean, bevel=0.01)
    elif r.random() < 0.5:
        for k in range(int(r.integers(2, 5))):
            scene.box((0, -d / 2 - 0.03, h + high * (0.4 + 0.2 * k)), (w * 0.9, 0.018, 0.05), wood, lean)
    else:
        scene.box((0, -d / 2 - 0.03, h + high * 0.5), (w * 0.9, 0.02, high * 0.9), wood, lean, cut=(BARS, 0.07, 0.35))


def sofa(scene: Scene) -> None:
    """A sofa or an armchair with cushions."""
    r = scene.rng
    cloth = m.cloth(scene)
    seats = int(r.choice([1, 2, 3]))
    w = seats * r.uniform(0.55, 0.75)
    d, h, arm = r.uniform(0.75, 1.0), r.uniform(0.36, 0.46), r.uniform(0.1, 0.25)
    foot = r.uniform(0.0, 0.12)
    scene.box((0, 0, foot + (h - foot - 0.12) / 2), (w + 2 * arm, d, h - foot - 0.12), cloth, bevel=0.04)
    back = r.uniform(0.35, 0.55)
    scene.box(
        (0, -d / 2 + 0.1, h + back / 2 - 0.05), (w + 2 * arm, 0.2, back + 0.1), cloth, rotation(pitch=0.1), bevel=0.08
    )
    for sx in (-1, 1):
        scene.box((sx * (w + arm) / 2, 0, foot + (h + 0.18 - foot) / 2), (arm, d, h + 0.18 - foot), cloth, bevel=0.06)
        scene.post((sx * w / 2, d / 2 - 0.08, 0), 0.02, 0.03, foot + 0.01, cloth)
    for k in range(seats):
        x = -w / 2 + (k + 0.5) * w / seats
        scene.box((x, 0.08, h - 0.06), (w / seats * 0.97, d - 0.25, 0.15), cloth, bevel=0.07)
        if r.random() < 0.7:
            scene.box(
                (x, -d / 2 + 0.27, h + 0.2), (w / seats * 0.93, 0.14, 0.38), cloth, rotation(pitch=0.25), bevel=0.07
            )
    for _ in range(int(r.integers(0, 4))):
        size = r.uniform(0.16, 0.24)
        turn = rotation(r.uniform(-0.4, 0.4), r.uniform(0.9, 1.3))
        scene.ball(
            (r.uniform(-w / 2, w / 2) * 0.9, -d / 2 + 0.4, h + size * 0.8), (size, size, 0.08), m.cloth(scene), turn
        )


def bed(scene: Scene) -> None:
    """A bed with its head at -y."""
    r = scene.rng
    w, d, h = r.uniform(0.9, 1.8), r.uniform(1.9, 2.1), r.uniform(0.35, 0.55)
    frame = m.wood(scene)
    scene.box((0, 0, h / 2), (w, d, h * 0.6), frame, bevel=0.02)
    scene.box(
        (0, -d / 2, h + 0.2), (w, 0.06, r.uniform(0.5, 1.0)), frame if r.random() < 0.6 else m.cloth(scene), bevel=0.02
    )
    scene.box((0, 0, h), (w * 0.97, d * 0.97, 0.2), m.cloth(scene), bevel=0.08)
    scene.box(
        (0, d * 0.15, h + 0.08), (w * 1.04, d * 0.68, 0.16), m.cloth(scene), rotation(r.normal(0, 0.02)), bevel=0.09
    )
    for k in range(1 if w < 1.3 else 2):
        x = 0.0 if w < 1.3 else (k - 0.5) * w * 0.5
        scene.ball((x, -d / 2 + 0.35, h + 0.18), (0.34, 0.22, 0.1), m.cloth(scene), rotation(r.normal(0, 0.1), -0.2))
    if r.random() < 0.5:
        scene.ball(
            (r.uniform(-0.3, 0.3), r.uniform(-0.2, 0.8), h + 0.18),
            (0.4, 0.3, 0.07),
            m.cloth(scene),
            rotation(r.uniform(0, 3)),
        )


def shelf(scene: Scene, width: float | None = None, high: float | None = None) -> None:
    """An open shelf with books and things, its back at -y."""
    r = scene.rng
    w = width or r.uniform(0.5, 1.6)
    h = high or r.uniform(0.8, 2.3)
    d = r.uniform(0.25, 0.4)
    board = m.wood(scene) if r.random() < 0.7 else m.plain(scene)
    t = r.uniform(0.015, 0.03)
    for sx in (-1, 1):
        scene.box((sx * (w - t) / 2, 0, h / 2), (t, d, h), board)
    if r.random() < 0.7:
        scene.box((0, -d / 2 + 0.005, h / 2), (w, 0.01, h), board)
    rows = max(int(h / r.uniform(0.28, 0.42)), 2)
    for k in range(rows + 1):
        z = 0.05 + k * (h - 0.05 - t) / rows
        scene.box((0, 0, z), (w - 2 * t, d, t), board)
        if k < rows:
            with scene.at(0, 0, z + t / 2):
                things.fill_board(scene, w - 2 * t - 0.02, d, (h - 0.05) / rows - t)
    if h < 1.5:
        with scene.at(0, 0, h):
            things.scatter(scene, w * 0.8, d * 0.6, int(r.integers(0, 5)))


def cabinet(scene: Scene) -> None:
    """A cupboard, a chest of drawers, a kitchen unit, a refrigerator."""
    r = scene.rng
    w, d, h = r.uniform(0.5, 1.8), r.uniform(0.35, 0.65), r.choice([r.uniform(0.5, 1.0), r.uniform(1.6, 2.2)])
    body = m.wood(scene) if r.random() < 0.6 else m.plain(scene)
    front = body if r.random() < 0.5 else m.plain(scene)
    knob = m.metal(scene)
    scene.box((0, 0, h / 2 + 0.03), (w, d, h), body, bevel=0.006)
    columns, rows = int(r.integers(1, 4)), int(r.integers(1, 5))
    for i in range(columns):
        for j in range(rows):
            x = -w / 2 + (i + 0.5) * w / columns
            z = 0.05 + (j + 0.5) * (h - 0.05) / rows
            scene.box((x, d / 2 + 0.008, z), (w / columns - 0.012, 0.016, h / rows - 0.015), front, bevel=0.004)
            if r.random() < 0.5:
                scene.ball((x, d / 2 + 0.03, z), (0.015, 0.015, 0.015), knob)
            else:
                scene.limb((x - 0.05, d / 2 + 0.03, z), (x + 0.05, d / 2 + 0.03, z), 0.006, knob)
    if h < 1.2:
        with scene.at(0, 0, h + 0.03):
            things.scatter(scene, w * 0.85, d * 0.7, int(r.integers(0, 7)))
            if r.random() < 0.3:
                with scene.at(0, 0, 0):
                    things.screen(scene, r.uniform(0.6, 1.2))


def desk(scene: Scene) -> None:
    """A desk with a screen, a keyboard, papers and clutter; its user sits at +y."""
    r = scene.rng
    w, d, h = r.uniform(1.0, 1.8), r.uniform(0.6, 0.85), r.uniform(0.7, 0.78)
    top = m.wood(scene) if r.random() < 0.6 else m.plain(scene)
    scene.box((0, 0, h - 0.015), (w, d, 0.03), top, bevel=0.006)
    frame = m.metal(scene) if r.random() < 0.5 else top
    for sx in (-1, 1):
        if r.random() < 0.4:
            scene.box((sx * (w / 2 - 0.2), 0, (h - 0.03) / 2), (0.38, d * 0.9, h - 0.03), top, bevel=0.01)
        else:
            for sy in (-1, 1):
                scene.box((sx * (w / 2 - 0.04), sy * (d / 2 - 0.04), (h - 0.03) / 2), (0.05, 0.05, h - 0.03), frame)
    with scene.at(0, 0, h):
        desk_clutter(scene, w, d)


def desk_clutter(scene: Scene, w: float, d: float) -> None:
    """What lies on a desk w by d: screens at the back, a keyboard in front, papers and things between."""
    r = scene.rng
    for k in range(int(r.choice([0, 1, 1, 2]))):
        with scene.at((k - 0.3) * 0.55 + r.normal(0, 0.05), -d * 0.28, 0, r.normal(0, 0.25)):
            things.screen(scene, r.uniform(0.4, 0.62))
    if r.random() < 0.8:
        with scene.at(r.normal(0, 0.1), d * 0.18, 0, r.normal(0, 0.15)):
            things.keyboard(scene)
    for _ in range(int(r.integers(0, 4))):
        with scene.at(r.uniform(-w, w) * 0.4, r.uniform(-0.3, 0.4) * d, 0.001 + 0.002 * r.random(), r.uniform(0, 6)):
            scene.box((0, 0, 0), (0.21, 0.297, 0.002), m.picture(scene))
    if r.random() < 0.4:
        with scene.at(r.choice([-1, 1]) * w * 0.4, -d * 0.2):
            desk_lamp(scene)
    things.scatter(scene, w * 0.9, d * 0.8, int(r.integers(4, 14)))


def desk_lamp(scene: Scene) -> None:
    """A lamp with a bent arm."""
    r = scene.rng
    metal = m.metal(scene)
    scene.post((0, 0, 0), 0.09, 0.08, 0.02, metal)
    elbow = (r.uniform(-0.1, 0.1), r.uniform(-0.1, 0.05), r.uniform(0.25, 0.35))
    head = (elbow[0] + r.uniform(-0.1, 0.1), elbow[1] + r.uniform(0.1, 0.2), elbow[2] + r.uniform(0.05, 0.15))
    scene.limb((0, 0, 0.02), elbow, 0.009, metal)
    scene.limb(elbow, head, 0.009, metal)
    scene.post(head, 0.08, 0.03, 0.12, metal, rotation(0, 0.5), hollow=True)


def floor_lamp(scene: Scene, lit: bool) -> None:
    """A lamp on a pole with a shade; `lit` adds its light."""
    r = scene.rng
    h = r.uniform(1.3, 1.7)
    metal = m.metal(scene)
    scene.post((0, 0, 0), 0.14, 0.13, 0.03, metal)
    scene.post((0, 0, 0.03), 0.012, 0.012, h, metal)
    warm = m.tint(0.1, r.uniform(0.1, 0.4), 0.95)
    scene.post(
        (0, 0, h),
        r.uniform(0.16, 0.25),
        r.uniform(0.1, 0.2),
        0.28,
        m.make(scene, 0, warm, glow=2.0 if lit else 0.0),
        hollow=True,
    )
    if lit:
        scene.lamp((0, 0, h + 0.14), (1.4, 1.1, 0.8), 0.12)


def plant(scene: Scene, size: float | None = None) -> None:
    """A pot with leaves: a bush, a palm or a rosette of blades."""
    r = scene.rng
    size = size or r.uniform(0.4, 1.6)
    pot = size * r.uniform(0.12, 0.22)
    scene.post(
        (0, 0, 0), pot * 0.7, pot, pot * 1.6, m.plain(scene, m.colour(scene)) if r.random() < 0.6 else m.cloth(scene)
    )
    leaf = m.foliage(scene)
    kind = r.integers(3)
    top = pot * 1.6
    count = int(r.integers(9, 30))
    if kind == 0:
        scene.post((0, 0, top), size * 0.015, size * 0.01, size * 0.5, m.wood(scene, polish=False))
        for _ in range(count):
            a, u = r.uniform(0, 6.28), r.uniform(0, 1)
            reach = size * 0.3 * math.sqrt(r.random())
            centre = (reach * math.cos(a), reach * math.sin(a), top + size * (0.25 + 0.6 * u))
            s = size * r.uniform(0.05, 0.12)
            scene.ball(centre, (s * 1.6, s, s * 0.12), leaf, rotation(a, r.normal(0, 0.5), r.normal(0.3, 0.5)))
            scene.limb((0, 0, top + size * 0.2 * u), centre, size * 0.005, leaf)
        return
    for _ in range(count):
        a, up = r.uniform(0, 6.28), r.uniform(0.3, 1.4)
        length = size * r.uniform(0.3, 0.75)
        parts = 3
        place = (0.0, 0.0, top)
        for part in range(parts):
            lean = up - part * r.uniform(0.2, 0.5)
            step = length / parts
            nxt = (
                place[0] + step * math.cos(lean) * math.cos(a),
                place[1] + step * math.cos(lean) * math.sin(a),
                place[2] + step * math.sin(lean),
            )
            middle = tuple((p + q) / 2 for p, q in zip(place, nxt, strict=True))
            wide = size * (0.02 if kind == 1 else 0.045) * (1.0 - 0.25 * part)
            scene.ball(
                (middle[0], middle[1], middle[2]), (step * 0.62, wide, wide * 0.2), leaf, rotation(a, 0.0, -lean)
            )
            place = nxt


def radiator(scene: Scene) -> None:
    """A radiator on the wall behind it."""
    w = scene.rng.uniform(0.5, 1.4)
    white = m.plain(scene, (0.75, 0.74, 0.7), 0.1)
    scene.box((0, 0.02, 0.4), (w, 0.03, 0.55), white)
    for k in range(int(w / 0.06)):
        scene.box((-w / 2 + 0.03 + k * 0.06, 0.05, 0.4), (0.035, 0.06, 0.55), white, bevel=0.015)


def ladder_or_rack(scene: Scene) -> None:
    """A clothes rack, a ladder or a stack of boxes, as in storerooms and cellars."""
    r = scene.rng
    kind = r.integers(3)
    metal = m.metal(scene)
    if kind == 0:
        w, h = r.uniform(0.7, 1.4), r.uniform(1.3, 1.7)
        for sx in (-1, 1):
            scene.post((sx * w / 2, 0, 0), 0.015, 0.015, h, metal)
            scene.limb((sx * w / 2, -0.25, 0.03), (sx * w / 2, 0.25, 0.03), 0.015, metal)
        scene.limb((-w / 2, 0, h), (w / 2, 0, h), 0.015, metal)
        for _ in range(int(r.integers(3, 14))):
            x, long = r.uniform(-w, w) * 0.45, r.uniform(0.5, 1.0)
            scene.box(
                (x, 0, h - long / 2 - 0.05),
                (r.uniform(0.02, 0.06), 0.42, long),
                m.cloth(scene),
                rotation(r.normal(0, 0.2)),
                bevel=0.02,
            )
    elif kind == 1:
        wood = m.wood(scene, polish=False)
        with scene.at(0, 0, 0, pitch=0.25):
            for sx in (-1, 1):
                scene.box((sx * 0.22, 0, 1.0), (0.03, 0.06, 2.0), wood)
            for k in range(7):
                scene.limb((-0.22, 0, 0.2 + 0.27 * k), (0.22, 0, 0.2 + 0.27 * k), 0.015, wood)
    else:
        z = 0.0
        for _ in range(int(r.integers(1, 5))):
            size = (r.uniform(0.3, 0.6), r.uniform(0.3, 0.5), r.uniform(0.15, 0.4))
            card = m.make(scene, 1, m.tint(0.09, 0.45, 0.7), m.tint(0.09, 0.45, 0.6), size=(0.3, 0.3))
            scene.box(
                (r.normal(0, 0.03), r.normal(0, 0.03), z + size[2] / 2),
                size,
                card,
                rotation(r.normal(0, 0.15)),
                bevel=0.004,
            )
            z += size[2]


def staircase(scene: Scene) -> None:
    """A flight of steps that rises towards -y."""
    r = scene.rng
    stone = m.wood(scene) if r.random() < 0.5 else m.wall(scene)
    w, rise, tread = r.uniform(0.8, 1.6), r.uniform(0.15, 0.19), r.uniform(0.25, 0.32)
    steps = int(r.integers(5, 14))
    for k in range(steps):
        scene.box((0, -k * tread, (k + 1) * rise / 2), (w, tread, (k + 1) * rise), stone, bevel=0.01)
    if r.random() < 0.7:
        metal = m.metal(scene)
        for k in range(steps):
            scene.post((w / 2 - 0.03, -k * tread, (k + 1) * rise), 0.012, 0.012, 0.85, metal)
        scene.limb(
            (w / 2 - 0.03, 0, rise + 0.85), (w / 2 - 0.03, -(steps - 1) * tread, steps * rise + 0.85), 0.025, metal
        )
