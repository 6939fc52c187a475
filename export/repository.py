"""The model repository: the folders that Triton loads, written whole or not at all.

<name>/config.pbtxt                 the ensemble; 1/ is empty but for a file that keeps it in git
<name>_preprocess/config.pbtxt      1/model.py
<name>_network/config.pbtxt         1/model.onnx, 1/manifest.json
postprocess/config.pbtxt            1/model.py; shared by all networks
"""

import os
from collections.abc import Mapping
from pathlib import Path

from export.configs import ensemble_config, network_config, postprocess_config, preprocess_config, step_model
from export.digest import sha256_of
from export.errors import RepositoryError
from export.manifest import Manifest, read_manifest
from export.swap import locked, remove, replace_folders
from export.variants import ServedNetwork

DEFAULT_REPOSITORY = Path(__file__).resolve().parent.parent / "model_repository"
POSTPROCESS = "postprocess"

Files = dict[str, bytes]  # path inside a model's folder -> content


def config_folders(network: ServedNetwork) -> dict[str, Files]:
    """The folders of `network` without model.onnx and its manifest: what depends on the row of the table alone.

    In the order in which they are put in place: the network first, the ensemble that refers to all others last.
    """
    return {
        f"{network.name}_network": {"config.pbtxt": network_config(network).encode()},
        f"{network.name}_preprocess": {
            "config.pbtxt": preprocess_config(network).encode(),
            "1/model.py": step_model("preprocess").encode(),
        },
        POSTPROCESS: {
            "config.pbtxt": postprocess_config().encode(),
            "1/model.py": step_model("postprocess").encode(),
        },
        network.name: {"config.pbtxt": ensemble_config(network).encode(), "1/.gitkeep": b""},
    }


def write_network(repository: Path, network: ServedNetwork, model: bytes, manifest: Manifest) -> list[Path]:
    """Write the ensemble of `network` and its steps into `repository`, and return the folders that were replaced.

    Everything is written beside the repository first, where no server looks, and then swapped in folder by folder. The
    shared postprocess step is left alone where it is already the same.

    Args:
        repository: created if needed. Its parent must be on the same file system and writable.
        network: what the configs depend on.
        model: bytes of model.onnx.
        manifest: what is told about it.

    Raises:
        RepositoryError: it could not be written; the repository is as it was.
    """
    try:
        repository = repository.resolve()
        repository.mkdir(parents=True, exist_ok=True)
        with locked(repository):
            return _write_locked(repository, network, model, manifest)
    except OSError as error:
        raise RepositoryError(
            f"could not write into {repository}: {error.strerror or error} ({error.filename or 'no file'}); "
            "the models in it are as they were"
        ) from error


def refuse_unwritable(repository: Path) -> None:
    """Find out before the work whether `repository` can be written at all, and leave everything as it is.

    Raises:
        RepositoryError: a part of its path is not a folder, or this user may not write there.
    """
    there = repository.resolve()
    while not there.exists():
        there = there.parent
    for folder in {there, there.parent} if there == repository.resolve() else {there}:
        if not folder.is_dir():
            raise RepositoryError(f"could not write into {repository}: {folder} is not a folder")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise RepositoryError(
                f"could not write into {repository}: no permission to write in {folder}; "
                "choose another folder with --repository"
            )


def exported(repository: Path, network: ServedNetwork) -> Manifest | None:
    """Return the manifest of `network` if it is in `repository`, whole, with the configs of today; else None."""
    for folder, files in config_folders(network).items():
        if not _holds(repository / folder, files):
            return None
    version = repository / f"{network.name}_network" / "1"
    manifest = read_manifest(version / "manifest.json")
    model = version / "model.onnx"
    if manifest is None or manifest.variant != network.name or not model.is_file():
        return None
    return manifest if sha256_of(model) == manifest.onnx_sha256 else None


def _write_locked(repository: Path, network: ServedNetwork, model: bytes, manifest: Manifest) -> list[Path]:
    staged = repository.with_name(f".{repository.name}.export")
    remove(staged)  # an export that was killed may have left it
    folders = config_folders(network)
    folders[f"{network.name}_network"] |= {"1/model.onnx": model, "1/manifest.json": manifest.to_json().encode()}
    if _holds(repository / POSTPROCESS, folders[POSTPROCESS]):
        del folders[POSTPROCESS]
    try:
        for folder, files in folders.items():
            _write(staged / folder, files)
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
