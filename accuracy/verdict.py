"""What the figures mean for a user: one sentence, and one for each precision that is compared."""

from collections.abc import Sequence

from accuracy.evaluate import PredictorResult

# Within so much of the best error, a network counts as equally accurate, and the faster one fits better.
AS_GOOD = 0.05


def verdict(results: Sequence[PredictorResult]) -> str:
    """One plain sentence: which network fits these photos best, and why.

    The measure is AbsRel, or WHDR where there is no true depth. Of all networks whose error is within 5 % of the
    smallest the fastest is chosen.

    Args:
        results: over the same photos, at least one.
    """
    networks = [result for result in results if result.model is not None and _error(result) is not None]
    if not networks:
        return "Only the ramp was measured: name models to compare with it."
    measure = _measure(networks[0])
    best = min(networks, key=_ranked)
    chosen = min(
        (result for result in networks if _ranked(result) <= _ranked(best) * (1 + AS_GOOD)),
        key=lambda result: result.milliseconds,
    )
    photos = f"{len(chosen.photos)} photo" + ("s" if len(chosen.photos) != 1 else "")
    ramp = next((result for result in results if result.model is None), None)
    if ramp is not None and _ranked(chosen) >= _ranked(ramp):
        return (
            f"None fits: on {photos} the best, {best.label}, has {measure} {_ranked(best):.3f}, no better than the "
            f"ramp's {_ranked(ramp):.3f}{_untrained(best)}."
        )
    facts = f"{measure} {_ranked(chosen):.3f} on {photos} at {chosen.milliseconds:.0f} ms each{_untrained(chosen)}"
    others = [result for result in networks if result is not chosen]
    if not others:
        beats = "" if ramp is None else f" (the ramp has {_ranked(ramp):.3f})"
        return f"{chosen.label} is the only network measured: {facts}{beats}."
    if chosen is not best:
        return (
            f"{chosen.label} fits best: {facts} is within {AS_GOOD:.0%} of the most accurate, {best.label} "
            f"({_ranked(best):.3f}), which takes {best.milliseconds:.0f} ms."
        )
    fastest = min(networks, key=lambda result: result.milliseconds)
    if fastest is chosen:
        return f"{chosen.label} fits best: {facts} is the smallest error, and none of the others is faster."
    return (
        f"{chosen.label} fits best: {facts} is the smallest error by more than {AS_GOOD:.0%}; where speed "
        f"matters more, {fastest.label} takes {fastest.milliseconds:.0f} ms with {_ranked(fastest):.3f}."
    )


def precisions(results: Sequence[PredictorResult]) -> list[str]:
    """A sentence for each export of a variant beside the first one of it that is fp32 (or simply the first)."""
    lines = []
    for model in dict.fromkeys(result.model for result in results if result.model is not None):
        exports = [result for result in results if result.model == model]
        reference = next((result for result in exports if result.precision == "fp32"), exports[0])
        for result in exports:
            if result is reference or _error(result) is None:
                continue
            change = _ranked(result) - _ranked(reference)
            relative = f" ({change / _ranked(reference):+.1%})" if _ranked(reference) > 0 else ""
            lines.append(
                f"{result.label} against {reference.label}: {_measure(result)} {change:+.4f}{relative}, "
                f"{_delta_1(result, reference)}{result.milliseconds / reference.milliseconds:.2f} times the time."
            )
    return lines


def suspicions(results: Sequence[PredictorResult]) -> list[str]:
    """A sentence for each network that takes near for far on most photos: it, or the truth, is of another kind."""
    lines = []
    for result in results:
        ranks = [photo.figures.spearman for photo in result.photos if photo.figures.spearman is not None]
        turned = sum(rank < 0 for rank in ranks)
        if result.model is not None and turned > len(ranks) / 2:
            lines.append(
                f"{result.label} takes near for far on {turned} of {len(ranks)} photos: does it give depth, where "
                "inverse depth is expected, or is the truth of another kind than is said (depth, inverse_depth)?"
            )
    return lines


def _error(result: PredictorResult) -> float | None:
    figures = result.mean
    return figures.whdr if figures.abs_rel is None else figures.abs_rel


def _ranked(result: PredictorResult) -> float:
    error = _error(result)
    return float("inf") if error is None else error


def _measure(result: PredictorResult) -> str:
    return "WHDR" if result.mean.abs_rel is None else "AbsRel"


def _delta_1(result: PredictorResult, reference: PredictorResult) -> str:
    first, second = result.mean.delta_1, reference.mean.delta_1
    return "" if first is None or second is None else f"delta-1 {first - second:+.4f}, "


def _untrained(result: PredictorResult) -> str:
    return " (with UNTRAINED weights: its depth means nothing)" if result.weights == "untrained" else ""
