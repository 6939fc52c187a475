"""Kubernetes' arithmetic of autoscaling/v2, replayed over a day of photos that Tritons answer as a queue does.

The day is made up, not recorded: quiet nights of 0.2 photos a second, two peaks, noise from one quarter of a minute to
the next, and a burst. A Triton is a queue with two servers (M/M/2), the instances of its network.
"""

import math
import random
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

PERIOD = 15  # seconds between two looks of the autoscaler
DAY = 24 * 3600 // PERIOD
START_SECONDS = 45  # of a Triton, until it is ready
WINDOW = 60  # seconds of the rates in the queries
TOLERANCE = 0.1

# What one Triton answers at most, photos a second: midas_tiny_256 on 2 cores, in docs/serving_measurements.md.
MOST = 28.0
SERVERS = 2
SERVICE_SECONDS = SERVERS / MOST
# A photo that waits longer is refused or has run into its deadline.
LONGEST_WAIT = 30.0


class Figures(NamedTuple):
    """What the queries give: milliseconds of waiting per answered photo, and photos in hand, of all Tritons."""

    queue_milliseconds: float
    in_hand: float


def made_up_day(seed: int = 0) -> list[float]:
    """Photos a second, for each look of the autoscaler."""
    chance = random.Random(seed)  # noqa: S311  (noise, not a secret)
    loads = []
    for look in range(DAY):
        hour = look * PERIOD / 3600
        wave = 90 * math.exp(-(((hour - 11) / 2) ** 2)) + 130 * math.exp(-(((hour - 19) / 1.5) ** 2))
        burst = 60.0 if 14.5 <= hour < 14.6 else 0.0
        loads.append(max(0.2, (wave + burst) * chance.gauss(1, 0.08)))
    return loads


class Fleet:
    """Tritons that share the photos evenly; what they cannot answer waits."""

    def __init__(self, count: int) -> None:
        self.ready = count
        self.starting: deque[float] = deque()  # when each will be ready
        self._backlog = 0.0
        self._recent: deque[Figures] = deque(maxlen=WINDOW // PERIOD)

    def scale(self, count: int, now: float) -> None:
        """Start Tritons, or end them, the youngest first."""
        while self.size < count:
            self.starting.append(now + START_SECONDS)
        while self.size > count:
            if self.starting:
                self.starting.pop()
            else:
                self.ready -= 1

    @property
    def size(self) -> int:
        return self.ready + len(self.starting)

    def answer(self, load: float, now: float) -> Figures:
        """Take photos for one period; returns the means of the last minute."""
        while self.starting and self.starting[0] <= now:
            self.starting.popleft()
            self.ready += 1
        capacity = self.ready * MOST
        self._backlog = max(0.0, self._backlog + (load - capacity) * PERIOD)
        self._backlog = min(self._backlog, capacity * LONGEST_WAIT)
        busy = min(load / capacity, 0.98)
        wait = SERVICE_SECONDS * busy**2 / (1 - busy**2) + self._backlog / capacity
        answered = min(load, capacity)
        self._recent.append(Figures(wait * 1000, answered * (SERVICE_SECONDS + wait)))
        return Figures(*(sum(column) / len(self._recent) for column in zip(*self._recent, strict=True)))


class Autoscaler:
    """What the controller of a HorizontalPodAutoscaler does with its spec."""

    def __init__(self, spec: Mapping[str, Any], replicas: int) -> None:
        self._spec = spec
        self._wishes: deque[tuple[float, int]] = deque()
        self._history: deque[tuple[float, int]] = deque([(-math.inf, replicas)])

    def wish(self, replicas: int, figures: Mapping[str, float]) -> int:
        """The largest number that any metric asks for."""
        wishes: list[int] = []
        for metric in self._spec["metrics"]:
            name, target = metric["external"]["metric"]["name"], metric["external"]["target"]
            if target["type"] == "Value":
                ratio = figures[name] / float(target["value"])
            else:
                ratio = figures[name] / float(target["averageValue"]) / replicas
            steady = abs(ratio - 1) <= TOLERANCE
            wishes.append(replicas if steady else math.ceil(round(ratio * replicas, 9)))
        return min(max(*wishes, int(self._spec["minReplicas"])), int(self._spec["maxReplicas"]))

    def decide(self, replicas: int, figures: Mapping[str, float], now: float) -> int:
        """The number of Tritons from now on."""
        behavior = self._spec["behavior"]
        wish = self.wish(replicas, figures)
        self._wishes.append((now, wish))
        windows = {name: behavior[name]["stabilizationWindowSeconds"] for name in ("scaleUp", "scaleDown")}
        while self._wishes[0][0] < now - max(windows.values()):
            self._wishes.popleft()
        up = min(w for t, w in self._wishes if t >= now - windows["scaleUp"])
        down = max(w for t, w in self._wishes if t >= now - windows["scaleDown"])
        decided = up if up > replicas else down if down < replicas else replicas
        if decided > replicas:
            decided = min(decided, self._bound(behavior["scaleUp"], now, up=True))
        elif decided < replicas:
            decided = max(decided, self._bound(behavior["scaleDown"], now, up=False))
        if decided != replicas:
            self._history.append((now, decided))
        return decided

    def _bound(self, rules: Mapping[str, Any], now: float, *, up: bool) -> int:
        bounds: list[int] = []
        for policy in rules["policies"]:
            before = self._at(now - policy["periodSeconds"])
            change = policy["value"] if policy["type"] == "Pods" else math.ceil(before * policy["value"] / 100)
            bounds.append(before + change if up else before - change)
        return max(bounds) if up else min(bounds)

    def _at(self, when: float) -> int:
        return next(count for time, count in reversed(self._history) if time <= when)


def replay(spec: Mapping[str, Any], loads: Sequence[float]) -> Iterator[tuple[int, Figures]]:
    """The number of Tritons and their figures at each look of the autoscaler."""
    count = spec["minReplicas"]
    fleet, autoscaler = Fleet(count), Autoscaler(spec, count)
    for look, load in enumerate(loads):
        now = float(look * PERIOD)
        figures = fleet.answer(load, now)
        named = {"midas_step_queue_milliseconds": figures.queue_milliseconds, "midas_photos_in_hand": figures.in_hand}
        count = autoscaler.decide(count, named, now)
        fleet.scale(count, now)
        yield count, figures


def turns(counts: Sequence[int]) -> int:
    """How often a number that rose falls next, or the other way round."""
    changes = [b - a for a, b in pairwise(counts) if a != b]
    return sum((a > 0) != (b > 0) for a, b in pairwise(changes))
