"""Names of the folders and files of a network in a model repository, and the facts that export noted beside it.

<name>/config.pbtxt               the ensemble
<name>_preprocess/config.pbtxt    1/model.py
<name>_network/config.pbtxt       1/manifest.json and the model files of one build, as 1/model.onnx;
                                  configs/python_backend.pbtxt where our backend wants another config than Triton's
postprocess/config.pbtxt          1/model.py; shared by all networks
"""

import json
import re
from pathlib import Path
from typing import Any

CONFIG_FILE = "config.pbtxt"
MANIFEST_FILE = "manifest.json"
ONNX_FILE = "model.onnx"
PYTHON_BACKEND = "python_backend"
"""The `--model-config-name` with which Triton runs networks in our backends, those of a bare machine."""

PYTHON_BACKEND_CONFIG = f"configs/{PYTHON_BACKEND}.pbtxt"
"""Which such a Triton reads instead of `CONFIG_FILE`, in the models that have it."""

POSTPROCESS = "postprocess"
VERSION = "1"
_PREPROCESS = "_preprocess"
_NETWORK = "_network"
STEP_ENDINGS = (_PREPROCESS, _NETWORK)
"""How the name of a step ends: no ensemble may be called so."""


class ManifestError(RuntimeError):
    """A manifest that is there and cannot be read; the text says which, and what to do."""


def preprocess_model(name: str) -> str:
    """Return what the first step of the ensemble `name` is called."""
    return f"{name}{_PREPROCESS}"


def network_model(name: str) -> str:
    """Return what the network step of the ensemble `name` is called."""
    return f"{name}{_NETWORK}"


def version_folder(repository: Path, name: str) -> Path:
    """Return where the manifest and the model files of the network of `name` are."""
    return repository / network_model(name) / VERSION


def manifest_file(repository: Path, name: str) -> Path:
    """Return where the manifest of the network of `name` is."""
    return version_folder(repository, name) / MANIFEST_FILE


def names_in(repository: Path) -> list[str]:
    """Return the names that have a network's folder in `repository`, sorted; a missing repository has none."""
    return sorted(folder.name.removesuffix(_NETWORK) for folder in repository.glob(f"*{_NETWORK}") if folder.is_dir())


def models_in(repository: Path) -> list[str]:
    """Return the models of `repository` that a caller may ask for, sorted: all but the steps of the ensembles."""
    models = sorted(config.parent.name for config in repository.glob(f"*/{CONFIG_FILE}"))
    return [model for model in models if model != POSTPROCESS and not model.endswith(STEP_ENDINGS)]


def read_facts(manifest: Path) -> dict[str, Any] | None:
    """Return what a manifest says, or None where there is no such file.

    Raises:
        ManifestError: it is no JSON object, or cannot be read at all.
    """
    try:
        facts = json.loads(manifest.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        facts = None
    if not isinstance(facts, dict):
        raise ManifestError(f"{manifest} cannot be read: {_ADVICE}")
    return facts


def weights_of(repository: Path, name: str) -> str | None:
    """Return where the weights of the network of `name` come from, as export noted it; None without a manifest.

    Raises:
        ManifestError: the manifest cannot be read, or does not say.
    """
    facts = read_facts(manifest_file(repository, name))
    if facts is None:
        return None
    if not isinstance(facts.get("weights"), str):
        raise ManifestError(f"{manifest_file(repository, name)} does not say which weights these are: {_ADVICE}")
    return str(facts["weights"])


def licence_of(repository: Path, name: str) -> str | None:
    """Return the licence of the official weights of `name`, as its config says; None where it says none."""
    try:
        config = (repository / preprocess_model(name) / CONFIG_FILE).read_text()
    except OSError:
        return None
    found = re.search(r'key: "licence" value \{ string_value: "([^"]*)" \}', config)
    return found[1] if found else None


_ADVICE = "export the network again with `python -m export`"
