"""A batch computed a few photos at a time: ONNX Runtime takes as many as it has threads, OpenVINO one.

On a processor a larger piece saves nothing: each layer's results leave the cache before the next layer reads them. With
one thread, a photo of midas_tiny_256 in int8 took 4.7 ms alone and 5.7 ms in a batch of eight, on two cores of an AMD
EPYC. With two threads, two photos at a time took 5.4 ms each, one 6.0 and eight 5.9. Memory is that of a piece.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Arrays = Mapping[str, Any]
Compute = Callable[[Arrays], Arrays]


@dataclass(frozen=True)
class Opened:
    """A network as a runtime opened it.

    Attributes:
        compute: arrays by input name to arrays by output name.
        photos: rows of the arrays that it computes at a time; None takes any number at once.
    """

    compute: Compute
    photos: int | None


def in_pieces(feeds: Arrays, chosen: Callable[[], Opened]) -> Arrays:
    """Compute a batch.

    Args:
        feeds: arrays by input name, all of the same number of rows.
        chosen: tells before each piece what computes it.

    Returns:
        Arrays by output name, of as many rows.
    """
    results: list[Arrays] = []
    done = 0
    while not results or done < len(next(iter(feeds.values()))):
        network = chosen()
        if network.photos is None:
            return network.compute(feeds)
        piece = slice(done, done + network.photos)
        results.append(network.compute({name: array[piece] for name, array in feeds.items()}))
        done = piece.stop
    return results[0] if len(results) == 1 else {n: np.concatenate([r[n] for r in results]) for n in results[0]}
