"""The autoscalers' settings, replayed over a made-up day: they follow the load and do not flap."""

import copy
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import yaml

from tests.deploy.autoscaler import MOST, PERIOD, Autoscaler, made_up_day, replay, turns
from tests.networks import ROOT

COMPONENTS = ROOT / "deploy" / "kubernetes" / "components"
HPA: dict[str, Any] = yaml.safe_load((COMPONENTS / "hpa" / "autoscaler.yaml").read_text())["spec"]
KEDA: dict[str, Any] = yaml.safe_load((COMPONENTS / "keda" / "scaled-object.yaml").read_text())["spec"]
RULES: dict[str, Any] = yaml.safe_load((COMPONENTS / "hpa" / "adapter-rules.yaml").read_text())["rules"]
IDLE = {"midas_step_queue_milliseconds": 0.0, "midas_photos_in_hand": 0.0}

# Up in the morning, down, up for the burst, down, up in the evening, down: five turns, and one for the noise.
NEEDED_TURNS = 5


@pytest.mark.parametrize("seed", range(3))
def test_a_day_without_flapping(seed: int) -> None:
    loads = made_up_day(seed)
    counts, figures = zip(*replay(HPA, loads), strict=True)
    assert turns(counts) <= NEEDED_TURNS + 2
    assert max(counts) * MOST > max(loads)
    assert counts[-1] == min(counts) == HPA["minReplicas"]
    # Photos wait where the load jumps, until more Tritons are there, and at no other time.
    waited = sum(now.queue_milliseconds > 500 for now in figures) * PERIOD
    assert waited < 300


def test_the_wait_alone_would_flap() -> None:
    """Hence the second figure, and a check that the replay can tell."""
    alone = {**HPA, "metrics": HPA["metrics"][:1]}
    counts, _ = zip(*replay(alone, made_up_day()), strict=True)
    assert turns(counts) > 5 * NEEDED_TURNS


def test_light_load_is_no_reason_for_more() -> None:
    counts, _ = zip(*replay(HPA, [0.2] * 400), strict=True)
    assert set(counts) == {HPA["minReplicas"]}


def scaled(spec: dict[str, Any], figures: Iterator[dict[str, float]], replicas: int) -> list[int]:
    scaler = Autoscaler(spec, replicas)
    counts = []
    for look, now in enumerate(figures):
        replicas = scaler.decide(replicas, now, float(look * PERIOD))
        counts.append(replicas)
    return counts


@pytest.mark.parametrize(
    ("replicas", "milliseconds", "in_hand", "wish"),
    [
        (2, 0.0, 0.0, 2),  # the least
        (4, 50.0, 4.0, 4),
        (4, 54.0, 4.0, 4),  # within the tolerance of 10 %
        (4, 56.0, 4.0, 5),
        (4, 100.0, 1.0, 8),
        (4, 1000.0, 1.0, 8),  # the most
        (4, 0.0, 2.9, 3),  # the wait says none, but three are at work
        (4, 0.0, 5.2, 6),
    ],
)
def test_the_number_that_is_wished_for(replicas: int, milliseconds: float, in_hand: float, wish: int) -> None:
    figures = {"midas_step_queue_milliseconds": milliseconds, "midas_photos_in_hand": in_hand}
    assert Autoscaler(HPA, replicas).wish(replicas, figures) == wish


def test_up_takes_half_a_minute_and_down_five_minutes() -> None:
    overload = {"midas_step_queue_milliseconds": 400.0, "midas_photos_in_hand": 8.0}
    up = scaled(HPA, iter([IDLE, *[overload] * 20]), 2)
    assert up.index(4) * PERIOD == 45  # the first look at it is at 15 s
    assert 8 in up
    down = scaled(HPA, iter([overload, *[IDLE] * 60]), 8)
    assert down.index(7) * PERIOD == 315
    assert down[-1] == 2
    assert max(a - b for a, b in pairwise(down)) == 1


def test_keda_has_the_same_figures_targets_and_pace() -> None:
    hpa = copy.deepcopy(HPA)
    assert KEDA["advanced"]["horizontalPodAutoscalerConfig"]["behavior"] == hpa["behavior"]
    assert (KEDA["minReplicaCount"], KEDA["maxReplicaCount"]) == (hpa["minReplicas"], hpa["maxReplicas"])
    for trigger, metric, rule in zip(KEDA["triggers"], hpa["metrics"], RULES["external"], strict=True):
        target = metric["external"]["target"]
        assert trigger["metricType"] == target["type"]
        assert trigger["metadata"]["threshold"] == target.get("value", target.get("averageValue"))
        assert rule["name"]["as"] == metric["external"]["metric"]["name"]
        assert rule["metricsQuery"].replace("<<.LabelMatchers>>", 'namespace="midas"') == trigger["metadata"]["query"]


def test_a_lost_prometheus_does_not_read_as_no_load() -> None:
    assert KEDA["minReplicaCount"] >= 1  # without a Triton there is no figure that brings one back
    for trigger in KEDA["triggers"]:
        assert trigger["metadata"]["ignoreNullValues"] == "false"
        assert "clamp" not in trigger["metadata"]["query"]
        assert "vector(0)" not in trigger["metadata"]["query"]
        assert float(trigger["metadata"]["activationThreshold"]) > 0
