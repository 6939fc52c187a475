"""Whether an export would only repeat what is in the model repository."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from export.auto.choice import Place, read_choice
from export.commands.pipeline import Exported
from export.commands.request import ExportRequest
from export.repository.manifest import Manifest, describe_weights, read_manifest
from export.repository.write import exported
from export.variants.row import ServedNetwork, Variant
from export.weights import checkpoints
from midas_server.repository import manifest_file, version_folder

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def same_checkpoint(variant: Variant, weights: Path | None, untrained: bool, request: ExportRequest) -> Exported | None:
    """The earlier export of a variant, where no checkpoint on this machine is another than the one it was made from."""
    manifest = exported(request.repository, variant)
    if manifest is None or not _fits(manifest, request):
        return None
    if untrained:
        return _up_to_date(variant, manifest, request) if manifest.weights == "untrained" else None
    local = checkpoints.find_local(variant, weights)
    another = local is not None and local.sha256 != manifest.checkpoint_sha256
    if another and (weights is not None or not from_a_named_file(variant, manifest)):
        return None
    return _up_to_date(variant, manifest, request)


def from_a_named_file(variant: Variant, manifest: Manifest) -> bool:
    """Whether `--weights` named a file of the user's own that does not lie where checkpoints are looked for.

    What lies there must not take its place by itself.
    """
    if not manifest.weights.startswith("sha256:"):
        return False
    local = checkpoints.find_local(variant)
    if local is None or not local.weights.startswith("sha256:"):
        return True
    return local.sha256 != manifest.checkpoint_sha256 and local.path.name != manifest.checkpoint


def same_file(name: str, digest: str, asked: Mapping[str, object], request: ExportRequest) -> Exported | None:
    """The earlier export of the same file with the same options."""
    manifest = read_manifest(manifest_file(request.repository, name))
    if manifest is None or manifest.checkpoint_sha256 != digest or not manifest.options:
        return None
    served = manifest.options.get("served")
    if manifest.options.get("asked") != asked or not isinstance(served, dict):
        return None
    try:
        network = ServedNetwork.from_json(served)
    except TypeError:  # of another version
        return None
    if exported(request.repository, network) != manifest or not _fits(manifest, request):
        return None
    return _up_to_date(network, manifest, request)


def _up_to_date(network: ServedNetwork, manifest: Manifest, request: ExportRequest) -> Exported:
    chosen = f"; {manifest.build}, chosen for this machine" if request.auto else ""
    request.say(f"{network.name} is up to date in {request.repository} ({describe_weights(manifest)}{chosen})")
    return Exported(network, manifest, [])


def as_json(facts: "DataclassInstance") -> dict[str, object]:
    """The fields as they come back from a file: with lists for tuples."""
    fields: dict[str, object] = json.loads(json.dumps(asdict(facts)))
    return fields


def _fits(manifest: Manifest, request: ExportRequest) -> bool:
    """Whether the export has the build that is asked for; None asks for nothing."""
    if request.auto is not None:
        choice = read_choice(request.repository, manifest.variant)
        return choice is not None and choice.holds(request.auto, Place.here())
    if request.precision not in (None, manifest.precision) or request.target not in (None, manifest.target):
        return False
    if request.target != "tensorrt":
        return True
    from export.targets.tensorrt.plans import built_for  # noqa: PLC0415

    return built_for(request.toolkit, version_folder(request.repository, manifest.variant))
