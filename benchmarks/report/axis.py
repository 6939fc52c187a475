"""An axis: where a value stands, and which values are written beside it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """Values from ``low`` to ``high``, drawn from pixel ``start`` to pixel ``end``."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool

    def place(self, value: float) -> float:
        """Return the pixel of ``value``; values beyond the axis stand at its ends."""
        low, high, at = (self._bend(each) for each in (self.low, self.high, value))
        share = (at - low) / (high - low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return the round values on the axis, four to nine of them as a rule."""
        if self.logarithmic:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            factors = (1, 2, 5) if math.log10(self.high / self.low) < 3 else (1,)
            values = [factor * 10.0**power for power in powers for factor in factors]
        else:
            step = _round_step((self.high - self.low) / 5)
            first = math.ceil(self.low / step - 1e-9)
            values = [number * step for number in range(first, math.floor(self.high / step + 1e-9) + 1)]
        return [value for value in values if self.low * (1 - 1e-9) <= value <= self.high * (1 + 1e-9)]

    def _bend(self, value: float) -> float:
        return math.log10(max(value, self.low)) if self.logarithmic else value


def linear(values: Iterable[float], start: float, end: float, *, low: float = 0.0) -> Axis:
    """Return an axis from ``low`` to a little above the largest of ``values``."""
    high = max(values, default=1.0)
    return Axis(low, low + 1.05 * (high - low) if high > low else low + 1.0, start, end, logarithmic=False)


def logarithmic(values: Iterable[float], start: float, end: float) -> Axis:
    """Return an axis around all of ``values`` above zero that is at least as long as a factor of four."""
    positive = [value for value in values if value > 0] or [1.0]
    low, high = min(positive) / 1.25, max(positive) * 1.25
    missing = max(4 / (high / low), 1.0) ** 0.5
    return Axis(low / missing, high * missing, start, end, logarithmic=True)


def written(value: float) -> str:
    """Return a tick's value as it is written beside the axis."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
