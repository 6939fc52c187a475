"""The back of what hangs, such as a lamp: the floor below is seen, but not the side that the thing turns away."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_TORN = 0.12
_LOWEST, _WIDEST = 1.2, 0.6
_FEWEST = 30
_STEP = 0.005


def hidden_backs(places: Floats, points: Floats, stands: Mask, eye: Floats) -> Iterator[Floats]:
    """What small hanging things cover besides what is seen of them, if their back is half a disc as wide as they are.

    Args:
        places: of all pixels [H,W,3]: along the wall, into the room, and above the floor, in metres.
        points: likewise, in the camera's axes.
        stands: bool [H,W], the pixels that show things.
        eye: the camera's place [2] along the wall and into the room.

    Yields:
        Places [N,3] of one thing, at the height of its lowest point.
    """
    parts, _ = ndimage.label(stands & ~_behind_edges(points))
    for number, window in enumerate(ndimage.find_objects(parts), 1):
        own = places[window][parts[window] == number]
        if len(own) < _FEWEST or own[:, 2].min() < _LOWEST:
            continue
        sight = own[:, :2].mean(axis=0) - eye
        sight /= np.linalg.norm(sight)
        across = own[:, :2] @ np.array([-sight[1], sight[0]])
        if np.ptp(across) > _WIDEST:
            continue
        centre = (own[np.argmin(across), :2] + own[np.argmax(across), :2]) / 2
        radius = float(np.ptp(across)) / 2
        disc = np.stack(np.meshgrid(*2 * [np.arange(-radius, radius, _STEP)]), axis=-1).reshape(-1, 2)
        back = disc[(np.hypot(*disc.T) < radius) & (disc @ sight > 0)] + centre
        inside = np.concatenate([share * centre + (1 - share) * own[:, :2] for share in np.arange(0.1, 1.0, 0.1)])
        covered = np.concatenate([back, inside])
        yield np.column_stack([covered, np.full(len(covered), own[:, 2].min())])


def _behind_edges(points: Floats) -> Mask:
    """The pixels just behind the edge of something nearer."""
    z = points[..., 2]
    nearest = ndimage.minimum_filter(z, footprint=ndimage.generate_binary_structure(2, 1))
    return np.asarray(z > nearest + _TORN)
