"""Materials by what they are (a wall, cloth, wood, metal, ...), each time a little different."""

import colorsys
import math

import numpy as np

from training.scenes import surfaces as s
from training.scenes.scene import Scene

Colour = tuple[float, float, float]


def colour(
    scene: Scene, saturation: tuple[float, float] = (0.1, 0.8), value: tuple[float, float] = (0.1, 0.8)
) -> Colour:
    """A random colour, linear RGB."""
    r = scene.rng
    hue = r.random() if r.random() < 0.5 else r.normal(0.08, 0.05) % 1.0
    return tint(hue, r.uniform(*saturation), r.uniform(*value))


def tint(hue: float, saturation: float, value: float) -> Colour:
    """A colour from hue, saturation and value (as displayed), as linear RGB."""
    rgb = colorsys.hsv_to_rgb(hue % 1.0, min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0))
    return rgb[0] ** 2.2, rgb[1] ** 2.2, rgb[2] ** 2.2


def near(scene: Scene, base: Colour, spread: float = 0.3) -> Colour:
    """A colour lighter or darker than `base`."""
    k = math.exp(scene.rng.normal(0.0, spread))
    return min(base[0] * k, 0.95), min(base[1] * k, 0.95), min(base[2] * k, 0.95)


def make(
    scene: Scene,
    texture: int,
    first: Colour,
    second: Colour | None = None,
    third: Colour | None = None,
    *,
    size: tuple[float, float] = (1.0, 1.0),
    turn: float = 0.0,
    shine: float = 0.0,
    sharp: float = 20.0,
    glow: float = 0.0,
    mirror: float = 0.0,
    bump: float = 0.0,
    picture: int = 0,
    stains: float = 0.15,
    chequered: bool = False,
) -> int:
    """A surface from its parts; see `surfaces` for the columns."""
    row = np.zeros(s.SURFACE_COLUMNS)
    row[0] = texture
    row[1:4] = first
    row[4:7] = first if second is None else second
    row[7:10] = first if third is None else third
    row[10:12] = size
    row[12] = turn
    row[13:18] = shine, sharp, glow, mirror, bump
    row[18] = picture
    row[19] = scene.rng.integers(1, 10_000)
    row[20] = stains
    row[21] = chequered
    return scene.surface(row)


def plain(scene: Scene, base: Colour | None = None, shine: float | None = None) -> int:
    """Paint, plastic or lacquer."""
    base = colour(scene) if base is None else base
    shine = scene.rng.choice([0.0, 0.05, 0.3]) if shine is None else shine
    return make(scene, s.PLAIN, base, shine=shine, sharp=scene.rng.uniform(10, 80), stains=scene.rng.uniform(0, 0.2))


def wood(scene: Scene, polish: bool = True) -> int:
    """Wood from pale birch to dark walnut."""
    r = scene.rng
    value = r.uniform(0.2, 0.8)
    base = tint(r.uniform(0.05, 0.11), r.uniform(0.25, 0.65), value)
    dark = tint(r.uniform(0.04, 0.09), r.uniform(0.3, 0.7), value * r.uniform(0.5, 0.85))
    return make(
        scene, s.WOOD, base, dark, turn=r.choice([0.0, math.pi / 2]), shine=r.uniform(0, 0.15) if polish else 0.0,
        sharp=30, mirror=r.choice([0.0, 0.0, 0.03]) if polish else 0.0,
    )  # fmt: skip


def metal(scene: Scene) -> int:
    """Steel, brass, black iron or chrome."""
    r = scene.rng
    base = [tint(0.6, 0.03, 0.6), tint(0.12, 0.5, 0.6), tint(0.6, 0.05, 0.15), tint(0.6, 0.02, 0.8)][r.integers(4)]
    return make(
        scene, s.PLAIN, base, shine=r.uniform(0.3, 1.5), sharp=r.uniform(20, 120), mirror=r.choice([0.0, 0.15, 0.4])
    )


def glass(scene: Scene) -> int:
    """Dark glass that mirrors what is before it (windows and screens that are off)."""
    return make(
        scene, s.PLAIN, tint(0.6, 0.2, scene.rng.uniform(0.1, 0.35)), shine=1.0, sharp=150,
        mirror=scene.rng.uniform(0.1, 0.35), stains=0.0,
    )  # fmt: skip


def cloth(scene: Scene) -> int:
    """Plain, striped, checked, dotted or mottled cloth."""
    r = scene.rng
    a = colour(scene, (0.05, 0.75), (0.15, 0.85))
    b = near(scene, a, 0.7) if r.random() < 0.5 else colour(scene, (0.0, 0.6), (0.1, 0.95))
    kind = r.integers(7)
    if kind == 0:
        return make(
            scene, s.STRIPES, a, b, size=(r.uniform(0.02, 0.15), r.uniform(0.2, 0.7)), turn=r.choice([0.0, math.pi / 2])
        )
    if kind == 1:
        return make(scene, s.PLAID, a, b, colour(scene), size=(r.uniform(0.04, 0.2), 1.0))
    if kind == 2:
        return make(scene, s.DOTS, a, b, size=(r.uniform(0.02, 0.1), r.uniform(0.15, 0.35)))
    if kind == 3:
        return make(scene, s.MIXED, a, b, size=(r.uniform(0.03, 0.2),) * 2, bump=0.2)
    return make(
        scene, s.SPECKLE, a, near(scene, a, 0.15), near(scene, a, 0.2), size=(0.004, 0.004), bump=0.4, stains=0.2
    )


def picture(scene: Scene, glow: float = 0.0) -> int:
    """A picture that fills its face: a painting, a poster, a cover, a label, a screen."""
    index = int(scene.rng.integers(len(scene.pictures)))
    return make(
        scene, s.PICTURE, (1.0, 1.0, 1.0), picture=index, glow=glow, shine=scene.rng.choice([0.0, 0.1]), stains=0.0
    )


def wall(scene: Scene) -> int:  # noqa: PLR0911
    """Paint, wallpaper, bricks, tiles, panels or bare concrete."""
    r = scene.rng
    base = tint(r.choice([r.uniform(0, 1), r.normal(0.1, 0.03)]), abs(r.normal(0, 0.15)), r.uniform(0.45, 0.95))
    kind = r.random()
    if kind < 0.52:
        return make(scene, s.PLAIN, base, stains=r.uniform(0, 0.12), shine=r.choice([0.0, 0.03]))
    if kind < 0.6:
        return make(scene, s.STRIPES, base, near(scene, base, 0.2), size=(r.uniform(0.05, 0.3), 0.5), stains=0.05)
    if kind < 0.66:
        return make(scene, s.DOTS, base, near(scene, base, 0.35), size=(r.uniform(0.05, 0.25), r.uniform(0.1, 0.4)))
    if kind < 0.74:
        red = tint(r.uniform(0.0, 0.08), r.uniform(0.2, 0.7), r.uniform(0.3, 0.8))
        return make(scene, s.BRICKS, red, near(scene, red, 0.4), (0.4, 0.38, 0.35), size=(0.24, 0.075), bump=0.15)
    if kind < 0.82:
        side = r.uniform(0.08, 0.4)
        return make(
            scene,
            s.TILES,
            base,
            near(scene, base, 0.1),
            (0.5, 0.5, 0.48),
            size=(side, side * r.choice([0.5, 1.0])),
            shine=0.2,
            mirror=0.04,
        )
    if kind < 0.9:
        return make(scene, s.ASPHALT, base, near(scene, base, 0.3), size=(0.7, 0.7), stains=0.3)
    if kind < 0.95:
        pale = tint(0.08, r.uniform(0.2, 0.5), r.uniform(0.35, 0.8))
        return make(
            scene,
            s.PLANKS,
            pale,
            near(scene, pale, 0.4),
            (0.05, 0.04, 0.03),
            size=(2.4, 0.12),
            turn=r.choice([0.0, math.pi / 2]),
        )
    return make(scene, s.MIXED, base, near(scene, base, 0.2), size=(0.2, 0.2), stains=0.2)


def floor(scene: Scene) -> int:
    """Boards, tiles, carpet, concrete or stone."""
    r = scene.rng
    kind = r.random()
    turn = r.choice([0.0, math.pi / 2, r.uniform(0, math.pi)])
    if kind < 0.42:
        value = r.uniform(0.25, 0.8)
        base = tint(r.uniform(0.05, 0.11), r.uniform(0.2, 0.6), value)
        dark = tint(r.uniform(0.04, 0.09), r.uniform(0.3, 0.65), value * r.uniform(0.55, 0.85))
        return make(
            scene, s.PLANKS, base, dark, (0.03, 0.02, 0.015), size=(r.uniform(0.6, 2.0), r.uniform(0.07, 0.2)),
            turn=turn, shine=r.uniform(0, 0.15), mirror=r.choice([0.0, 0.04, 0.1]),
        )  # fmt: skip
    base = tint(r.normal(0.1, 0.1), r.uniform(0, 0.35), r.uniform(0.25, 0.9))
    if kind < 0.65:
        chequered = r.random() < 0.35
        other = near(scene, base, 0.9 if chequered else 0.1)
        side = r.uniform(0.15, 0.6)
        return make(
            scene, s.TILES, base, other, near(scene, base, 0.6), size=(side, side), turn=turn, shine=0.1,
            mirror=r.choice([0.0, 0.05, 0.12]), chequered=chequered,
        )  # fmt: skip
    if kind < 0.85:
        return make(
            scene, s.SPECKLE, base, near(scene, base, 0.25), near(scene, base, 0.3), size=(0.012, 0.012), bump=0.4
        )
    if kind < 0.95:
        return make(scene, s.ASPHALT, base, near(scene, base, 0.25), size=(0.6, 0.6), mirror=r.choice([0.0, 0.06]))
    return make(scene, s.MARBLE, base, near(scene, base, 0.5), size=(0.8, 0.8), mirror=0.1)


def foliage(scene: Scene) -> int:
    """Leaves, from spring green to autumn red."""
    r = scene.rng
    hue = r.normal(0.27, 0.04) if r.random() < 0.85 else r.uniform(0.02, 0.15)
    value = r.uniform(0.25, 0.65)
    a = tint(hue, r.uniform(0.4, 0.8), value)
    b = tint(hue + r.normal(0, 0.03), r.uniform(0.4, 0.8), value * r.uniform(0.35, 0.7))
    return make(scene, s.MIXED, a, b, size=(0.15, 0.15), stains=0.3)


def ground(scene: Scene) -> int:
    """Grass, soil, sand, gravel or snow."""
    r = scene.rng
    kind = r.random()
    if kind < 0.55:
        a = tint(r.normal(0.24, 0.03), r.uniform(0.35, 0.7), r.uniform(0.3, 0.6))
        b = tint(r.normal(0.18, 0.04), r.uniform(0.3, 0.6), r.uniform(0.25, 0.6))
        return make(scene, s.MIXED, a, b, size=(r.uniform(0.1, 0.8),) * 2, bump=0.45, stains=0.5)
    if kind < 0.9:
        a = tint(r.normal(0.09, 0.02), r.uniform(0.15, 0.5), r.uniform(0.3, 0.75))
        return make(scene, s.ASPHALT, a, near(scene, a, 0.35), size=(r.uniform(0.2, 1.5),) * 2, bump=0.3, stains=0.4)
    return make(scene, s.MIXED, (0.8, 0.82, 0.88), (0.65, 0.7, 0.8), size=(1.2, 1.2), bump=0.3, stains=0.2)


def paving(scene: Scene) -> int:
    """Asphalt, slabs or cobbles."""
    r = scene.rng
    base = tint(r.normal(0.1, 0.1), r.uniform(0, 0.12), r.uniform(0.25, 0.65))
    kind = r.random()
    if kind < 0.5:
        return make(scene, s.ASPHALT, base, near(scene, base, 0.2), size=(1.5, 1.5), bump=0.3, stains=0.35)
    if kind < 0.8:
        side = r.uniform(0.3, 1.0)
        return make(scene, s.TILES, base, near(scene, base, 0.2), near(scene, base, 0.5), size=(side, side), stains=0.3)
    return make(
        scene, s.BRICKS, base, near(scene, base, 0.3), near(scene, base, 0.6), size=(0.2, 0.1), bump=0.3, stains=0.3
    )


def skin(scene: Scene) -> int:
    """Skin, from pale to dark."""
    r = scene.rng
    value = r.uniform(0.3, 0.92)
    base = tint(r.uniform(0.03, 0.08), 0.35 + 0.3 * (1 - value), value)
    return make(scene, s.MIXED, base, near(scene, base, 0.1), size=(0.05, 0.05), shine=0.08, sharp=15, stains=0.1)
