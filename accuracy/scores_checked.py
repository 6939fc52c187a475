"""`python -m accuracy.scores_checked`: do the scores of `python -m accuracy.scenes` follow the real errors?

For photos with a truth, in the same layouts as `python -m accuracy`. First the truth itself is made worse: blurred,
speckled, flattened towards a ramp, with holes, each at several strengths; then networks are judged. For each photo and
aspect Spearman's rank correlation between score and (negative) real error over all versions of the photo is computed;
the table has the means over the photos. 1: the scores put the versions in the right order; 0: they say nothing.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from rich.console import Console

from accuracy.arguments import parsed
from accuracy.aspects import ASPECTS, LEAST_SHARE, STEP, Depth, View, ranges, steepest, stretched
from accuracy.errors import AccuracyError
from accuracy.metrics import Mask, align, spearman
from accuracy.pair import read_photo, read_truth
from accuracy.samples import read_samples
from accuracy.subjects import subjects
from accuracy.views import predicted, small
from reports.tables import Table

LEAST_VERSIONS = 3  # of a photo: fewer have no order to speak of


def errors_of(depth: Depth, truth: Depth, known: Mask) -> dict[str, float | None]:
    """The real error that each aspect should follow; None where the photo does not have it.

    Args:
        depth: inverse depth [H, W], of any scale and shift.
        truth: stretched true inverse depth [H, W], holes filled.
        known: where there is a truth, bool [H, W].

    Returns:
        edges: the share of a true step's steepness that is missing; layers: the share of its height; far: mean
        difference where the truth is farthest; speckle: mean size of what a median takes away, beside no true step;
        planes: the share of pixels with a step where the truth has none; agreement and mirroring: 1 - Spearman's
        correlation with the truth.
    """
    # align takes 0 for a place without truth
    fitted = np.asarray(align(depth, np.where(known, truth + 1, 0).astype(np.float32)), np.float32) - 1
    true_steps = ranges(truth)
    at_steps, even = known & (true_steps > STEP), known & (true_steps < STEP / 2)
    far = known & (truth < np.percentile(truth[known], 1) + 0.02)

    def mean(values: Depth, where: Mask) -> float | None:
        return float(values[where].mean()) if where.mean() > LEAST_SHARE / 4 else None

    def missing(there: Depth, true: Depth) -> Depth:
        return np.asarray(np.maximum(1 - there / np.maximum(true, 1e-6), 0), np.float32)

    unlike = 1 - spearman(depth[known].astype(np.float64), truth[known].astype(np.float64))
    return {
        "edges": mean(missing(steepest(fitted), steepest(truth)), at_steps),
        "layers": mean(missing(ranges(fitted), true_steps), at_steps),
        "far": mean(np.abs(fitted - truth), far),
        "speckle": mean(np.abs(fitted - cv2.medianBlur(fitted, 5)), even),
        "planes": mean((ranges(fitted) > STEP).astype(np.float32), even),
        "agreement": unlike,
        "mirroring": unlike,
    }


def worsened(truth: Depth) -> dict[str, Depth]:
    """The stretched truth [H, W] and versions of it that are worse, by name."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 1, truth.shape[0], dtype=np.float32)[:, np.newaxis] + np.zeros_like(truth)
    versions = {"truth": truth}
    for strength in (1, 2, 4):
        versions[f"blur {strength}"] = np.asarray(cv2.GaussianBlur(truth, (0, 0), 1.5 * strength), np.float32)
        noise = rng.normal(0, 0.01 * strength, truth.shape).astype(np.float32)
        versions[f"speckle {strength}"] = truth + noise
        versions[f"flat {strength}"] = truth + 0.2 * strength * (ramp - truth)
        holes = cv2.resize(rng.random((12, 16)).astype(np.float32), truth.shape[::-1], interpolation=cv2.INTER_NEAREST)
        versions[f"holes {strength}"] = np.where(holes < 0.08, truth - 0.08 * strength, truth).astype(np.float32)
    return versions


def correlations(views: Mapping[str, View], errors: Mapping[str, Mapping[str, float | None]]) -> dict[str, float]:
    """Of one photo: for each aspect the correlation of score and negative error over its versions, by their names."""
    found = {}
    for name, aspect in ASPECTS.items():
        pairs = []
        for version, view in views.items():
            finding, error = aspect.find(view), errors[version][name]
            if finding is not None and error is not None:
                # The figure and not its score, which ends at 0 and 5: the order is the same.
                pairs.append((finding.value * np.sign(aspect.best - aspect.worst), -error))
        values = np.array(pairs).reshape(-1, 2).T
        if values.shape[1] >= LEAST_VERSIONS and np.ptp(values, axis=1).min(initial=1) > 1e-9:
            found[name] = spearman(values[0], values[1])
    return found


def table(found: Mapping[str, Sequence[Mapping[str, float]]]) -> Table:
    """Mean correlations by aspect, one column for each kind of versions; with the number of photos."""
    rows = []
    for name in ASPECTS:
        cells = [name]
        for photos in found.values():
            values = [photo[name] for photo in photos if name in photo]
            cells.append(f"{np.mean(values):+.2f} ({len(values)})" if values else "-")
        rows.append(cells)
    return Table(["aspect", *found], rows)


def measured(options: argparse.Namespace) -> Table:
    """The table for what the command line names; raises AccuracyError."""
    pairs = [sample.pair for sample in read_samples(options.data, options.limit) if sample.pair is not None]
    if not pairs:
        raise AccuracyError("there is no photo with a truth in what was named")
    photos, truths, masks = [], [], []
    for pair in pairs:
        photo, truth = small(read_photo(pair)), read_truth(pair)
        size = photo.shape[1::-1]
        known = cv2.resize((truth > 0).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        filled = np.where(truth > 0, truth, np.median(truth[truth > 0])).astype(np.float32)
        photos.append(photo)
        masks.append(known)
        truths.append(stretched(np.asarray(cv2.resize(filled, size, interpolation=cv2.INTER_NEAREST), np.float32)))
    worse = []
    for photo, truth, known in zip(photos, truths, masks, strict=True):
        versions = worsened(truth)
        worse.append(
            correlations(
                {name: View(photo, stretched(depth)) for name, depth in versions.items()},
                {name: errors_of(depth, truth, known) for name, depth in versions.items()},
            )
        )
    views, _ = predicted(subjects(options), photos)
    networks = []
    for number, (truth, known) in enumerate(zip(truths, masks, strict=True)):
        own = {label: each[number] for label, each in views.items()}
        errors = {label: errors_of(view.depth, truth, known) for label, view in own.items()}
        networks.append(correlations(own, errors))
    return table({"worsened truths": worse, f"{len(views)} networks": networks})


def main() -> int:
    """The command line; returns the exit status."""
    try:
        options = parsed(None, "python -m accuracy.scores_checked", __doc__ or "")
        Console(width=100).print(measured(options).rich("Correlation of score and real error (photos)"))
    except AccuracyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
