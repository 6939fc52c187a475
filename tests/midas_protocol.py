"""How MiDaS measures accuracy: scale and shift by least squares in inverse depth, then errors of depth.

(Ranftl et al., Towards Robust Monocular Depth Estimation, TPAMI 2022, section 5.)
"""

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float64]


def delta_1_and_abs_rel(
    prediction: Map, inverse_depth: Map, valid: NDArray[np.bool_], cap: float
) -> tuple[float, float]:
    """Share of pixels whose depth is within 1.25 times the truth, and the mean of |depth - truth| / truth.

    Args:
        prediction: relative inverse depth ``[H, W]``.
        inverse_depth: the truth ``[H, W]``, in any unit.
        valid: where there is a truth.
        cap: largest depth, in the unit of ``1 / inverse_depth``; inf for none.
    """
    predicted, truth = prediction[valid], inverse_depth[valid]
    system = np.stack([predicted, np.ones_like(predicted)], axis=1)
    scale, shift = np.linalg.lstsq(system, truth, rcond=None)[0]
    floor = max(1 / cap, 1e-6)
    depth = 1 / np.maximum(scale * predicted + shift, floor)
    true_depth = 1 / np.maximum(truth, floor)
    ratio = np.maximum(depth / true_depth, true_depth / depth)
    return float(np.mean(ratio < 1.25)), float(np.mean(np.abs(depth - true_depth) / true_depth))
