"""Each number's uncertainty: all that is uncertain is nudged by one standard deviation, and everything measured again.

The differences are added in squares (the law of propagation of uncertainty, JCGM 100:2008, 5.1.2). What a network gets
wrong everywhere in a photo alike is added as a share of the measure; see `depth.Trust.bias`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from room_report.errors import RoomReportError
from room_report.measures import End, FloorSpan, Measure, Wall
from room_report.room import Space, space_of
from room_report.scale import Kind, Source, nudged, refine

COVER = 1.96
"""Half-widths cover about 95 %: so many standard deviations."""

TAPE_SPREAD = 0.005
"""Standard deviation in metres of a length that someone tapes in a furnished room."""

SURFACE = 0.004
"""Standard deviation in metres of a surface: plaster is not flat, and a floor may have a covering."""

ESTIMATED_SPREAD = 0.10
"""Standard deviation of the scale of a metric network in rooms, where nothing known checks it."""


@dataclass(frozen=True)
class Value:
    """A measure with its uncertainty.

    Attributes:
        value: in metres, or square metres of an area.
        spread: its standard deviation.
        parts: the standard deviation that each source would give alone.
        kind: measured with a reference, or estimated by a metric network.
    """

    value: float
    spread: float
    parts: dict[Source, float]
    kind: Kind

    @property
    def half_width(self) -> float:
        """About 95 % of true values lie within `value` ± it."""
        return COVER * self.spread

    def __str__(self) -> str:
        return rounded(self.value, self.half_width)

    def largest_part(self) -> Source:
        """The source that makes most of the uncertainty."""
        return max(self.parts, key=lambda source: self.parts[source])

    def widened(self, other: float) -> Value:
        """The value with a spread that reaches another one, which a second way of measuring gave."""
        return Value(self.value, max(self.spread, abs(other - self.value) / COVER), self.parts, self.kind)


def rounded(value: float, half_width: float) -> str:
    """The value, rounded to the first digit of its half-width (two where that is a 1): "2.8 ± 0.2".

    >>> rounded(2.7934, 0.213)
    '2.8 ± 0.2'
    >>> rounded(2.7934, 0.0134)
    '2.793 ± 0.013'
    """
    if not half_width > 0:
        return f"{value:.3f}"
    exponent = math.floor(math.log10(half_width))
    leading = half_width / 10**exponent
    digits = -exponent + (1 if leading < 1.95 else 0)
    if digits <= 0:
        step = 10**-digits
        return f"{round(value / step) * step:.0f} ± {round(half_width / step) * step:.0f}"
    return f"{value:.{digits}f} ± {half_width:.{digits}f}"


def nudged_spaces(space: Space) -> list[tuple[Source, Space | None]]:
    """The room once for each thing that is uncertain, with that thing off by one standard deviation.

    None stands for a nudge that leads to a refusal: what is measured then hangs by a thread.
    """
    layout = space.layout
    used = [plane for plane in (layout.floor, layout.ceiling, *layout.walls) if plane is not None]
    spaces: list[tuple[Source, Space | None]] = []
    for source, changed in nudged(space.evidence, used):
        try:
            spaces.append((source, space_of(refine(changed), layout)))
        except RoomReportError:
            spaces.append((source, None))
    return spaces


def valued(space: Space, others: Sequence[tuple[Source, Space | None]], measures: Sequence[Measure]) -> list[Value]:
    """The measures with their uncertainties, in the same order.

    Args:
        space: the room.
        others: what `nudged_spaces` made of it.
        measures: to be taken.
    """
    evidence = space.evidence
    scale = evidence.found
    assert scale is not None
    middle = [measure.value(space) for measure in measures]
    squares: list[dict[Source, float]] = [{} for _ in measures]

    def add(source: Source, at: int, off: float) -> None:
        squares[at][source] = squares[at].get(source, 0.0) + off * off

    for source, other in others:
        for at, measure in enumerate(measures):
            add(source, at, measure.value(other) - middle[at] if other is not None else middle[at])
    for at, measure in enumerate(measures):
        power = 2 if measure.name == "free area" else 1
        if scale.kind == "estimated":
            add("network", at, power * ESTIMATED_SPREAD * middle[at])
        bias = evidence.nearness.trust.bias
        add("network", at, bias.get(measure.name, bias.get("distance", 0.0) * power) * middle[at])
        add("planes", at, SURFACE * (2 * math.sqrt(max(middle[at], 0.0)) if power == 2 else math.sqrt(2)))
        if isinstance(measure, FloorSpan):
            add("planes", at, math.hypot(_edge_spread(space, measure), measure.edges / COVER))
        elif isinstance(measure, Wall):
            for end in (measure.left, measure.right):
                if end.corner is None:
                    add("planes", at, _pixel_along(space, measure, end))
    found = []
    for value, parts in zip(middle, squares, strict=True):
        total = math.sqrt(sum(parts.values()))
        found.append(Value(value, total, {source: math.sqrt(part) for source, part in parts.items()}, scale.kind))
    return found


def _pixel_along(space: Space, wall: Wall, end: End) -> float:
    """How far a pixel reaches along a wall at its end."""
    x, y = end.pixel
    here, beside = space.on(wall.wall, [(x - 0.5, y), (x + 0.5, y)]) @ space.along(wall.wall)
    return abs(float(beside - here))


def _edge_spread(space: Space, span: FloorSpan) -> float:
    """The spread by the photo's pixels: each edge of free floor is known to about half a pixel."""
    corners = space.on(space.layout.floor, [span.start, span.end, span.inner])
    z = float(corners[:, 2].max())
    focal, high = space.evidence.camera.focal, space.camera_height
    across, ahead = z / focal, z * z / (focal * high)
    pixel = math.hypot(across, ahead) / 2
    if span.name == "free area":
        width, depth = float(np.linalg.norm(corners[1] - corners[0])), float(np.linalg.norm(corners[2] - corners[0]))
        return math.hypot(width, depth) * pixel
    return math.sqrt(2) * pixel
