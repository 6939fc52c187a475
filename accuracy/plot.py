"""A plot of all networks: error against time."""

from collections.abc import Sequence

from accuracy.evaluate import PredictorResult
from reports.plots.points import Dot, points
from reports.plots.sheet import Chart


def overview(results: Sequence[PredictorResult]) -> Chart | None:
    """A point for each network: milliseconds a photo (logarithmic) against AbsRel; down and left is better.

    The ramp is a dashed line, since it takes no time. None where no network has an AbsRel.
    """
    measured = [
        (result.label, result.milliseconds, error)
        for result in results
        if result.model is not None and (error := result.mean.abs_rel) is not None
    ]
    if not measured:
        return None
    dots = [
        Dot(f"{label} {error:.3f}", number, milliseconds, error)
        for number, (label, milliseconds, error) in enumerate(sorted(measured, key=lambda each: -each[2]))
    ]
    ramp = next((result.mean.abs_rel for result in results if result.model is None), None)
    return points(
        "Error against time: down and left is better",
        dots,
        across="ms a photo, median (logarithmic)",
        upwards="AbsRel, mean over the photos",
        from_zero=True,
        level=None if ramp is None else (ramp, f"ramp {ramp:.3f}"),
    )
