"""From a view of a scene to light and depth per pixel: primary rays, shadows, occlusion, one reflection, smooth edges.

One ray through each pixel's centre gives the exact depth and, with shadow and occlusion rays, the light that falls on
the surface there. That light is noisy, and is smoothed over neighbours on the same surface; only pixels at edges get
three rays more, which look up their light in the nearest like neighbour. So a picture costs about six rays a pixel.
"""

import math

import numpy as np
from numpy.typing import NDArray

from training.scenes.compiled import compiled
from training.scenes.noise import hash_unit, octaves, value_noise
from training.scenes.surfaces import PICTURE, albedo_at
from training.scenes.tracing import FAR, FOLIAGE, first_hit, normal_at

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Pictures = NDArray[np.float32]
# solids [N,20], kinds [N], order [N], boxes [M,6], links [M,4], surface of each solid [N], surfaces [K,22],
# pictures [P,H,W,3], lights [L,8], ambient [3,3], sky [20]
World = tuple[Floats, Integers, Integers, Floats, Integers, Integers, Floats, Pictures, Floats, Floats, Floats]

# what the first ray of each pixel found: depth [H,W], solid [H,W] (-1: sky), colour, normal, light that falls on it,
# and light that needs no colour (mirrored, sent out, highlights, the sky), each [H,W,3]
Shares = NDArray[np.float32]
Film = tuple[Floats, Integers, Shares, Shares, Shares, Shares]

SUN, LAMP = 0, 1
OCCLUSION_RAYS = 2


@compiled
def sky_at(sky: Floats, dx: float, dy: float, dz: float) -> tuple[float, float, float]:
    """Light from the sky along a direction, as linear RGB.

    `sky`: 0-2 zenith, 3-5 horizon, 6-8 below it, 9 clouds, 10-12 towards the sun, 13 the sun's glow, 14 seed.
    """
    h = max(dz, 0.0) ** 0.5
    r = sky[3] + h * (sky[0] - sky[3])
    g = sky[4] + h * (sky[1] - sky[4])
    b = sky[5] + h * (sky[2] - sky[5])
    if dz < 0.0:
        w = min(-dz * 8.0, 1.0)
        return r + w * (sky[6] - r), g + w * (sky[7] - g), b + w * (sky[8] - b)
    if sky[9] > 0.0 and dz > 0.01:
        s = 1.6 / (dz + 0.12)
        cloud = octaves(dx * s, dy * s, 1.3, int(sky[14]), 0.0)
        w = min(max((cloud - 0.62 + 0.35 * sky[9]) * 5.0, 0.0), 1.0) * min(dz * 6.0, 1.0)
        white = 0.55 * (sky[3] + sky[4] + sky[5])
        r += w * (white - r)
        g += w * (white - g)
        b += w * (white - b)
    towards = dx * sky[10] + dy * sky[11] + dz * sky[12]
    if towards > 0.0 and sky[13] > 0.0:
        glow = sky[13] * (towards**24 * 0.5 + (6.0 if towards > 0.9995 else 0.0))
        r += glow
        g += glow * 0.93
        b += glow * 0.8
    return r, g, b


@compiled
def ambient_at(ambient: Floats, nx: float, ny: float, nz: float, channel: int) -> float:
    """Light from all around on a surface: `ambient` rows are from above, from the sides, from below."""
    if nz > 0.0:
        return float(ambient[1, channel] + nz * (ambient[0, channel] - ambient[1, channel]))
    return float(ambient[1, channel] - nz * (ambient[2, channel] - ambient[1, channel]))


@compiled
def look(
    world: World,
    stack: Integers,
    ox: float,
    oy: float,
    oz: float,
    dx: float,
    dy: float,
    dz: float,
    pixel: float,
    found: Floats,
) -> tuple[float, int]:
    """Trace one ray and describe what it meets in `found`: 0-2 colour, 3-5 normal, 6 emission; (FAR, -1) is the sky."""
    solids, kinds, order, boxes, links, owners, surfaces, pictures, _, _, _ = world
    t, index = first_hit(solids, kinds, order, boxes, links, stack, ox, oy, oz, dx, dy, dz, FAR, False)
    if index < 0:
        return FAR, -1
    kind = kinds[index]
    m = owners[index]
    cx = ox + t * dx - solids[index, 9]
    cy = oy + t * dy - solids[index, 10]
    cz = oz + t * dz - solids[index, 11]
    px = solids[index, 0] * cx + solids[index, 1] * cy + solids[index, 2] * cz
    py = solids[index, 3] * cx + solids[index, 4] * cy + solids[index, 5] * cz
    pz = solids[index, 6] * cx + solids[index, 7] * cy + solids[index, 8] * cz
    nx, ny, nz = normal_at(solids, index, kind, px, py, pz)
    # a slanted view spreads the pixel over more of the surface
    slant = abs(
        nx * (solids[index, 0] * dx + solids[index, 1] * dy + solids[index, 2] * dz)
        + ny * (solids[index, 3] * dx + solids[index, 4] * dy + solids[index, 5] * dz)
        + nz * (solids[index, 6] * dx + solids[index, 7] * dy + solids[index, 8] * dz)
    )
    footprint = t * pixel / max(slant, 0.25)
    r, g, b, level = albedo_at(surfaces, m, pictures, solids, index, kind, px, py, pz, nx, ny, nz, footprint)
    side = 1.0
    if (
        nx * (solids[index, 0] * dx + solids[index, 1] * dy + solids[index, 2] * dz)
        + ny * (solids[index, 3] * dx + solids[index, 4] * dy + solids[index, 5] * dz)
        + nz * (solids[index, 6] * dx + solids[index, 7] * dy + solids[index, 8] * dz)
    ) > 0.0:
        side = -1.0
    bump = surfaces[m, 17]
    if int(solids[index, 15]) == FOLIAGE:
        bump = 1.2
    if bump > 0.0:
        f = 1.0 / max(surfaces[m, 10], 0.004)
        if int(solids[index, 15]) == FOLIAGE:
            f = solids[index, 17] * 1.3
        if footprint * f < 0.8 and int(surfaces[m, 0]) != PICTURE:
            nx += bump * (value_noise(px * f, py * f, pz * f, 3) - 0.5)
            ny += bump * (value_noise(px * f + 9.0, py * f, pz * f, 4) - 0.5)
            nz += bump * (value_noise(px * f, py * f + 9.0, pz * f, 5) - 0.5)
            dim = 1.0 - 0.25 * min(bump, 1.0) * (1.0 - level)
            r *= dim
            g *= dim
            b *= dim
            length = math.sqrt(nx * nx + ny * ny + nz * nz)
            nx /= length
            ny /= length
            nz /= length
    wx = solids[index, 0] * nx + solids[index, 3] * ny + solids[index, 6] * nz
    wy = solids[index, 1] * nx + solids[index, 4] * ny + solids[index, 7] * nz
    wz = solids[index, 2] * nx + solids[index, 5] * ny + solids[index, 8] * nz
    found[0] = r
    found[1] = g
    found[2] = b
    found[3] = side * wx
    found[4] = side * wy
    found[5] = side * wz
    found[6] = surfaces[m, 15]
    return t, index


@compiled
def ray_through(
    camera: Floats, width: int, height: int, column: float, row: float
) -> tuple[float, float, float, float]:
    """The ray through a point of the picture, which is given in pixels from the upper left corner.

    Returns:
        Its unit direction, and the distance along it at which it is 1 metre ahead along the optical axis.
    """
    sx = (2.0 * column / width - 1.0) * camera[12]
    sy = (1.0 - 2.0 * row / height) * camera[13]
    dx = camera[9] + sx * camera[3] + sy * camera[6]
    dy = camera[10] + sx * camera[4] + sy * camera[7]
    dz = camera[11] + sx * camera[5] + sy * camera[8]
    length = math.sqrt(dx * dx + dy * dy + dz * dz)
    return dx / length, dy / length, dz / length, length


@compiled
def probe_view(world: World, camera: Floats, width: int, height: int) -> tuple[Floats, Integers]:
    """What each pixel shows, without light: to judge a camera's place.

    `camera`: 0-2 place, 3-5 right, 6-8 up, 9-11 forward, 12 and 13 half the picture's width and height at distance 1.

    Returns:
        Depth along the optical axis in metres, and the solid's index, both `[H, W]`; inf and -1 where it shows none.
    """
    solids, kinds, order, boxes, links, _, _, _, _, _, _ = world
    stack = np.zeros(128, dtype=np.int64)
    depth = np.full((height, width), np.inf)
    index = np.full((height, width), -1, dtype=np.int64)
    for row in range(height):
        for column in range(width):
            dx, dy, dz, length = ray_through(camera, width, height, column + 0.5, row + 0.5)
            t, found = first_hit(
                solids, kinds, order, boxes, links, stack, camera[0], camera[1], camera[2],
                dx, dy, dz, FAR, False,
            )  # fmt: skip
            if found >= 0:
                depth[row, column] = t / length
                index[row, column] = found
    return depth, index


@compiled
def mirrored_light(
    world: World,
    stack: Integers,
    px: float,
    py: float,
    pz: float,
    dx: float,
    dy: float,
    dz: float,
    pixel: float,
    found: Floats,
) -> None:
    """Light that arrives at a point from a direction, into `found[0:3]`; lamps shine on all that faces them."""
    _, _, _, _, _, _, _, _, lights, ambient, sky = world
    far, other = look(world, stack, px, py, pz, dx, dy, dz, pixel, found)
    if other < 0:
        found[0], found[1], found[2] = sky_at(sky, dx, dy, dz)
        return
    for channel in range(3):
        amount = 0.75 * ambient_at(ambient, found[3], found[4], found[5], channel)
        for k in range(lights.shape[0]):
            if lights[k, 0] == SUN:
                cosine = lights[k, 1] * found[3] + lights[k, 2] * found[4] + lights[k, 3] * found[5]
                amount += 0.5 * max(cosine, 0.0) * lights[k, 4 + channel]
            else:
                lx = lights[k, 1] - px - far * dx
                ly = lights[k, 2] - py - far * dy
                lz = lights[k, 3] - pz - far * dz
                d2 = lx * lx + ly * ly + lz * lz + 0.05
                cosine = (lx * found[3] + ly * found[4] + lz * found[5]) / math.sqrt(d2)
                amount += 0.7 * max(cosine, 0.0) * lights[k, 4 + channel] / d2
        found[channel] *= amount + found[6]


@compiled
def openness(
    world: World,
    stack: Integers,
    px: float,
    py: float,
    pz: float,
    nx: float,
    ny: float,
    nz: float,
    column: int,
    row: int,
    seed: int,
    reach: float,
) -> float:
    """The part (0 to 1) of the surroundings' light that reaches a point with normal n, by rays of length `reach`."""
    solids, kinds, order, boxes, links, _, _, _, _, _, _ = world
    total = 0.0
    for ray in range(OCCLUSION_RAYS):
        turn = 2.0 * math.pi * (hash_unit(column, row, 2 * ray, seed) + ray / OCCLUSION_RAYS)
        level = 2.0 * (hash_unit(column, row, 2 * ray + 1, seed) + ray) / OCCLUSION_RAYS - 1.0
        flat = math.sqrt(max(1.0 - level * level, 0.0))
        # a point of the unit ball's surface added to the normal: directions by the cosine law
        ax = nx * 1.001 + flat * math.cos(turn)
        ay = ny * 1.001 + flat * math.sin(turn)
        az = nz * 1.001 + level
        size = max(math.sqrt(ax * ax + ay * ay + az * az), 1e-6)
        far, other = first_hit(
            solids, kinds, order, boxes, links, stack, px, py, pz, ax / size, ay / size, az / size, reach, False
        )
        total += 1.0 if other < 0 else 0.12 + 0.75 * (far / reach) ** 0.7
    return total / OCCLUSION_RAYS


@compiled
def first_rays(world: World, camera: Floats, width: int, height: int, seed: int, reach: float) -> Film:  # noqa: PLR0912, PLR0915
    """One ray through the centre of each pixel: exact depth, and the light there, still noisy."""
    solids, kinds, order, boxes, links, owners, surfaces, _, lights, ambient, sky = world
    stack = np.zeros(128, dtype=np.int64)
    found = np.zeros(8)
    mirrored = np.zeros(8)
    depth = np.full((height, width), np.inf)
    index = np.full((height, width), -1, dtype=np.int64)
    colour = np.zeros((height, width, 3), dtype=np.float32)
    normal = np.zeros((height, width, 3), dtype=np.float32)
    light = np.zeros((height, width, 3), dtype=np.float32)
    extra = np.zeros((height, width, 3), dtype=np.float32)
    pixel = 2.0 * camera[12] / width
    for row in range(height):
        for column in range(width):
            dx, dy, dz, length = ray_through(camera, width, height, column + 0.5, row + 0.5)
            t, hit = look(world, stack, camera[0], camera[1], camera[2], dx, dy, dz, pixel, found)
            if hit < 0:
                extra[row, column, 0], extra[row, column, 1], extra[row, column, 2] = sky_at(sky, dx, dy, dz)
                continue
            depth[row, column] = t / length
            index[row, column] = hit
            nx = found[3]
            ny = found[4]
            nz = found[5]
            for channel in range(3):
                colour[row, column, channel] = found[channel]
                normal[row, column, channel] = found[3 + channel]
                extra[row, column, channel] = found[6] * found[channel]
            offset = 1e-3 + 2e-4 * t
            px = camera[0] + t * dx + nx * offset
            py = camera[1] + t * dy + ny * offset
            pz = camera[2] + t * dz + nz * offset
            m = owners[hit]
            matt = 1.0
            # a mirror, or the sheen of glass, lacquer and polished floors seen at a low angle
            if surfaces[m, 16] > 0.0:
                facing = -(nx * dx + ny * dy + nz * dz)
                part = surfaces[m, 16]
                part += (1.0 - part) * (1.0 - facing) ** 5 * min(2.0 * part + 0.3, 1.0)
                rx = dx + 2.0 * facing * nx
                ry = dy + 2.0 * facing * ny
                rz = dz + 2.0 * facing * nz
                mirrored_light(world, stack, px, py, pz, rx, ry, rz, pixel * 3.0, mirrored)
                for channel in range(3):
                    extra[row, column, channel] += part * mirrored[channel]
                matt -= part
            free = openness(world, stack, px, py, pz, nx, ny, nz, column, row, seed, reach)
            for channel in range(3):
                light[row, column, channel] = free * ambient_at(ambient, nx, ny, nz, channel)
            for k in range(lights.shape[0]):
                lx = lights[k, 1] + (hash_unit(column, row, 11 + 3 * k, seed) - 0.5) * 2.0 * lights[k, 7]
                ly = lights[k, 2] + (hash_unit(column, row, 12 + 3 * k, seed) - 0.5) * 2.0 * lights[k, 7]
                lz = lights[k, 3] + (hash_unit(column, row, 13 + 3 * k, seed) - 0.5) * 2.0 * lights[k, 7]
                fall = 1.0
                limit = FAR
                if lights[k, 0] == LAMP:
                    lx -= px
                    ly -= py
                    lz -= pz
                size = math.sqrt(lx * lx + ly * ly + lz * lz)
                if lights[k, 0] == LAMP:
                    fall = 1.0 / (size * size + 0.05)
                    limit = size - 0.02
                lx /= size
                ly /= size
                lz /= size
                cosine = nx * lx + ny * ly + nz * lz
                if cosine <= 0.0:
                    continue
                _, other = first_hit(solids, kinds, order, boxes, links, stack, px, py, pz, lx, ly, lz, limit, True)
                if other >= 0 and surfaces[owners[other], 15] <= 0.0:
                    continue
                shine = 0.0
                if surfaces[m, 13] > 0.0:
                    hx = lx - dx
                    hy = ly - dy
                    hz = lz - dz
                    half = math.sqrt(hx * hx + hy * hy + hz * hz)
                    along = (nx * hx + ny * hy + nz * hz) / max(half, 1e-9)
                    shine = surfaces[m, 13] * max(along, 0.0) ** surfaces[m, 14]
                for channel in range(3):
                    strength = fall * lights[k, 4 + channel]
                    light[row, column, channel] += strength * cosine
                    extra[row, column, channel] += strength * shine
            for channel in range(3):
                light[row, column, channel] *= matt
    return depth, index, colour, normal, light, extra


@compiled
def smoothed(film: Film) -> Shares:
    """The light of `film`, in which single shadow and occlusion rays show as noise, averaged over like neighbours."""
    _, index, _, normal, light, _ = film
    height, width = index.shape
    smooth = np.zeros_like(light)
    for row in range(height):
        for column in range(width):
            own = index[row, column]
            if own < 0:
                continue
            weight = 0.0
            r = 0.0
            g = 0.0
            b = 0.0
            for j in range(max(row - 2, 0), min(row + 3, height)):
                for i in range(max(column - 2, 0), min(column + 3, width)):
                    # every second neighbour, as on a chess board: half the cost, the same reach
                    if ((i + j + row + column) & 1) == 1 or index[j, i] != own:
                        continue
                    alike = (
                        normal[row, column, 0] * normal[j, i, 0]
                        + normal[row, column, 1] * normal[j, i, 1]
                        + normal[row, column, 2] * normal[j, i, 2]
                    )
                    if alike < 0.85:
                        continue
                    weight += 1.0
                    r += light[j, i, 0]
                    g += light[j, i, 1]
                    b += light[j, i, 2]
            smooth[row, column, 0] = r / weight
            smooth[row, column, 1] = g / weight
            smooth[row, column, 2] = b / weight
    return smooth


@compiled
def is_edge(index: Integers, shaded: Shares, row: int, column: int) -> bool:
    """Whether a pixel's neighbours show another solid or another brightness."""
    height, width = index.shape
    for j in range(max(row - 1, 0), min(row + 2, height)):
        for i in range(max(column - 1, 0), min(column + 2, width)):
            if index[j, i] != index[row, column]:
                return True
            change = abs(shaded[j, i, 1] - shaded[row, column, 1])
            if change > 0.15 * (shaded[j, i, 1] + shaded[row, column, 1]) + 0.02:
                return True
    return False


@compiled
def through_haze(value: float, distance: float, haze: float, sky: Floats, channel: int) -> float:
    """Light of one colour that the air between has partly replaced with the sky's; no haze where `haze` is 0."""
    if haze <= 0.0:
        return value
    clear = math.exp(-distance / haze)
    return float(value * clear + (1.0 - clear) * (0.6 * sky[3 + channel] + 0.4 * sky[channel]))


@compiled
def soften_edges(  # noqa: PLR0912
    world: World, camera: Floats, film: Film, smooth: Shares, shaded: Shares, haze: float
) -> NDArray[np.float32]:
    """`shaded`, with three more rays through each pixel at an edge; their light is that of the most like neighbour."""
    sky = world[10]
    _, index, _, normal, _, extra = film
    height, width = index.shape
    stack = np.zeros(128, dtype=np.int64)
    found = np.zeros(8)
    pixel = 2.0 * camera[12] / width
    # three places in the pixel that share no row and no column with each other or with the centre
    across = (0.125, 0.875, 0.375)
    down = (0.625, 0.375, 0.9)
    picture = shaded.copy()
    for row in range(height):
        for column in range(width):
            if not is_edge(index, shaded, row, column):
                continue
            for sample in range(3):
                dx, dy, dz, length = ray_through(camera, width, height, column + across[sample], row + down[sample])
                t, hit = look(world, stack, camera[0], camera[1], camera[2], dx, dy, dz, pixel, found)
                if hit < 0:
                    r, g, b = sky_at(sky, dx, dy, dz)
                    picture[row, column, 0] += r
                    picture[row, column, 1] += g
                    picture[row, column, 2] += b
                    continue
                best = -2.0
                best_row = -1
                best_column = -1
                for j in range(max(row - 1, 0), min(row + 2, height)):
                    for i in range(max(column - 1, 0), min(column + 2, width)):
                        if index[j, i] < 0:
                            continue
                        alike = found[3] * normal[j, i, 0] + found[4] * normal[j, i, 1] + found[5] * normal[j, i, 2]
                        if index[j, i] == hit:
                            alike += 3.0
                        if alike > best:
                            best = alike
                            best_row = j
                            best_column = i
                for channel in range(3):
                    value = found[channel] * found[6]
                    if best_row >= 0:
                        # another solid lends its light, but not its highlights
                        glow = extra[best_row, best_column, channel] if best >= 2.0 else value
                        value = found[channel] * smooth[best_row, best_column, channel] + glow
                    picture[row, column, channel] += through_haze(value, t / length, haze, sky, channel)
            for channel in range(3):
                picture[row, column, channel] *= 0.25
    return picture


@compiled
def render_view(
    world: World, camera: Floats, width: int, height: int, seed: int, reach: float, haze: float
) -> tuple[NDArray[np.float32], Floats]:
    """Linear light [H,W,3] (float32) and depth along the optical axis [H,W] (inf in the sky) through a camera.

    `reach` is the distance in metres within which surfaces darken each other; `haze` the distance at which the air
    hides two thirds of a surface (0: clear air).
    """
    sky = world[10]
    film = first_rays(world, camera, width, height, seed, reach)
    depth, index, colour, _, _, extra = film
    smooth = smoothed(film)
    shaded = np.zeros((height, width, 3), dtype=np.float32)
    for row in range(height):
        for column in range(width):
            for channel in range(3):
                value = colour[row, column, channel] * smooth[row, column, channel] + extra[row, column, channel]
                if index[row, column] >= 0:
                    value = through_haze(value, depth[row, column], haze, sky, channel)
                shaded[row, column, channel] = value
    return soften_edges(world, camera, film, smooth, shaded, haze), depth
