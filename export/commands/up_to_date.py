"""Whether an export would only repeat what is in the model repository."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from export.commands.pipeline import Exported
from export.repository.manifest import Manifest, read_manifest
from export.repository.write import exported
from export.targets.builds import Precision, Target
from export.variants import ServedNetwork, Variant
from export.weights import checkpoints
from midas_server.repository import manifest_file, version_folder


def still_good(
    variant: Variant,
    repository: Path,
    weights: Path | None,
    untrained: bool,
    precision: Precision | None,
    target: Target | None,
) -> Manifest | None:
    """The manifest of an export that need not be repeated."""
    manifest = exported(repository, variant)
    if manifest is None or not _fits(manifest, repository, precision, target):
        return None
    if untrained:
        return manifest if manifest.weights == "untrained" else None
    local = checkpoints.find_local(variant, weights)
    return manifest if local is None or local.sha256 == manifest.checkpoint_sha256 else None


def same_file(
    name: str,
    repository: Path,
    digest: str,
    asked: Mapping[str, object],
    precision: Precision | None,
    target: Target | None,
) -> Exported | None:
    """The earlier export of the same file with the same options; a precision or target that is None may be any."""
    manifest = read_manifest(manifest_file(repository, name))
    if manifest is None or manifest.checkpoint_sha256 != digest or not manifest.options:
        return None
    served = manifest.options.get("served")
    if manifest.options.get("asked") != asked or not isinstance(served, dict):
        return None
    network = _from_json(served)
    if exported(repository, network) != manifest or not _fits(manifest, repository, precision, target):
        return None
    return Exported(network, manifest, [])


def as_json(network: ServedNetwork) -> dict[str, object]:
    """The fields as they come back from a file: with lists for tuples."""
    fields: dict[str, object] = json.loads(json.dumps(asdict(network)))
    return fields


def _from_json(fields: Mapping[str, Any]) -> ServedNetwork:
    kept: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
    return ServedNetwork(**kept)


def _fits(manifest: Manifest, repository: Path, precision: Precision | None, target: Target | None) -> bool:
    """Whether the export has the build that is asked for; None asks for nothing."""
    if precision not in (None, manifest.precision) or target not in (None, manifest.build):
        return False
    if target != "tensorrt":
        return True
    from export.targets.tensorrt.plans import built_for  # noqa: PLC0415
    from export.targets.tensorrt.toolkit import find_toolkit  # noqa: PLC0415

    return built_for(find_toolkit(), version_folder(repository, manifest.variant))
