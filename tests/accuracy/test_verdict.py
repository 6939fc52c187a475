"""The sentence at the end, for every case that it tells apart."""

from dataclasses import replace
from pathlib import Path

from accuracy.evaluate import PhotoResult, PredictorResult
from accuracy.metrics import Figures
from accuracy.samples import Sample
from accuracy.verdict import precisions, suspicions, verdict

SAMPLE = Sample("a.png", Path("a.png"), None, ())


def result(
    label: str,
    abs_rel: float,
    milliseconds: float,
    *,
    model: str | None = "",
    weights: str = "official",
    precision: str = "fp32",
) -> PredictorResult:
    photo = PhotoResult(SAMPLE, Figures(abs_rel=abs_rel, delta_1=1 - abs_rel), milliseconds)
    return PredictorResult(label, label if model == "" else model, "", weights, precision, [photo], {}, [])


RAMP = result("ramp", 0.3, 1, model=None)


def test_the_most_accurate_fits_unless_a_faster_one_is_as_good() -> None:
    small, large = result("small", 0.25, 20), result("large", 0.20, 900)
    assert verdict([small, large]) == (
        "large fits best: AbsRel 0.200 on 1 photo at 900 ms each is the smallest error by more than 5%; "
        "where speed matters more, small takes 20 ms with 0.250."
    )
    good = result("small", 0.205, 20)
    assert verdict([good, large]) == (
        "small fits best: AbsRel 0.205 on 1 photo at 20 ms each is within 5% of the most accurate, large (0.200), "
        "which takes 900 ms."
    )
    assert verdict([large, result("slow", 0.3, 2000)]).endswith(
        "is the smallest error, and none of the others is faster."
    )


def test_a_network_must_beat_the_ramp() -> None:
    assert verdict([RAMP, result("bad", 0.4, 20)]) == (
        "None fits: on 1 photo the best, bad, has AbsRel 0.400, no better than the ramp's 0.300."
    )
    assert verdict([RAMP, result("fine", 0.2, 20)]) == (
        "fine is the only network measured: AbsRel 0.200 on 1 photo at 20 ms each (the ramp has 0.300)."
    )
    assert verdict([RAMP]).startswith("Only the ramp was measured")


def test_untrained_weights_are_told() -> None:
    assert "with UNTRAINED weights: its depth means nothing" in verdict([result("new", 0.2, 20, weights="untrained")])


def test_precisions_are_compared_with_fp32_of_the_same_network() -> None:
    exports = [
        result("tiny (int8)", 0.22, 10, model="tiny", precision="int8"),
        result("tiny (fp32)", 0.20, 20, model="tiny"),
        result("other (int8)", 0.1, 1, model="other", precision="int8"),
    ]
    assert precisions([*exports, RAMP]) == [
        "tiny (int8) against tiny (fp32): AbsRel +0.0200 (+10.0%), delta-1 -0.0200, 0.50 times the time."
    ]


def test_a_network_that_takes_near_for_far_is_suspected() -> None:
    def ranked(*ranks: float) -> PredictorResult:
        photos = [PhotoResult(SAMPLE, Figures(abs_rel=0.2, spearman=rank), 1) for rank in ranks]
        return replace(result("turned", 0.2, 1), photos=photos)

    (line,) = suspicions([ranked(-0.9, 0.2, -0.8), ranked(0.9, -0.1, 0.8), ranked()])
    assert line.startswith("turned takes near for far on 2 of 3 photos: does it give depth")
    assert suspicions([replace(ranked(-0.9), model=None)]) == []
