"""Whether an exported graph computes what its source computes, at several sizes and in every slot of a batch."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from export.errors import ParityError
from export.graph.session import open_session

Pixels = NDArray[np.uint8]  # [B, H, W, 3], RGB
Depth = NDArray[np.float32]  # [B, H, W]
Size = tuple[int, int, int]  # batch, height, width

BOUND = 1e-4


def sizes_to_compare(side: int, *, any_aspect: bool, multiple: int = 32) -> list[Size]:
    """Batch 1 and 3, square, and where the network takes any aspect also a wide one on its grid."""
    low = max(multiple, side * 5 // 8 // multiple * multiple)
    shapes = [(side, side), (low, side)] if any_aspect else [(side, side)]
    return [(batch, *shape) for shape in shapes for batch in (1, 3)]


def relative_error(result: Depth, reference: Depth) -> float:
    """||result - reference|| / ||reference||, of the worst slot of the batch; infinite where the shapes differ."""
    if result.shape != reference.shape:
        return float("inf")
    errors = [
        float(np.linalg.norm(a.astype(np.float64) - b) / max(float(np.linalg.norm(b)), 1e-30))
        for a, b in zip(result, reference, strict=True)
    ]
    return max(errors) if all(np.isfinite(errors)) else float("inf")


def onnx_runner(model: bytes | str) -> Callable[[Pixels], Depth]:
    """Return a function that runs a PIXELS -> INVERSE_DEPTH graph under ONNX Runtime on the processor.

    `model` is the graph's bytes, or the path of its file, which takes less memory. The function takes RGB uint8
    (B, H, W, 3) and returns float32 (B, H, W).
    """
    session = open_session(model)

    def run(pixels: Pixels) -> Depth:
        return np.asarray(session.run(["INVERSE_DEPTH"], {"PIXELS": pixels})[0], np.float32)

    return run


def noise(size: Size) -> Pixels:
    """RGB noise (B, H, W, 3) over the whole range of uint8, the same for the same size."""
    return np.random.RandomState(sum(size)).randint(0, 256, (*size, 3)).astype(np.uint8)


def compare(
    run: Callable[[Pixels], Depth], reference: Callable[[Pixels], Depth], sizes: Iterable[Size], bound: float = BOUND
) -> float:
    """Return the largest relative error of `run` against `reference` over `sizes`.

    Args:
        run: the exported graph.
        reference: its source, with the same input and output.
        sizes: of the noise that both get.
        bound: the error must be below it.

    Raises:
        ParityError: it is not below `bound`; the message names the size.
    """
    worst = 0.0
    for size in sizes:
        pixels = noise(size)
        error = relative_error(run(pixels), reference(pixels))
        if not error < bound:
            batch, height, width = size
            raise ParityError(
                f"the exported graph differs from its source by {error:.1e} at batch {batch}, {height}x{width} "
                f"(allowed: below {bound:.0e}); it was not written"
            )
        worst = max(worst, error)
    return worst
