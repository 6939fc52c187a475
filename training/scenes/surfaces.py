"""What a surface looks like: procedural textures (wood, tiles, bricks, cloth, pictures, ...) as rows of numbers.

A surface is a row of `SURFACE_COLUMNS` numbers: 0 the texture, 1-3, 4-6, 7-9 three colours (linear RGB, 0 to 1), 10-11
the texture's sizes in metres, 12 its turn in radians, 13 the strength and 14 the sharpness of the highlight, 15 the
light that it sends out, 16 the part that it mirrors, 17 the strength of its bumps, 18 the index of its picture, 19 its
seed, 20 the strength of stains, 21 whether its tiles are chequered.
"""

import math

import numpy as np
from numpy.typing import NDArray

from training.scenes.compiled import compiled
from training.scenes.noise import hash_unit, octaves, value_noise
from training.scenes.tracing import BOX, FRUSTUM

SURFACE_COLUMNS = 22
PLAIN, MIXED, WOOD, TILES, BRICKS, STRIPES, PLANKS, MARBLE, PICTURE, SPECKLE, FACADE, DOTS, PLAID, GRADED, ASPHALT = (
    range(15)
)

Floats = NDArray[np.float64]
Pictures = NDArray[np.float32]


@compiled
def fade(edge: float, value: float, footprint: float) -> float:
    """A step from 0 to 1 at `edge`, as soft as a pixel is wide."""
    half = max(0.5 * footprint, 1e-6)
    return min(max((value - edge) / (2.0 * half) + 0.5, 0.0), 1.0)


@compiled
def surface_coordinates(
    solids: Floats, i: int, kind: int, x: float, y: float, z: float, nx: float, ny: float, nz: float
) -> tuple[float, float, float, float]:
    """Metres (u, v) along the surface at a point in the solid's own axes, and the size (width, height) of that face."""
    a = solids[i, 12]
    b = solids[i, 13]
    c = solids[i, 14]
    if kind == FRUSTUM and abs(nz) < 0.95:
        r = max(a, b)
        return math.atan2(y, x) * r, z, 2.0 * math.pi * r, 2.0 * c
    if abs(nz) >= abs(nx) and abs(nz) >= abs(ny):
        return x, y, 2.0 * a, 2.0 * b if kind == BOX else 2.0 * a
    if abs(nx) >= abs(ny):
        return y if nx > 0 else -y, z, 2.0 * b, 2.0 * c
    return -x if ny > 0 else x, z, 2.0 * a, 2.0 * c


@compiled
def picture_at(pictures: Pictures, index: int, u: float, v: float) -> tuple[float, float, float]:
    """Bilinear look-up in picture `index` of a stack [N,H,W,3]; u to the right and v upwards, both 0 to 1."""
    height = pictures.shape[1]
    width = pictures.shape[2]
    fx = min(max(u, 0.0), 1.0) * (width - 1.001)
    fy = (1.0 - min(max(v, 0.0), 1.0)) * (height - 1.001)
    ix = int(fx)
    iy = int(fy)
    s = fx - ix
    t = fy - iy
    r = 0.0
    g = 0.0
    b = 0.0
    for j in range(2):
        for i in range(2):
            weight = (s if i else 1.0 - s) * (t if j else 1.0 - t)
            r += weight * pictures[index, iy + j, ix + i, 0]
            g += weight * pictures[index, iy + j, ix + i, 1]
            b += weight * pictures[index, iy + j, ix + i, 2]
    return r, g, b


@compiled
def albedo_at(  # noqa: PLR0912, PLR0915
    surfaces: Floats,
    m: int,
    pictures: Pictures,
    solids: Floats,
    i: int,
    kind: int,
    x: float,
    y: float,
    z: float,
    nx: float,
    ny: float,
    nz: float,
    footprint: float,
) -> tuple[float, float, float, float]:
    """Colour (linear RGB) of a surface at a point in its solid's own axes, and its texture's height there (0 to 1)."""
    texture = int(surfaces[m, 0])
    seed = int(surfaces[m, 19])
    su = surfaces[m, 10]
    sv = surfaces[m, 11]
    u, v, width, height = surface_coordinates(solids, i, kind, x, y, z, nx, ny, nz)
    if surfaces[m, 12] != 0.0:
        cs = math.cos(surfaces[m, 12])
        sn = math.sin(surfaces[m, 12])
        u, v = cs * u - sn * v, sn * u + cs * v
    mix = 0.0
    third = 0.0
    level = 0.5
    shade = 1.0
    if texture == MIXED:
        mix = octaves(x / su + seed, y / su, z / sv, seed, footprint / su)
        mix = min(max((mix - 0.5) * 2.2 + 0.5, 0.0), 1.0)
        level = mix
    elif texture in (WOOD, PLANKS):
        along = u
        across = v
        piece = 0
        gap = 0.0
        if texture == PLANKS:
            row = math.floor(across / sv)
            start = hash_unit(int(row), 1, 0, seed) * su
            column = math.floor((along + start) / su)
            piece = int(row) * 57 + int(column)
            fy = across / sv - row
            fx = (along + start) / su - column
            edge = min(min(fy, 1.0 - fy) * sv, min(fx, 1.0 - fx) * su)
            gap = 1.0 - fade(0.0025, edge, footprint)
            if footprint > 0.3 * sv:
                gap = 0.03
            shade = 0.72 + 0.56 * hash_unit(piece, 2, 0, seed)
        grain = octaves(along * 1.3 + piece * 3.1, across * 16.0 + piece * 7.7, nz * 3.0, seed, footprint * 16.0)
        rings = math.sin((across * 22.0 + grain * 9.0) * 2.0) * 0.5 + 0.5
        if footprint * 22.0 > 1.0:
            rings = 0.5
        mix = min(max(0.25 * rings + 1.0 * grain - 0.15, 0.0), 1.0)
        third = gap
        level = 1.0 - gap
    elif texture in (TILES, BRICKS):
        row = math.floor(v / sv)
        shift = 0.5 * (int(row) & 1) if texture == BRICKS else 0.0
        column = math.floor(u / su + shift)
        fy = v / sv - row
        fx = u / su + shift - column
        edge = min(min(fy, 1.0 - fy) * sv, min(fx, 1.0 - fx) * su)
        joint = 0.006 if texture == BRICKS else 0.003 + 0.01 * su
        third = 1.0 - fade(joint, edge, footprint)
        if footprint > 0.5 * min(su, sv):
            third = 0.15
        mix = hash_unit(int(column), int(row), 0, seed)
        if texture == TILES and surfaces[m, 21] > 0.5:
            mix = float((int(column) + int(row)) & 1)
            if footprint > 0.8 * su:
                mix = 0.5
            third *= 0.5
        mix = 0.8 * mix + 0.2 * octaves(u * 9.0, v * 9.0, 0.0, seed, footprint * 9.0)
        level = 1.0 - third
    elif texture == STRIPES:
        s = u / su
        s -= math.floor(s)
        mix = fade(0.0, s - sv, footprint / su)
        if footprint > 0.7 * su:
            mix = 1.0 - sv
    elif texture == PLAID:
        s = u / su
        s -= math.floor(s)
        t = v / su
        t -= math.floor(t)
        mix = 0.5 * (1.0 if s < 0.45 else 0.0) + 0.5 * (1.0 if t < 0.45 else 0.0)
        third = 0.8 if abs(s - 0.7) < 0.04 or abs(t - 0.7) < 0.04 else 0.0
        if footprint > 0.5 * su:
            mix = 0.45
            third = 0.1
    elif texture == MARBLE:
        warp = octaves(x / su, y / su, z / su, seed, footprint / su)
        mix = abs(math.sin((x + y * 0.6 + z * 0.8) / su * 2.0 + warp * 9.0))
        mix = 1.0 - (1.0 - mix) ** 3
    elif texture == PICTURE:
        r, g, b = picture_at(pictures, int(surfaces[m, 18]), u / width + 0.5, v / height + 0.5)
        return r * surfaces[m, 1], g * surfaces[m, 2], b * surfaces[m, 3], 0.5
    elif texture == SPECKLE:
        cell = hash_unit(math.floor(x / su), math.floor(y / su), math.floor(z / su), seed)
        mix = 1.0 if cell > 0.72 else 0.0
        third = 1.0 if cell < 0.12 else 0.0
        if footprint > 1.5 * su:
            mix = 0.28
            third = 0.12
        level = octaves(x / su / 2, y / su / 2, z / su / 2, seed, footprint / su)
    elif texture == FACADE:
        row = math.floor(v / sv)
        column = math.floor(u / su)
        fy = v / sv - row
        fx = u / su - column
        inside = fade(0.26, fx, footprint / su) * fade(0.26, 1.0 - fx, footprint / su)
        inside *= fade(0.25, fy, footprint / sv) * fade(0.2, 1.0 - fy, footprint / sv)
        if abs(nz) > 0.5:
            inside = 0.0
        frame = 1.0 - fade(0.022, abs(fx - 0.5), footprint / su)
        rand = hash_unit(int(column), int(row), 0, seed)
        third = inside * (0.1 if frame > 0.5 else 1.0)
        mix = 0.35 * octaves(u * 2.0, v * 2.0, 0.0, seed, footprint * 2.0)
        shade = 1.0 if inside < 0.5 else 0.4 + 1.4 * rand * rand
    elif texture == DOTS:
        row = math.floor(v / su)
        column = math.floor(u / su + 0.5 * (int(row) & 1))
        fy = v / su - row - 0.5
        fx = u / su + 0.5 * (int(row) & 1) - column - 0.5
        mix = 1.0 - fade(sv, math.sqrt(fx * fx + fy * fy), footprint / su)
        if footprint > 0.7 * su:
            mix = 3.1 * sv * sv
    elif texture == GRADED:
        mix = min(max(v / height + 0.5, 0.0), 1.0)
    elif texture == ASPHALT:
        mix = 0.7 * octaves(x / su, y / su, z / su, seed, footprint / su)
        mix += 0.3 * value_noise(x * 60.0, y * 60.0, z * 60.0, seed) if footprint < 0.02 else 0.15
        level = mix
    r = surfaces[m, 1] + mix * (surfaces[m, 4] - surfaces[m, 1])
    g = surfaces[m, 2] + mix * (surfaces[m, 5] - surfaces[m, 2])
    b = surfaces[m, 3] + mix * (surfaces[m, 6] - surfaces[m, 3])
    r += third * (surfaces[m, 7] - r)
    g += third * (surfaces[m, 8] - g)
    b += third * (surfaces[m, 9] - b)
    if surfaces[m, 20] > 0.0:
        stain = 0.65 * value_noise(x * 0.9 + 13.1, y * 0.9, z * 0.9 + 5.0, seed + 9)
        stain += 0.35 * value_noise(x * 3.3, y * 3.3, z * 3.3, seed + 8)
        shade *= 1.0 + surfaces[m, 20] * (stain - 0.5) * 2.0
    return r * shade, g * shade, b * shade, level
