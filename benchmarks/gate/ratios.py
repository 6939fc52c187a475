"""The regression gate: ratios of figures that were measured in turn, against those of a baseline.

A ratio survives a machine that is slow today, where a time does not: both of its figures were measured within the same
minute. How much it still differs from one repetition to the next is the noise.

    now, then  the medians of the repetitions of now, and of the baseline's
    loss       1 - now / then, or 1 - then / now where a smaller ratio is the better one
    spread     1.4826 x median absolute deviation / median: of a single repetition, for normal noise
    error      1.25 x spread / sqrt(repetitions): the standard error of a median
    tolerance  3 x the root of the sum of both medians' squared errors; at least 5 % and at most 30 %

Now's error is taken from the spread of all repetitions together (the root of their mean square) where that is larger
than the baseline's: few repetitions alone show their spread badly, and the machine may be busier now. A loss above the
tolerance is measured once more, from a new start of the servers, and counts only if the median of all repetitions
confirms it. Above 30 % a ratio fails whatever the noise: a gate that nothing can fail guards nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from statistics import median

LEAST_TOLERANCE = 0.05
MOST_TOLERANCE = 0.30

_ERRORS = 3.0
_DEVIATION = 1.4826
"""Makes the median absolute deviation of normal noise its standard deviation."""

_MEDIAN_ERROR = 1.2533
"""The standard error of a median of n is 1.2533 / sqrt(n) times the standard deviation, for normal noise."""


@dataclass(frozen=True)
class Ratio:
    """One figure over another, both by name.

    Attributes:
        larger: whether a larger ratio is the better one.
        native: whether it depends on what the processor computes by itself (bfloat16, dot products of int8), so that
            it means nothing on another kind of processor.
    """

    name: str
    top: str
    bottom: str
    larger: bool = True
    native: bool = False


RATIOS = (
    Ratio("served / in-process, photos a second at 8", "served", "in-process"),
    Ratio("served / in-process, p50 of one photo", "served one ms", "in-process one ms", larger=False),
    Ratio("int8 / fp32, photos a second", "int8", "served", native=True),
    Ratio("bf16 / fp32, photos a second", "bf16", "served", native=True),
    Ratio("photo's size / network's size, photos a second", "photo size", "served"),
    Ratio("HTTP / gRPC, photos a second", "http", "photo size"),
)


@dataclass(frozen=True)
class Expected:
    """What a ratio was in the baseline: the median of its repetitions, and the spread of a single one, relative."""

    median: float
    spread: float
    repetitions: int

    def noise(self, repetitions: int, spread: float = 0.0) -> float:
        """The loss, relative, that noise explains in so many repetitions, which spread by `spread`."""
        together = sqrt(
            (self.repetitions * self.spread**2 + repetitions * spread**2) / (self.repetitions + repetitions)
        )
        now = max(self.spread, together)
        return _ERRORS * _MEDIAN_ERROR * hypot(self.spread / sqrt(self.repetitions), now / sqrt(repetitions))


@dataclass(frozen=True)
class Verdict:
    """How a ratio compares with the baseline: `now` is what was measured in how many `repetitions`.

    `loss` is relative, and negative for a gain; up to `tolerance` the ratio counts as unchanged.
    """

    ratio: Ratio
    expected: Expected
    now: float
    repetitions: int
    loss: float
    tolerance: float

    @property
    def lost(self) -> bool:
        """Whether it is worse than the noise explains."""
        return self.loss > self.tolerance

    @property
    def gained(self) -> bool:
        """Whether it is better than the noise explains."""
        return self.loss < -self.tolerance


Repetition = Mapping[str, float]
"""What one repetition measured, by name: photos a second, or milliseconds; all above zero."""


def ratios_of(figures: Repetition) -> dict[str, float]:
    """Return the ratios, by name, whose two figures were measured."""
    return {
        ratio.name: figures[ratio.top] / figures[ratio.bottom]
        for ratio in RATIOS
        if ratio.top in figures and ratio.bottom in figures
    }


def expect(repetitions: Sequence[Repetition]) -> dict[str, Expected]:
    """Return a baseline's ratios from its repetitions.

    Raises:
        ValueError: there are fewer than three, which show no spread.
    """
    if len(repetitions) < 3:
        raise ValueError("a baseline needs at least three repetitions to show their spread")
    found = {}
    for name, values in _by_name(repetitions).items():
        found[name] = Expected(
            median=round(median(values), 4), spread=round(_spread(values), 4), repetitions=len(values)
        )
    return found


def tolerance(expected: Expected, values: Sequence[float]) -> float:
    """Return the loss, relative, up to which a ratio that was now measured as `values` counts as unchanged."""
    return min(max(expected.noise(len(values), _spread(values)), LEAST_TOLERANCE), MOST_TOLERANCE)


def compare(expected: Mapping[str, Expected], repetitions: Sequence[Repetition]) -> list[Verdict]:
    """Return a verdict on each of the baseline's ratios.

    Raises:
        KeyError: a ratio of the baseline was not measured.
    """
    measured = _by_name(repetitions)
    verdicts = []
    known = {ratio.name: ratio for ratio in RATIOS}
    for name, before in expected.items():
        ratio, values = known[name], measured[name]
        now, then = median(values), before.median
        loss = 1 - (now / then if ratio.larger else then / now)
        verdicts.append(Verdict(ratio, before, now, len(values), loss, tolerance(before, values)))
    return verdicts


def judge(expected: Mapping[str, Expected], measure: Callable[[], Sequence[Repetition]]) -> list[Verdict]:
    """Measure, measure once more where something was lost, and return the verdicts on all repetitions.

    Args:
        expected: the baseline's ratios.
        measure: starts the servers, measures some repetitions and stops the servers.

    Raises:
        KeyError: a ratio of the baseline was not measured.
    """
    repetitions = list(measure())
    verdicts = compare(expected, repetitions)
    if any(verdict.lost for verdict in verdicts):
        repetitions += measure()
        verdicts = compare(expected, repetitions)
    return verdicts


def _spread(values: Sequence[float]) -> float:
    middle = median(values)
    return _DEVIATION * median(abs(value - middle) for value in values) / middle


def _by_name(repetitions: Sequence[Repetition]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for figures in repetitions:
        for name, value in ratios_of(figures).items():
            found.setdefault(name, []).append(value)
    return found
