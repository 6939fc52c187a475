"""What Triton counts, for a depth model and its steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from midas_client._errors import ModelNotFoundError

# The order of a photo's way. The last step is shared by all models.
_STEPS = ("{model}_preprocess", "{model}_network", "postprocess")

FURTHER_NAMES = ("default", "small", "medium", "large")
"""What a server may call its models beside their own names; they are in no list of models."""


@dataclass(frozen=True)
class StepStatistics:
    """What one model of Triton has done since it was loaded.

    Attributes:
        name: of the step.
        requests: photos that it has finished.
        failed: photos that ended with an error here.
        executions: how often it ran; requests / executions photos went through it together.
        queue_milliseconds: a photo's mean wait before it.
        compute_milliseconds: a photo's mean time in it, with the copies in and out.
    """

    name: str
    requests: int
    failed: int
    executions: int
    queue_milliseconds: float
    compute_milliseconds: float


@dataclass(frozen=True)
class ModelStatistics:
    """What a depth model has done since it was loaded, warm-up included.

    Attributes:
        model: its name.
        requests: photos that it has answered.
        failed: photos that it has refused or lost.
        milliseconds: a photo's mean time from arrival to answer.
        steps: preprocess, network, postprocess. The last is shared: it counts the photos of all models. A further
            name of a model, such as "default", has its own counts and the steps of the model; on a server with several
            models only those that all share, since the server does not tell which one is meant.
    """

    model: str
    requests: int
    failed: int
    milliseconds: float
    steps: tuple[StepStatistics, ...]


def depth_models(statistics: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of those that have a preprocess step of their own, sorted: the rest are steps."""
    loaded = {str(entry["name"]) for entry in statistics}
    return sorted(name for name in loaded if f"{name}_preprocess" in loaded)


def model_statistics(model: str, statistics: Sequence[Mapping[str, Any]]) -> ModelStatistics:
    """Those of one depth model.

    Args:
        model: its name.
        statistics: Triton's, of all models and steps.

    Raises:
        ModelNotFoundError: the server has no such depth model; names those that it has.
    """
    entries = {str(entry["name"]): entry for entry in statistics}
    models = depth_models(statistics)
    if model not in (*models, *(name for name in FURTHER_NAMES if name in entries)):
        error = ModelNotFoundError(f"The server has no depth model {model!r}")
        error.name_models(models, model)
        raise error
    requests, milliseconds = _count_and_mean(entries[model], "success")
    failed, _ = _count_and_mean(entries[model], "fail")
    owner = models[0] if model not in models and len(models) == 1 else model
    steps = (name.format(model=owner) for name in _STEPS)
    return ModelStatistics(
        model, requests, failed, milliseconds, tuple(_step(name, entries[name]) for name in steps if name in entries)
    )


def _step(name: str, entry: Mapping[str, Any]) -> StepStatistics:
    requests, _ = _count_and_mean(entry, "success")
    failed, _ = _count_and_mean(entry, "fail")
    queue = _count_and_mean(entry, "queue")[1]
    compute = sum(_count_and_mean(entry, f"compute_{part}")[1] for part in ("input", "infer", "output"))
    return StepStatistics(name, requests, failed, int(entry.get("execution_count", 0)), queue, compute)


def _count_and_mean(entry: Mapping[str, Any], what: str) -> tuple[int, float]:
    """How often, and the mean in milliseconds. Over gRPC zeros are left out and numbers are texts."""
    duration = entry.get("inference_stats", {}).get(what, {})
    count = int(duration.get("count", 0))
    return count, int(duration.get("ns", 0)) / count / 1e6 if count else 0.0
