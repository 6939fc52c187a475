"""One network, or the ramp, over all photos."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accuracy.errors import AccuracyError, ServerFailedError
from accuracy.judging import METRES_CAP, check_prediction, check_shapes
from accuracy.metrics import Figures, mean, measure, whdr
from accuracy.pair import read_truth
from accuracy.predictors import PredictedDepth
from accuracy.samples import Sample, photo_bytes
from accuracy.subjects import Subject
from midas_server.imaging.geometry import resize_depth

# A message about a data set that cannot be measured at all names no more photos.
MOST_REASONS = 10


@dataclass(frozen=True)
class PhotoResult:
    """What one predictor did on one photo.

    Attributes:
        sample: the photo.
        figures: what was measured on it.
        milliseconds: from its bytes to its depth.
    """

    sample: Sample
    figures: Figures
    milliseconds: float


@dataclass(frozen=True)
class PredictorResult:
    """What one predictor did.

    Attributes:
        label, model, source, precision: as in `accuracy.subjects.Subject`.
        weights: as INFO reports them.
        photos: in the order of the samples.
        failures: why the others have no result, by the name of the photo.
        worst: the photos of the largest AbsRel with their depth maps `[H, W]` at the truth's size, worst first.
    """

    label: str
    model: str | None
    source: str
    weights: str
    precision: str
    photos: list[PhotoResult]
    failures: dict[str, str]
    worst: list[tuple[PhotoResult, NDArray[np.float32]]]

    @property
    def mean(self) -> Figures:
        """The mean over the photos."""
        return mean([photo.figures for photo in self.photos])

    @property
    def milliseconds(self) -> float:
        """The median over the photos."""
        return statistics.median(photo.milliseconds for photo in self.photos)


def evaluate(
    subject: Subject,
    samples: Sequence[Sample],
    *,
    cap: float = METRES_CAP,
    keep_worst: int = 0,
    done: Callable[[], None] = lambda: None,
) -> PredictorResult:
    """Measure a network, or the ramp, on every sample.

    Args:
        subject: what is measured; it is opened here.
        samples: at least one.
        cap: the farthest depth in metres that counts, where the truth is metric.
        keep_worst: of how many photos the depth is kept.
        done: called after each photo.

    Raises:
        AccuracyError: it cannot be opened, the server failed, or not a single photo could be measured (the message has
            the reasons).
    """
    photos: list[PhotoResult] = []
    failures: dict[str, str] = {}
    worst: list[tuple[float, int, NDArray[np.float32]]] = []
    weights = "unknown"
    with subject.opened() as predictor:
        for sample in samples:
            try:
                photo = photo_bytes(sample)
                if not photos:
                    predictor.predict(photo)  # the first prediction also pays for what is set up once
                prediction = predictor.predict(photo)
                figures, depth = _figures(sample, prediction, cap)
            except ServerFailedError:
                raise
            except AccuracyError as error:
                failures[sample.name] = str(error)
            else:
                weights = prediction.weights
                photos.append(PhotoResult(sample, figures, prediction.milliseconds))
                if figures.abs_rel is not None and keep_worst:
                    worst.append((figures.abs_rel, len(photos) - 1, depth))
                    worst.sort(key=lambda entry: entry[:2], reverse=True)
                    del worst[keep_worst:]
            done()
    if not photos:
        raise AccuracyError(_in_lines(f"{subject.label}: no photo could be measured", failures.items()))
    return PredictorResult(
        label=subject.label,
        model=subject.model,
        source=subject.source,
        weights=weights,
        precision=subject.precision,
        photos=photos,
        failures=failures,
        worst=[(photos[number], depth) for _, number, depth in worst],
    )


def on_common_photos(results: Sequence[PredictorResult]) -> list[PredictorResult]:
    """The results without the photos that not every one of them has, so that their means can be compared.

    Raises:
        AccuracyError: no photo is left.
    """
    failed = {name for result in results for name in result.failures}
    common = [
        replace(
            result,
            photos=[photo for photo in result.photos if photo.sample.name not in failed],
            worst=[(photo, depth) for photo, depth in result.worst if photo.sample.name not in failed],
        )
        for result in results
    ]
    if not common[0].photos:
        raise AccuracyError(_in_lines("no photo could be measured with all of the networks", left_out(results)))
    return common


def left_out(results: Sequence[PredictorResult]) -> list[tuple[str, str]]:
    """Each photo that is left out, with the reason, which names the network where not all of them say the same."""
    reasons: dict[str, dict[str, list[str]]] = {}
    for result in results:
        for name, reason in result.failures.items():
            reasons.setdefault(name, {}).setdefault(reason, []).append(result.label)
    return [
        (name, reason if len(labels) == len(results) else f"{', '.join(labels)}: {reason}")
        for name, found in reasons.items()
        for reason, labels in found.items()
    ]


def _in_lines(sentence: str, reasons: Iterable[tuple[str, str]]) -> str:
    lines = [f"{name}: {reason}" for name, reason in reasons]
    more = [f"and {len(lines) - MOST_REASONS} more"] if len(lines) > MOST_REASONS else []
    return "\n  ".join([f"{sentence}:", *lines[:MOST_REASONS], *more])


def _figures(sample: Sample, prediction: PredictedDepth, cap: float) -> tuple[Figures, NDArray[np.float32]]:
    depth = prediction.depth
    check_prediction(depth)
    figures = Figures()
    if sample.pair is not None:
        truth = read_truth(sample.pair)
        check_shapes(depth.shape, truth.shape)
        at_truth = resize_depth(depth, (truth.shape[1], truth.shape[0]))
        figures = measure(at_truth, truth, metric=sample.pair.kind == "depth", cap=cap, scale=sample.pair.scale)
    else:
        at_truth = depth
    if sample.questions:
        figures = replace(figures, whdr=whdr(depth, sample.questions))
    return figures, at_truth
