"""What a server tells of a depth model beside its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from midas_client._depth_kind import UNITS


class ModelDescription(str):
    """A depth model: its name, as the text that it is, with what the server's config says of it.

    What a server does not tell, one of an older version for instance, is None or empty.

    Attributes:
        variant: the official name of the network.
        resolution: the default side of the square that is given to the resize rule.
        multiple: the grid on which the resolutions lie.
        aspects: the values of `aspect` that it takes, its default first.
        max_area: the most pixels of the network's input.
        kind: "relative_inverse_depth" (larger is nearer, without a unit) or "metric_depth".
        unit: "metres" for metric depth, "relative" for the other, as `DepthMap.unit`; None where the kind is not told.
        backend: what computes the network, such as "onnxruntime".

    >>> models = client.models()
    >>> "midas_tiny_256" in models, models[0].resolution, models[0].aspects
    (True, 256, ('square', 'keep'))
    """

    variant: str | None
    resolution: int | None
    multiple: int | None
    aspects: tuple[str, ...]
    max_area: int | None
    kind: str | None
    unit: str | None
    backend: str | None

    def __new__(
        cls, name: str, preprocess: Mapping[str, Any] | None = None, network: Mapping[str, Any] | None = None
    ) -> ModelDescription:
        """Read what the configs of the model's steps tell; without them the model has a name and nothing else.

        Args:
            name: of the ensemble.
            preprocess: config of its first step, as Triton gives it in JSON.
            network: config of its network.
        """
        model = super().__new__(cls, name)
        told: Mapping[str, Any] = (preprocess or {}).get("parameters", {})
        facts = {key: str(value.get("string_value", "")) for key, value in told.items()}
        model.variant = facts.get("variant") or None
        model.resolution, model.multiple, model.max_area = (
            int(facts[key]) if facts.get(key, "").isdigit() else None for key in ("resolution", "multiple", "max_area")
        )
        if not facts:
            model.aspects = ()
        elif facts.get("resize") == "square":
            model.aspects = ("square",)
        else:
            model.aspects = ("square", "keep") if facts.get("aspect") == "square" else ("keep", "square")
        model.kind = facts.get("kind") or ("relative_inverse_depth" if facts else None)
        model.unit = UNITS.get(model.kind or "")
        model.backend = str((network or {}).get("backend") or (network or {}).get("platform") or "") or None
        return model

    def __getnewargs__(self) -> tuple[str]:
        return (str(self),)


def steps_of(ensemble: Mapping[str, Any]) -> tuple[str, str] | None:
    """The names of the preprocess and the network step in an ensemble's config; None where it is something else."""
    steps = [str(step["model_name"]) for step in ensemble.get("ensemble_scheduling", {}).get("step", [])]
    return (steps[0], steps[1]) if len(steps) > 1 else None
