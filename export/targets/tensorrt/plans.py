"""From an ONNX graph to the files of the TensorRT target: this machine's plans beside those of other machines."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from export.errors import TensorRTError
from export.graph.parity import noise, relative_error
from export.targets.tensorrt.build import build_plans
from export.targets.tensorrt.manifest import PlanManifest, manifest_path, plan_file, whole_plans
from export.targets.tensorrt.profile import profile_of
from export.targets.tensorrt.run import PlanRunner
from export.targets.tensorrt.toolkit import Toolkit
from export.variants.row import ServedNetwork
from midas_server.repository import version_folder

# Between plans of the same graph, and between the slots of a batch; half precision rounds differently in both.
AGREEMENT = 1e-2


def plans_for(
    network: ServedNetwork,
    model: bytes,
    toolkit: Toolkit,
    repository: Path,
    *,
    precision: str,
    checkpoint_sha256: str | None,
    say: Callable[[str], None],
) -> tuple[dict[str, bytes], PlanRunner]:
    """Build this machine's plans, and keep the plans of other GPUs in `repository` that were built from the same graph.

    Returns:
        The files for the version folder by name, and what runs the first of the new plans.

    Raises:
        TensorRTError: a plan could not be built or run, or gives different results in different slots of a batch.
    """
    files = build_plans(toolkit, network, model, precision=precision, checkpoint_sha256=checkpoint_sha256, say=say)
    runners = [PlanRunner(toolkit, gpu, files[plan_file(gpu.capability)]) for gpu in toolkit.gpus]
    _check_agreement(network, runners)
    digest = hashlib.sha256(model).hexdigest()
    for plan, manifest in whole_plans(version_folder(repository, network.name)).items():
        if plan.name in files:
            continue
        reason = outdated(manifest, network, toolkit, precision, digest)
        if reason:
            say(f"{plan.name} is left out: it was built {reason}")
            continue
        files[plan.name] = plan.read_bytes()
        files[manifest_path(plan).name] = manifest_path(plan).read_bytes()
        say(f"{plan.name} for {manifest.gpu}, {manifest.compute_capability}, is kept")
    return files, runners[0]


def built_for(toolkit: Toolkit, version: Path) -> bool:
    """Whether a model's version folder has a plan for each kind of GPU in this machine, of its TensorRT."""
    there = {manifest.compute_capability: manifest.tensorrt for manifest in whole_plans(version).values()}
    return all(there.get(gpu.capability) == toolkit.version for gpu in toolkit.gpus)


def outdated(
    manifest: PlanManifest, network: ServedNetwork, toolkit: Toolkit, precision: str, onnx_sha256: str
) -> str | None:
    """In which way another machine's plan does not belong to what is being exported; None where it does."""
    if manifest.onnx_sha256 != onnx_sha256 or manifest.precision != precision:
        return "from another graph"
    if manifest.tensorrt != toolkit.version:
        return f"with TensorRT {manifest.tensorrt}"
    if manifest.profile != profile_of(network):
        return "for other shapes"
    return None


def _check_agreement(network: ServedNetwork, runners: list[PlanRunner]) -> None:
    """Every slot of a full batch, on every GPU, must give what a lone photo gives on the first."""
    pixels = noise((1, network.resolution, network.resolution))
    alone = runners[0](pixels)
    for runner in runners:
        batch = runner(np.repeat(pixels, network.max_batch_size, axis=0))
        error = relative_error(batch, np.repeat(alone, network.max_batch_size, axis=0))
        if not error < AGREEMENT:
            raise TensorRTError(
                f"the plan for {runner.gpu.name} gives a photo in a batch of {network.max_batch_size} another depth "
                f"than alone: relative error {error:.1e} (allowed: below {AGREEMENT:.0e}); it was not written"
            )
