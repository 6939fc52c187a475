"""The model repository: the folders that Triton loads, written whole or not at all.

`midas_server.repository` names them. Beside what stands there: the ensemble's 1/ is empty but for a file that keeps it
in git, and preprocess has warmup/photo, which Triton sends through before the first request.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from export.errors import ExportError, RepositoryWriteError
from export.repository.configs import (
    ensemble_config,
    network_configs,
    postprocess_config,
    preprocess_config,
    step_model,
)
from export.repository.manifest import Manifest, as_served, read_manifest
from export.repository.scheduling import PREPROCESS_WARMUP_FILE, PREPROCESS_WARMUP_PHOTO
from export.repository.swap import locked, remove, replace_folders
from export.targets.builds import Build
from export.variants.row import ServedNetwork
from export.weights.digest import sha256_of
from midas_server.repository import (
    CONFIG_FILE,
    MANIFEST_FILE,
    POSTPROCESS,
    VERSION,
    network_model,
    preprocess_model,
    version_folder,
)

DEFAULT_REPOSITORY = Path(__file__).resolve().parents[2] / "model_repository"

_ONNX = Build()


Files = dict[str, bytes]  # path inside a model's folder -> content


def auto_repository(repository: Path) -> Path:
    """Where builds go that were chosen for this machine: beside `repository`, some of whose files are in git."""
    return repository.with_name(f"{repository.name}.auto")


def config_folders(network: ServedNetwork, build: Build = _ONNX, files: Iterable[str] = ()) -> dict[str, Files]:
    """The folders of `network` without its model files and manifest: what depends on the table and the build alone.

    For TensorRT it depends on the names of the model `files` too, since each is for one kind of GPU.

    Returns:
        The folders by name, in the order in which they are put in place: the network first, the ensemble that refers
        to all others last.
    """
    return {
        network_model(network.name): {
            name: config.encode() for name, config in network_configs(network, build, files).items()
        },
        preprocess_model(network.name): {
            CONFIG_FILE: preprocess_config(network, build).encode(),
            f"{VERSION}/model.py": step_model("preprocess").encode(),
            PREPROCESS_WARMUP_FILE: PREPROCESS_WARMUP_PHOTO,
        },
        POSTPROCESS: {
            CONFIG_FILE: postprocess_config().encode(),
            f"{VERSION}/model.py": step_model("postprocess").encode(),
        },
        network.name: {CONFIG_FILE: ensemble_config(network).encode(), f"{VERSION}/.gitkeep": b""},
    }


def write_network(
    repository: Path, network: ServedNetwork, files: Mapping[str, bytes], manifest: Manifest
) -> list[Path]:
    """Write the ensemble of `network` and its steps into `repository`, and return the folders that were replaced.

    Everything is written beside the repository first, where no server looks, and then swapped in folder by folder. The
    shared postprocess step is left alone where it is already the same. A network that was there in another build is
    replaced with all its files.

    Args:
        repository: created if needed. Its parent must be on the same file system and writable.
        network: what the configs depend on.
        files: the model files, by their names in the version's folder.
        manifest: what is told about them.

    Raises:
        RepositoryWriteError: it could not be written; the repository is as it was.
    """
    try:
        repository = repository.resolve()
        repository.mkdir(parents=True, exist_ok=True)
        with locked(repository):
            return _write_locked(repository, network, files, manifest)
    except OSError as error:
        raise RepositoryWriteError(
            f"could not write into {repository}: {error.strerror or error} ({error.filename or 'no file'}); "
            "the models in it are as they were"
        ) from error


def refuse_unwritable(repository: Path) -> None:
    """Find out before the work whether `repository` can be written at all, and leave everything as it is.

    Raises:
        RepositoryWriteError: a part of its path is not a folder, or this user may not write there.
    """
    there = repository.resolve()
    while not there.exists():
        there = there.parent
    for folder in {there, there.parent} if there == repository.resolve() else {there}:
        if not folder.is_dir():
            raise RepositoryWriteError(f"could not write into {repository}: {folder} is not a folder")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise RepositoryWriteError(
                f"could not write into {repository}: no permission to write in {folder}; "
                "choose another folder with --repository"
            )


def exported(repository: Path, network: ServedNetwork) -> Manifest | None:
    """Return the manifest of `network` if it is in `repository`, whole, with the configs of today; else None.

    Any build will do: the manifest tells which it is.
    """
    version = version_folder(repository, network.name)
    manifest = read_manifest(version / MANIFEST_FILE)
    if manifest is None or manifest.variant != network.name or not manifest.files:
        return None
    try:
        folders = config_folders(as_served(network, manifest), manifest.build, manifest.files)
        if not all(_holds(repository / folder, files) for folder, files in folders.items()):
            return None
        whole = all(sha256_of(version / name) == digest for name, digest in manifest.files.items())
    except (OSError, KeyError, ExportError):  # a file is missing, or the build is none that this version knows
        return None
    return manifest if whole else None


def _write_locked(
    repository: Path, network: ServedNetwork, files: Mapping[str, bytes], manifest: Manifest
) -> list[Path]:
    staged = repository.with_name(f".{repository.name}.export")
    remove(staged)  # an export that was killed may have left it
    folders = config_folders(as_served(network, manifest), manifest.build, manifest.files)
    folders[network_model(network.name)] |= {f"{VERSION}/{name}": content for name, content in files.items()}
    folders[network_model(network.name)][f"{VERSION}/{MANIFEST_FILE}"] = manifest.to_json().encode()
    if _holds(repository / POSTPROCESS, folders[POSTPROCESS]):
        del folders[POSTPROCESS]
    try:
        for folder, contents in folders.items():
            _write(staged / folder, contents)
        replace_folders(staged, repository, list(folders))
    finally:
        remove(staged)
    return [repository / folder for folder in folders]


def _write(folder: Path, files: Files) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _holds(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Whether each of `files` is in `folder` with the same bytes."""
    try:
        return all((folder / name).read_bytes() == content for name, content in files.items())
    except OSError:
        return False
