"""Rays against solids: exact intersections with boxes, ellipsoids, frustums and capsules, found through a tree.

A solid is a row of `SOLID_COLUMNS` numbers: 0-8 the rotation from the world to the solid's own axes (row by row), 9-11
its centre, 12-14 its measures (half sizes; a frustum's radii at bottom and top and half its height; a capsule's radius
twice and half its straight part), 15 the kind of its cut-out, 16-17 that cut-out's settings, 18 the bevel of a box.
Every solid is convex, so that a ray meets it in one entry and one exit; a cut-out drops either of the two, which turns
an ellipsoid into foliage, a slab into a fence, a disc into a spoked wheel and a frustum into a bowl.
"""

import math

import numpy as np
from numpy.typing import NDArray

from training.scenes.compiled import compiled
from training.scenes.noise import hash_unit, value_noise

SOLID_COLUMNS = 20
BOX, ELLIPSOID, FRUSTUM, CAPSULE = 0, 1, 2, 3
WHOLE, FOLIAGE, WHEEL, BARS, OPEN_TOP, BLADES = 0, 1, 2, 3, 4, 5

FAR = 1e9
NEAR = 1e-4
LEAF_SIZE = 2
BINS = 12

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@compiled
def kept(solids: Floats, i: int, x: float, y: float, z: float) -> bool:  # noqa: PLR0911
    """Whether the surface exists at a point of it (in the solid's own axes), or was cut out there."""
    cut = int(solids[i, 15])
    if cut == WHOLE:
        return True
    if cut == FOLIAGE:
        f = solids[i, 17]
        return bool(value_noise(x * f + 31.7, y * f, z * f, 11) > solids[i, 16])
    if cut == WHEEL:
        # a tyre, spokes and a hub; settings: the rim's inner radius over the outer one, the number of spokes
        r = math.sqrt(x * x + y * y) / max(solids[i, 12], 1e-9)
        if r > solids[i, 16] or r < 0.12:
            return True
        turn = math.atan2(y, x) / (2.0 * math.pi) * solids[i, 17]
        return bool(abs(turn - math.floor(turn) - 0.5) * r < 0.035 * solids[i, 17] / 8.0)
    if cut == BARS:
        # upright bars in a slab; settings: their spacing in metres, the part of it that is bar
        s = x / solids[i, 16]
        if s - math.floor(s) < solids[i, 17]:
            return True
        return bool(abs(z) > solids[i, 14] * 0.92 or (abs(z) < solids[i, 14] * 0.06 and solids[i, 17] > 0.2))
    if cut == OPEN_TOP:
        return bool(z < solids[i, 14] * 0.999)
    # BLADES: grass or hair in a slab, each blade of its own height
    s = x / solids[i, 16] + 0.6 * z / solids[i, 16] * solids[i, 17]
    blade = math.floor(s)
    height = hash_unit(blade, 7, 3, 5) * 2.0 - 1.0
    w = abs(s - blade - 0.5) * 2.0
    level = z / solids[i, 14]
    return bool(level < height and w < 0.9 * (1.0 - 0.5 * (level + 1.0) / max(height + 1.0, 1e-6)))


@compiled
def span(  # noqa: PLR0911, PLR0912, PLR0915
    solids: Floats, i: int, kind: int, ox: float, oy: float, oz: float, dx: float, dy: float, dz: float
) -> tuple[float, float]:
    """Entry and exit of a ray (in the solid's own axes) as distances along it; entry > exit where it passes by."""
    a = solids[i, 12]
    b = solids[i, 13]
    c = solids[i, 14]
    if kind == BOX:
        t0 = -FAR
        t1 = FAR
        if abs(dx) > 1e-12:
            u = (-a - ox) / dx
            v = (a - ox) / dx
            t0 = max(t0, min(u, v))
            t1 = min(t1, max(u, v))
        elif abs(ox) > a:
            return 1.0, -1.0
        if abs(dy) > 1e-12:
            u = (-b - oy) / dy
            v = (b - oy) / dy
            t0 = max(t0, min(u, v))
            t1 = min(t1, max(u, v))
        elif abs(oy) > b:
            return 1.0, -1.0
        if abs(dz) > 1e-12:
            u = (-c - oz) / dz
            v = (c - oz) / dz
            t0 = max(t0, min(u, v))
            t1 = min(t1, max(u, v))
        elif abs(oz) > c:
            return 1.0, -1.0
        return t0, t1
    if kind == ELLIPSOID:
        px = ox / a
        py = oy / b
        pz = oz / c
        qx = dx / a
        qy = dy / b
        qz = dz / c
        aa = qx * qx + qy * qy + qz * qz
        # the distance of the ray from the centre is taken first: it keeps small spheres far away exact
        middle = -(px * qx + py * qy + pz * qz) / aa
        mx = px + middle * qx
        my = py + middle * qy
        mz = pz + middle * qz
        rest = 1.0 - (mx * mx + my * my + mz * mz)
        if rest <= 0.0:
            return 1.0, -1.0
        half = math.sqrt(rest / aa)
        return middle - half, middle + half
    if kind == FRUSTUM:
        # radius(z) = m + k z between -c and c: a at the bottom, b at the top
        m = 0.5 * (a + b)
        k = 0.5 * (b - a) / c
        t0 = -FAR
        t1 = FAR
        if abs(dz) > 1e-12:
            u = (-c - oz) / dz
            v = (c - oz) / dz
            t0 = min(u, v)
            t1 = max(u, v)
        elif abs(oz) > c:
            return 1.0, -1.0
        qa = dx * dx + dy * dy - k * k * dz * dz
        radius = m + k * oz
        qb = ox * dx + oy * dy - k * dz * radius
        qc = ox * ox + oy * oy - radius * radius
        if abs(qa) < 1e-12:
            if abs(qb) < 1e-15:
                return (t0, t1) if qc <= 0.0 else (1.0, -1.0)
            root = -qc / (2.0 * qb)
            if qb > 0.0:
                return t0, min(t1, root)
            return max(t0, root), t1
        disc = qb * qb - qa * qc
        if qa > 0.0:
            if disc <= 0.0:
                return 1.0, -1.0
            s = math.sqrt(disc)
            return max(t0, (-qb - s) / qa), min(t1, (-qb + s) / qa)
        # the ray is steeper than the cone's side: inside are the two outer parts, of which the slab leaves at most one
        if disc <= 0.0:
            return t0, t1
        s = math.sqrt(disc)
        low = (-qb + s) / qa
        high = (-qb - s) / qa
        if low > t0:
            return t0, min(t1, low)
        return max(t0, high), t1
    # a capsule: a cylinder of radius a between -c and c with a ball at either end
    t0 = FAR
    t1 = -FAR
    qa = dx * dx + dy * dy
    qb = ox * dx + oy * dy
    qc = ox * ox + oy * oy - a * a
    disc = qb * qb - qa * qc
    if disc <= 0.0 and qa > 1e-12:
        return 1.0, -1.0
    if qa > 1e-12:
        s = math.sqrt(disc)
        u = (-qb - s) / qa
        v = (-qb + s) / qa
        if abs(oz + u * dz) <= c:
            t0 = min(t0, u)
            t1 = max(t1, u)
        if abs(oz + v * dz) <= c:
            t0 = min(t0, v)
            t1 = max(t1, v)
    for side in range(2):
        ez = oz - c if side == 0 else oz + c
        dd = qa + dz * dz
        bb = qb + ez * dz
        disc = bb * bb - dd * (ox * ox + oy * oy + ez * ez - a * a)
        if disc > 0.0:
            s = math.sqrt(disc)
            t0 = min(t0, (-bb - s) / dd)
            t1 = max(t1, (-bb + s) / dd)
    return t0, t1


@compiled
def meet(
    solids: Floats, i: int, kind: int, ox: float, oy: float, oz: float, dx: float, dy: float, dz: float, limit: float
) -> float:
    """Distance along a world ray to the first kept surface of a solid nearer than `limit`, or `FAR`."""
    cx = ox - solids[i, 9]
    cy = oy - solids[i, 10]
    cz = oz - solids[i, 11]
    px = solids[i, 0] * cx + solids[i, 1] * cy + solids[i, 2] * cz
    py = solids[i, 3] * cx + solids[i, 4] * cy + solids[i, 5] * cz
    pz = solids[i, 6] * cx + solids[i, 7] * cy + solids[i, 8] * cz
    qx = solids[i, 0] * dx + solids[i, 1] * dy + solids[i, 2] * dz
    qy = solids[i, 3] * dx + solids[i, 4] * dy + solids[i, 5] * dz
    qz = solids[i, 6] * dx + solids[i, 7] * dy + solids[i, 8] * dz
    t0, t1 = span(solids, i, kind, px, py, pz, qx, qy, qz)
    if t0 > t1 or t1 < NEAR or t0 > limit:
        return FAR
    if t0 > NEAR and kept(solids, i, px + t0 * qx, py + t0 * qy, pz + t0 * qz):
        return t0
    if NEAR < t1 < limit and kept(solids, i, px + t1 * qx, py + t1 * qy, pz + t1 * qz):
        return t1
    return FAR


@compiled
def first_hit(
    solids: Floats,
    kinds: Integers,
    order: Integers,
    boxes: Floats,
    links: Integers,
    stack: Integers,
    ox: float,
    oy: float,
    oz: float,
    dx: float,
    dy: float,
    dz: float,
    limit: float,
    any_hit: bool,
) -> tuple[float, int]:
    """The nearest surface along a ray: (distance, solid's index), or (FAR, -1).

    With `any_hit`, for shadows, the first one found will do.
    """
    ix = 1.0 / dx if abs(dx) > 1e-12 else 1e12
    iy = 1.0 / dy if abs(dy) > 1e-12 else 1e12
    iz = 1.0 / dz if abs(dz) > 1e-12 else 1e12
    best = limit
    found = -1
    depth = 1
    stack[0] = 0
    while depth > 0:
        depth -= 1
        node = stack[depth]
        u = (boxes[node, 0] - ox) * ix
        v = (boxes[node, 3] - ox) * ix
        t0 = min(u, v)
        t1 = max(u, v)
        u = (boxes[node, 1] - oy) * iy
        v = (boxes[node, 4] - oy) * iy
        t0 = max(t0, min(u, v))
        t1 = min(t1, max(u, v))
        u = (boxes[node, 2] - oz) * iz
        v = (boxes[node, 5] - oz) * iz
        t0 = max(t0, min(u, v))
        t1 = min(t1, max(u, v))
        if t1 < 0.0 or t0 > t1 or t0 > best:
            continue
        count = links[node, 2]
        if count > 0:
            start = links[node, 0]
            for slot in range(start, start + count):
                index = order[slot]
                t = meet(solids, index, kinds[index], ox, oy, oz, dx, dy, dz, best)
                if t < best:
                    best = t
                    found = index
                    if any_hit:
                        return best, found
        else:
            near = links[node, 0]
            other = links[node, 1]
            axis = links[node, 3]
            forward = dx if axis == 0 else (dy if axis == 1 else dz)
            if forward < 0.0:
                near, other = other, near
            stack[depth] = other
            stack[depth + 1] = near
            depth += 2
    if found < 0:
        return FAR, -1
    return best, found


@compiled
def half_cost(low: Floats, high: Floats, count: Integers, start: int, stop: int) -> float:
    """Surface of the box about the bins start to stop - 1, times the number of solids in them."""
    number = 0
    x0 = y0 = z0 = FAR
    x1 = y1 = z1 = -FAR
    for k in range(start, stop):
        if count[k] > 0:
            number += count[k]
            x0 = min(x0, low[k, 0])
            y0 = min(y0, low[k, 1])
            z0 = min(z0, low[k, 2])
            x1 = max(x1, high[k, 0])
            y1 = max(y1, high[k, 1])
            z1 = max(z1, high[k, 2])
    if number == 0:
        return 0.0
    return number * ((x1 - x0) * (y1 - y0) + (y1 - y0) * (z1 - z0) + (z1 - z0) * (x1 - x0))


@compiled
def build_tree(low: Floats, high: Floats) -> tuple[Integers, Floats, Integers]:  # noqa: PLR0912, PLR0915
    """A tree of bounding boxes over N solids given their corners [N,3]: (order [N], boxes [nodes,6], links [nodes,4]).

    A node's links are (left, right, 0, axis) or, in a leaf, (first slot in `order`, 0, count, 0). Each node is
    split where the halves' surfaces, weighted by their numbers of solids, are smallest (of 12 places on each axis).
    """
    n = low.shape[0]
    order = np.arange(n)
    boxes = np.zeros((2 * n, 6))
    links = np.zeros((2 * n, 4), dtype=np.int64)
    first = np.zeros(2 * n, dtype=np.int64)
    last = np.zeros(2 * n, dtype=np.int64)
    last[0] = n
    bin_low = np.zeros((BINS, 3))
    bin_high = np.zeros((BINS, 3))
    bin_count = np.zeros(BINS, dtype=np.int64)
    nodes = 1
    node = 0
    while node < nodes:
        a = first[node]
        b = last[node]
        centre_low = np.full(3, FAR)
        centre_high = np.full(3, -FAR)
        boxes[node, :3] = FAR
        boxes[node, 3:] = -FAR
        for slot in range(a, b):
            i = order[slot]
            for axis in range(3):
                boxes[node, axis] = min(boxes[node, axis], low[i, axis])
                boxes[node, axis + 3] = max(boxes[node, axis + 3], high[i, axis])
                middle = 0.5 * (low[i, axis] + high[i, axis])
                centre_low[axis] = min(centre_low[axis], middle)
                centre_high[axis] = max(centre_high[axis], middle)
        if b - a <= LEAF_SIZE:
            links[node, 0] = a
            links[node, 2] = b - a
        else:
            best_cost = FAR * FAR
            axis = 0
            split = 0.0
            for k in range(3):
                wide = centre_high[k] - centre_low[k]
                if wide < 1e-9:
                    continue
                bin_low[:] = FAR
                bin_high[:] = -FAR
                bin_count[:] = 0
                for slot in range(a, b):
                    i = order[slot]
                    bin_index = min(int((0.5 * (low[i, k] + high[i, k]) - centre_low[k]) / wide * BINS), BINS - 1)
                    bin_count[bin_index] += 1
                    for j in range(3):
                        bin_low[bin_index, j] = min(bin_low[bin_index, j], low[i, j])
                        bin_high[bin_index, j] = max(bin_high[bin_index, j], high[i, j])
                for border in range(1, BINS):
                    cost = half_cost(bin_low, bin_high, bin_count, 0, border)
                    cost += half_cost(bin_low, bin_high, bin_count, border, BINS)
                    if cost < best_cost:
                        best_cost = cost
                        axis = k
                        split = centre_low[k] + wide * border / BINS
            cut = a
            for slot in range(a, b):
                i = order[slot]
                if 0.5 * (low[i, axis] + high[i, axis]) < split:
                    order[slot] = order[cut]
                    order[cut] = i
                    cut += 1
            if cut in (a, b):
                cut = (a + b) // 2
            links[node, 0] = nodes
            links[node, 1] = nodes + 1
            links[node, 3] = axis
            first[nodes] = a
            last[nodes] = cut
            first[nodes + 1] = cut
            last[nodes + 1] = b
            nodes += 2
        node += 1
    return order, boxes[:nodes], links[:nodes]


@compiled
def normal_at(solids: Floats, i: int, kind: int, x: float, y: float, z: float) -> tuple[float, float, float]:  # noqa: PLR0912
    """The outward unit normal at a point of a solid's surface, both in the solid's own axes.

    A bevel rounds a box's edges in the light without moving its surface.
    """
    a = solids[i, 12]
    b = solids[i, 13]
    c = solids[i, 14]
    if kind == BOX:
        rx = abs(x) - a
        ry = abs(y) - b
        rz = abs(z) - c
        nx = 0.0
        ny = 0.0
        nz = 0.0
        if rx >= ry and rx >= rz:
            nx = 1.0 if x > 0 else -1.0
        elif ry >= rz:
            ny = 1.0 if y > 0 else -1.0
        else:
            nz = 1.0 if z > 0 else -1.0
        bevel = solids[i, 18]
        if bevel > 0.0:
            if nx == 0.0 and rx > -bevel:
                nx = (1.0 + rx / bevel) * (0.8 if x > 0 else -0.8)
            if ny == 0.0 and ry > -bevel:
                ny = (1.0 + ry / bevel) * (0.8 if y > 0 else -0.8)
            if nz == 0.0 and rz > -bevel:
                nz = (1.0 + rz / bevel) * (0.8 if z > 0 else -0.8)
    elif kind == ELLIPSOID:
        nx = x / (a * a)
        ny = y / (b * b)
        nz = z / (c * c)
    elif kind == FRUSTUM:
        if abs(z) > c * 0.99999:
            return 0.0, 0.0, 1.0 if z > 0 else -1.0
        nx = x
        ny = y
        nz = -math.sqrt(x * x + y * y) * 0.5 * (b - a) / c
    else:
        nx = x
        ny = y
        nz = z - min(max(z, -c), c)
    length = math.sqrt(nx * nx + ny * ny + nz * nz)
    if length < 1e-12:
        return 0.0, 0.0, 1.0
    return nx / length, ny / length, nz / length
