"""People and animals of balls and limbs; they stand on z = 0 and face +y."""

import math

from training.scenes import materials as m
from training.scenes.scene import Scene, rotation


def person(scene: Scene, pose: str | None = None) -> None:
    """A person who stands, walks or sits (on a seat 0.45 m high that the caller provides)."""
    r = scene.rng
    pose = pose or str(r.choice(["stand", "stand", "walk"]))
    k = r.uniform(0.9, 1.1) if r.random() < 0.85 else r.uniform(0.55, 0.8)
    wide = r.uniform(0.85, 1.25)
    skin, hair = (
        m.skin(scene),
        m.make(
            scene,
            1,
            m.tint(r.uniform(0.03, 0.12), r.uniform(0.1, 0.7), r.uniform(0.05, 0.6)),
            size=(0.02, 0.2),
            bump=0.4,
        ),
    )
    shirt, trousers, shoes = m.cloth(scene), m.cloth(scene), m.plain(scene)
    bare_arms = r.random() < 0.45
    sitting = pose == "sit"
    hip = (0.47 if sitting else 0.9) * (1.0 if sitting else k)
    neck = hip + 0.55 * k
    swing = r.uniform(0.2, 0.5) if pose == "walk" else r.uniform(0.0, 0.12)
    for side, sign in ((-1, 1), (1, -1)):
        x = side * 0.095 * k * wide
        if sitting:
            knee = (x * 1.3, 0.42 * k, hip)
            foot = (x * 1.2, 0.42 * k + r.uniform(-0.1, 0.15), 0.07)
        else:
            knee = (x, sign * swing * 0.45 + 0.03, 0.48 * k)
            foot = (x, sign * swing * 0.8 - 0.06, 0.07)
        scene.limb((x, 0, hip), knee, 0.085 * k * wide, trousers, 0.06 * k * wide)
        scene.limb(knee, foot, 0.06 * k * wide, trousers, 0.045 * k)
        scene.ball((foot[0], foot[1] + 0.06, 0.045), (0.045 * k, 0.13 * k, 0.05), shoes)
        shoulder = (side * 0.19 * k * wide, 0.0, neck - 0.06 * k)
        out = r.uniform(0.02, 0.12)
        if r.random() < 0.3:
            elbow = (shoulder[0] + side * r.uniform(0.05, 0.2), r.uniform(0.0, 0.2), shoulder[2] - 0.22 * k)
            hand = (side * r.uniform(-0.1, 0.3), r.uniform(0.2, 0.4), shoulder[2] + r.uniform(-0.3, 0.2))
        else:
            elbow = (shoulder[0] + side * out, -sign * swing * 0.3, shoulder[2] - 0.28 * k)
            hand = (
                elbow[0] + side * 0.02,
                elbow[1] + r.uniform(0.02, 0.22 if not sitting else 0.3),
                elbow[2] - 0.22 * k,
            )
        scene.limb(shoulder, elbow, 0.052 * k * wide, shirt, 0.042 * k)
        scene.limb(elbow, hand, 0.04 * k, skin if bare_arms else shirt, 0.03 * k)
        scene.ball((hand[0], hand[1] + 0.02, hand[2] - 0.04), (0.035 * k, 0.04 * k, 0.07 * k), skin)
    scene.ball((0, 0, hip + 0.04), (0.165 * k * wide, 0.12 * k * wide, 0.15 * k), trousers)
    scene.ball((0, 0, hip + 0.22 * k), (0.16 * k * wide, 0.115 * k * wide, 0.28 * k), shirt)
    scene.ball((0, -0.01, neck - 0.12 * k), (0.2 * k * wide, 0.12 * k * wide, 0.17 * k), shirt)
    scene.limb((0, 0, neck - 0.05), (0, 0.01, neck + 0.1 * k), 0.055 * k, skin)
    with scene.at(0, 0.015, neck + 0.19 * k, r.normal(0, 0.5), r.normal(0, 0.12), r.normal(0, 0.08)):
        head(scene, 1.0 if k > 0.85 else k * 1.1, skin, hair)
    if r.random() < 0.25:
        bag = m.cloth(scene)
        scene.box((0, -0.2, neck - 0.25 * k), (0.3 * k, 0.16, 0.42 * k), bag, bevel=0.06)


def head(scene: Scene, k: float, skin: int, hair: int) -> None:
    """A head about the origin that faces +y: face, features, hair, perhaps a hat or glasses."""
    r = scene.rng
    scene.ball((0, 0, 0.02 * k), (0.078 * k, 0.098 * k, 0.105 * k), skin)
    scene.ball((0, 0.02 * k, -0.06 * k), (0.058 * k, 0.07 * k, 0.065 * k), skin)
    scene.ball((0, 0.098 * k, -0.005 * k), (0.013 * k, 0.02 * k, 0.028 * k), skin)
    white, dark = m.plain(scene, (0.8, 0.8, 0.78), 0.4), m.plain(scene, (0.02, 0.015, 0.01), 0.6)
    lips = m.plain(scene, m.tint(0.0, 0.5, 0.55), 0.1)
    for side in (-1, 1):
        scene.ball((side * 0.033 * k, 0.078 * k, 0.025 * k), (0.016 * k, 0.012 * k, 0.01 * k), white)
        scene.ball((side * 0.033 * k, 0.087 * k, 0.025 * k), (0.007 * k, 0.005 * k, 0.008 * k), dark)
        scene.limb((side * 0.018 * k, 0.092 * k, 0.047 * k), (side * 0.05 * k, 0.08 * k, 0.048 * k), 0.005 * k, hair)
        scene.ball((side * 0.08 * k, 0.0, 0.005 * k), (0.012 * k, 0.022 * k, 0.033 * k), skin)
    scene.ball((0, 0.084 * k, -0.055 * k), (0.025 * k, 0.012 * k, 0.009 * k), lips)
    style = r.integers(6)
    if style < 4:
        scene.ball((0, -0.025 * k, 0.05 * k), (0.092 * k, 0.1 * k, 0.1 * k), hair)
    if style in (1, 2):
        scene.ball((0, -0.06 * k, -0.06 * k), (0.09 * k, 0.06 * k, 0.17 * k), hair)
    if style == 3:
        scene.ball((0, -0.12 * k, 0.06 * k), (0.045 * k, 0.045 * k, 0.045 * k), hair)
    if style == 5:
        hat = m.cloth(scene)
        scene.ball((0, -0.01 * k, 0.07 * k), (0.095 * k, 0.11 * k, 0.085 * k), hat)
        scene.ball((0, 0.03 * k if r.random() < 0.5 else 0.0, 0.07 * k), (0.13 * k, 0.17 * k, 0.012 * k), hat)
    if r.random() < 0.25:
        scene.box((0, 0.098 * k, 0.025 * k), (0.14 * k, 0.006, 0.035 * k), dark, bevel=0.01)
    if r.random() < 0.15:
        scene.ball((0, 0.05 * k, -0.09 * k), (0.055 * k, 0.06 * k, 0.06 * k), hair)


def animal(scene: Scene, size: float | None = None) -> None:
    """A dog, a cat, a cow: a body on four legs."""
    r = scene.rng
    k = size or r.choice([0.28, 0.5, 0.7, 1.3])
    fur = m.make(
        scene, 1, m.tint(r.uniform(0.04, 0.12), r.uniform(0.05, 0.6), r.uniform(0.1, 0.9)),
        m.tint(r.uniform(0.04, 0.12), r.uniform(0.05, 0.6), r.uniform(0.05, 0.9)), size=(0.3 * k, 0.3 * k), bump=0.3,
    )  # fmt: skip
    long, high = k * r.uniform(0.9, 1.2), k * r.uniform(0.5, 0.75)
    fat = k * r.uniform(0.13, 0.24)
    scene.ball((0, 0, high + fat * 0.5), (fat, long * 0.48, fat * 1.15), fur)
    for sx in (-1, 1):
        for sy in (-1, 1):
            foot = (sx * fat * 0.65, sy * long * 0.34 + r.normal(0, 0.05) * k, 0.02)
            scene.limb((sx * fat * 0.65, sy * long * 0.33, high + 0.2 * fat), foot, fat * 0.32, fur, fat * 0.2)
    nose = (0.0, long * 0.72, high + fat * 2.2)
    scene.limb((0, long * 0.38, high + fat), nose, fat * 0.6, fur, fat * 0.5)
    scene.ball(nose, (fat * 0.6, fat * 0.75, fat * 0.6), fur)
    scene.ball((0, nose[1] + fat * 0.8, nose[2] - fat * 0.15), (fat * 0.3, fat * 0.5, fat * 0.27), fur)
    black = m.plain(scene, (0.01, 0.01, 0.01), 0.5)
    scene.ball((0, nose[1] + fat * 1.28, nose[2] - fat * 0.1), (fat * 0.1,) * 3, black)
    for sx in (-1, 1):
        scene.ball((sx * fat * 0.3, nose[1] + fat * 0.55, nose[2] + fat * 0.2), (fat * 0.08,) * 3, black)
        scene.ball((sx * fat * 0.45, nose[1] - fat * 0.1, nose[2] + fat * 0.6), (fat * 0.2, fat * 0.1, fat * 0.35), fur)
    scene.limb(
        (0, -long * 0.46, high + fat),
        (r.normal(0, 0.1) * k, -long * 0.75, high + fat * r.uniform(-1, 3)),
        fat * 0.14,
        fur,
    )


def seated(scene: Scene) -> None:
    """A person on a plain seat."""
    scene.box((0, -0.05, 0.4), (0.45, 0.45, 0.06), m.wood(scene), bevel=0.02)
    scene.box((0, -0.25, 0.65), (0.45, 0.04, 0.45), m.cloth(scene), rotation(pitch=0.12), bevel=0.02)
    for sx in (-1, 1):
        for sy in (-1, 1):
            scene.post((sx * 0.2, sy * 0.2 - 0.05, 0), 0.015, 0.02, 0.4, m.metal(scene))
    with scene.at(0, -0.05, 0, scene.rng.normal(0, 0.2) * math.pi / 4):
        person(scene, "sit")
