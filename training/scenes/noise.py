"""Noise that is a pure function of position and seed: hashes, smooth value noise and its octaves."""

import math

from training.scenes.compiled import compiled


@compiled
def scrambled(h: int) -> float:
    """A number in [0, 1) from the lowest 32 bits of an integer, in which like integers give unlike numbers."""
    h &= 0xFFFFFFFF
    h = ((h ^ (h >> 15)) * 739982445) & 0xFFFFFFFF
    h = ((h ^ (h >> 12)) * 695872825) & 0xFFFFFFFF
    h ^= h >> 15
    return h * (1.0 / 4294967296.0)


@compiled
def hash_unit(x: int, y: int, z: int, seed: int) -> float:
    """A repeatable number in [0, 1) for a lattice point (integers of any sign)."""
    return scrambled(x * 374761393 + y * 668265263 + z * 1440662683 + seed * 1274126177)


@compiled
def value_noise(x: float, y: float, z: float, seed: int) -> float:
    """Smooth noise in [0, 1] with a period of about one unit of length."""
    fx = math.floor(x)
    fy = math.floor(y)
    fz = math.floor(z)
    ix = int(fx)
    iy = int(fy)
    iz = int(fz)
    u = x - fx
    v = y - fy
    w = z - fz
    u = u * u * (3.0 - 2.0 * u)
    v = v * v * (3.0 - 2.0 * v)
    w = w * w * (3.0 - 2.0 * w)
    # the lattice's eight corners differ by constants before they are scrambled
    h = ix * 374761393 + iy * 668265263 + iz * 1440662683 + seed * 1274126177
    a00 = scrambled(h)
    a10 = scrambled(h + 374761393)
    a01 = scrambled(h + 668265263)
    a11 = scrambled(h + 374761393 + 668265263)
    h += 1440662683
    b00 = scrambled(h)
    b10 = scrambled(h + 374761393)
    b01 = scrambled(h + 668265263)
    b11 = scrambled(h + 374761393 + 668265263)
    a0 = a00 + u * (a10 - a00)
    a1 = a01 + u * (a11 - a01)
    b0 = b00 + u * (b10 - b00)
    b1 = b01 + u * (b11 - b01)
    a = a0 + v * (a1 - a0)
    b = b0 + v * (b1 - b0)
    return a + w * (b - a)


@compiled
def octaves(x: float, y: float, z: float, seed: int, footprint: float) -> float:
    """Up to four octaves of value noise in [0, 1].

    Octaves finer than `footprint` (a pixel's size, in periods) are left out, so that far surfaces do not flicker.
    """
    total = 0.0
    weight = 0.5
    left = 1.0
    frequency = 1.0
    for octave in range(4):
        if octave > 0 and footprint * frequency > 0.7:
            break
        total += weight * value_noise(x * frequency, y * frequency, z * frequency, seed + octave)
        left -= weight
        weight *= 0.5
        frequency *= 2.03
    return total + 0.5 * left
