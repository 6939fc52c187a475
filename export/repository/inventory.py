"""What is in a model repository: one entry for each exported network, and whether it is whole."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from export.errors import ExportError
from export.repository.manifest import Manifest, as_served, read_manifest
from export.repository.write import config_folders
from export.variants import VARIANTS
from export.variants.row import ServedNetwork
from export.weights.digest import sha256_of
from midas_server.repository import MANIFEST_FILE, names_in, version_folder


@dataclass(frozen=True)
class Entry:
    """A network in a repository.

    Attributes:
        name: of the ensemble.
        manifest: what export noted, or None where it cannot be read.
        flaw: why it is not whole, in a few words; None where it is.
        size: of the model files in bytes, as they are now.
    """

    name: str
    manifest: Manifest | None
    flaw: str | None
    size: int


def inventory(
    repository: Path, *, digests: bool = True, looking_at: Callable[[str], None] = lambda _: None
) -> list[Entry]:
    """Return an entry for each network in `repository`, in the order of the table, other networks after them by name.

    Args:
        repository: a model repository; one that is missing is empty.
        digests: read all model files and compare their SHA-256; else only see that they are there.
        looking_at: is told each network's name before its files are read.
    """
    order = {name: number for number, name in enumerate(VARIANTS)}
    names = sorted(_names(repository), key=lambda name: (order.get(name, len(order)), name))
    entries = []
    for name in names:
        looking_at(name)
        entries.append(_entry(repository, name, digests))
    return entries


def _names(repository: Path) -> Iterator[str]:
    # The committed configs of a network that was never exported here are no export: it has no manifest.
    for name in names_in(repository):
        version = version_folder(repository, name)
        if version.is_dir() and any(path.name != ".gitkeep" for path in version.iterdir()):
            yield name


def _entry(repository: Path, name: str, digests: bool) -> Entry:
    version = version_folder(repository, name)
    manifest = read_manifest(version / MANIFEST_FILE)
    size = sum(path.stat().st_size for path in version.iterdir() if path.is_file() and path.name != MANIFEST_FILE)
    if manifest is None:
        return Entry(name, None, "its manifest is missing or of another version", size)
    network = _network(name, manifest)
    if network is None or manifest.variant != name:
        return Entry(name, manifest, "its manifest is another network's", size)
    return Entry(name, manifest, _flaw(repository, network, manifest, digests), size)


def _network(name: str, manifest: Manifest) -> ServedNetwork | None:
    if name in VARIANTS:
        return VARIANTS[name]
    served = (manifest.options or {}).get("served")
    try:
        return ServedNetwork.from_json(served) if isinstance(served, dict) else None
    except TypeError:
        return None


def _flaw(repository: Path, network: ServedNetwork, manifest: Manifest, digests: bool) -> str | None:
    try:
        folders = config_folders(as_served(network, manifest), manifest.build, manifest.files)
    except ExportError:
        return f"its build, {manifest.target} {manifest.precision}, is not known here"
    for folder, files in folders.items():
        for file, content in files.items():
            path = repository / folder / file
            if not path.is_file():
                return f"{folder}/{file} is missing"
            if path.read_bytes() != content:
                return f"{folder}/{file} is of another version"
    version = version_folder(repository, network.name)
    for file, digest in manifest.files.items():
        if not (version / file).is_file():
            return f"{file} is missing"
        if digests and sha256_of(version / file) != digest:
            return f"{file} is not the file that was exported"
    return None
