"""What a build costs and gains against float32: error on photos, size, time for an image; and whether it may be used.

The reference of the errors is the PyTorch network, that of size and time its float32 ONNX graph.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from export.errors import PrecisionError
from export.graph.parity import BOUND, Depth, Pixels, relative_error
from export.targets.builds import Precision

# ||result - float32|| / ||float32|| on a photo, for trained weights; bfloat16 has no more significant bits than int8
BOUNDS: Mapping[Precision, float] = {"fp32": BOUND, "fp16": 1e-2, "bf16": 5e-2, "int8": 5e-2}
_MOST_SECONDS = 8.0
_MOST_RUNS = 25

Runner = Callable[[Pixels], Depth]


def error_on(photos: Sequence[Pixels], run: Runner, references: Sequence[Depth], batch: int = 1) -> float:
    """The largest relative error of `run` on one of `photos`; infinite for another shape, infinity or NaN.

    Where `batch` is above 1, every slot of a batch of that many is judged too. It holds the first photo and, between,
    its mirror image, so that slots that are mixed up show; the mirror image is compared with itself alone.
    """
    errors = [relative_error(run(photo), depth) for photo, depth in zip(photos, references, strict=True)]
    if batch > 1:
        mirrored = np.ascontiguousarray(photos[0][:, :, ::-1])
        expected = (references[0], run(mirrored))
        in_turns = [number % 2 for number in range(batch)]
        together = run(np.concatenate([(photos[0], mirrored)[which] for which in in_turns]))
        errors.append(relative_error(together, np.concatenate([expected[which] for which in in_turns])))
    return max(errors)


def refuse_beyond_bound(name: str, precision: Precision, error: float) -> None:
    """Raises PrecisionError, with the figures, where a trained network may not be served with this error."""
    if not error < BOUNDS[precision]:
        raise PrecisionError(
            f"{name} in {precision} differs from float32 by {error:.1e} on photos "
            f"(allowed: below {BOUNDS[precision]:.0e}); it was not written. "
            + (
                "Calibrate with photos like those it will see (--calibration), or choose another precision"
                if precision == "int8"
                else "Choose another precision"
            )
        )


def milliseconds(run: Runner, other: Runner, pixels: Pixels) -> tuple[float, float]:
    """Median time of one call of each of two runners, in milliseconds; in turns, so that a busy machine is fair."""
    times: tuple[list[float], list[float]] = ([], [])
    for timed in (run, other):
        timed(pixels)  # the first call allocates
    end = time.monotonic() + _MOST_SECONDS
    while len(times[0]) < _MOST_RUNS and (not times[0] or time.monotonic() < end):
        for timed, taken in zip((run, other), times, strict=True):
            started = time.perf_counter()
            timed(pixels)
            taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(times[0]), statistics.median(times[1])


def described(against_fp32: Mapping[str, float]) -> str:
    """The comparison in one line, for a person."""
    facts = against_fp32
    return (
        f"relative error {facts['error']:.1e} on {facts['photos']:.0f} photos, "
        f"{facts['size'] / 1e6:.1f} MB for {facts['size_fp32'] / 1e6:.1f}, "
        f"{facts['milliseconds']:.1f} ms an image for {facts['milliseconds_fp32']:.1f}"
    )
