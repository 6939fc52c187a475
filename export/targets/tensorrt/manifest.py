"""The manifest beside each plan: what it was built from, with which TensorRT, for which GPU.

`model_sm75.plan` has `model_sm75.plan.json`. The server reads it before Triton starts (`midas_server.launch.plans`).
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from export.targets.tensorrt.profile import Profile
from export.weights.digest import sha256_of
from midas_server.repository import ManifestError, read_facts


@dataclass(frozen=True, kw_only=True)
class PlanManifest:
    """What the file says, in the order of its lines.

    Attributes:
        variant: name of the network.
        precision: "fp32" or "fp16", as in the ONNX graph that it was built from.
        checkpoint_sha256: digest of the checkpoint, or None for untrained weights.
        onnx_sha256: digest of that graph.
        plan_sha256, plan_bytes: digest and size of the plan.
        tensorrt: version of TensorRT that built it, "10.14.1"; no other version loads it.
        compute_capability: of the GPU that it was built on, "8.6"; no other GPU runs it.
        gpu: that GPU's name.
        minimum, optimum, maximum: the optimisation profile, (batch, height, width) each.
        flags: what trtexec was given beside file names and shapes.
    """

    variant: str
    precision: str
    checkpoint_sha256: str | None
    onnx_sha256: str
    plan_sha256: str
    plan_bytes: int
    tensorrt: str
    compute_capability: str
    gpu: str
    minimum: Sequence[int]
    optimum: Sequence[int]
    maximum: Sequence[int]
    flags: Sequence[str]

    @property
    def profile(self) -> Profile:
        """The optimisation profile."""
        shapes = [(int(b), int(h), int(w)) for b, h, w in (self.minimum, self.optimum, self.maximum)]
        return Profile(*shapes)

    def to_json(self) -> str:
        """JSON text, one line a field."""
        return json.dumps(asdict(self), indent=2) + "\n"


def plan_file(capability: str) -> str:
    """File name of the plan for a compute capability: "7.5" -> "model_sm75.plan"."""
    return f"model_sm{capability.replace('.', '')}.plan"


def capabilities_of(files: Iterable[str]) -> list[str]:
    """The compute capabilities of the plans among `files`: "model_sm75.plan" is for "7.5", lowest first."""
    found = [match for name in files if (match := re.fullmatch(r"model_sm(\d+)(\d)\.plan", name))]
    return [f"{match[1]}.{match[2]}" for match in sorted(found, key=lambda match: (int(match[1]), int(match[2])))]


def manifest_path(plan: Path) -> Path:
    """Where the manifest of `plan` is."""
    return plan.with_name(f"{plan.name}.json")


def read_plan_manifest(plan: Path) -> PlanManifest | None:
    """Return what lies beside `plan`, or None where there is nothing that this version of the code can read."""
    try:
        return PlanManifest(**(read_facts(manifest_path(plan)) or {}))
    except (ManifestError, TypeError):
        return None


def whole_plans(version: Path) -> dict[Path, PlanManifest]:
    """Return the plans in a model's version folder that are what their manifests say, byte for byte."""
    found: dict[Path, PlanManifest] = {}
    for plan in sorted(version.glob("model_sm*.plan")):
        manifest = read_plan_manifest(plan)
        if manifest is not None and sha256_of(plan) == manifest.plan_sha256:
            found[plan] = manifest
    return found
