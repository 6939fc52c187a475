"""The line through points of which some are wrong: scale and shift of a map, gain and offset of a photo."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

_ROUNDS = 3


def robust_line(x: FloatArray, y: FloatArray, weights: FloatArray | None = None) -> tuple[float, float]:
    """Scale and shift with scale * x + shift close to y: least squares, reweighted so that outliers do not count.

    The weights are Geman and McClure's, (1 + r^2)^-2 of the residual r in units of 1.5 times its median, which gives
    up to half of the points little say (Holland and Welsch, "Robust Regression Using Iteratively Reweighted Least
    Squares", 1977, describe the method).

    Args:
        x: float32, of any shape.
        y: float32, of the same shape.
        weights: of the same shape, not negative; for example one over each point's variance.

    Returns:
        (scale, shift). The scale is 1 where x is flat and tells nothing about it.
    """
    scale, shift = 1.0, 0.0
    given = np.ones_like(x) if weights is None else weights
    roots = np.sqrt(given)
    # The first residuals are those from y = x: better than from a fit that outliers have pulled.
    for _ in range(_ROUNDS):
        residuals = np.abs(x * np.float32(scale) + np.float32(shift) - y) * roots
        unit = np.float32(max(1.5 * float(np.median(residuals)), 1e-5 * float(residuals.max()), 1e-30))
        current = given / np.square(1 + np.square(np.minimum(residuals / unit, 1e4)))
        total = float(current.sum())
        if not total > 0:
            return 1.0, 0.0
        x_mean, y_mean = float((current * x).sum()) / total, float((current * y).sum()) / total
        centred = x - np.float32(x_mean)
        weighted = current * centred
        spread = float((weighted * centred).sum())
        if spread <= 1e-10 * total * (1e-30 + x_mean * x_mean):
            return 1.0, y_mean - x_mean
        scale = float((weighted * (y - np.float32(y_mean))).sum()) / spread
        shift = y_mean - scale * x_mean
    return scale, shift
