"""A build or weights that the user named are served instead of what would be chosen: copied beside the chosen ones."""

from pathlib import Path

from export.commands.pipeline import Exported
from export.commands.request import ExportRequest
from export.commands.up_to_date import from_a_named_file
from export.repository.write import exported, write_network
from export.targets.builds import Build
from export.variants import variant_named
from midas_server.repository import MANIFEST_FILE, version_folder


def copy_asked(name: str, source: Path, request: ExportRequest, *, any_build: bool = False) -> Exported | None:
    """Copy the network `name` from `source` into the request's repository, unless it is there.

    Args:
        name: a variant.
        source: a model repository.
        request: where to.
        any_build: copy it whatever its build is.

    Returns:
        None where `source` does not hold it in a build, or with weights, that the user named.
    """
    network = variant_named(name)
    manifest = exported(source, network)
    if manifest is None:
        return None
    named = manifest.chosen == "asked" or manifest.build != Build() or from_a_named_file(network, manifest)
    if not (any_build or named):
        return None
    if exported(request.repository, network) == manifest:
        written = []
    else:
        version = version_folder(source, network.name)
        files = {file.name: file.read_bytes() for file in version.iterdir() if file.name != MANIFEST_FILE}
        written = write_network(request.repository, network, files, manifest)
    why = "it is not measured" if any_build else "it was asked for when it was exported, so nothing is measured"
    request.say(f"{network.name} in {manifest.build}, as in {source}: {why}")
    return Exported(network, manifest, written)
