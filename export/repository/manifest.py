"""manifest.json beside a network: what it was made from, with what, and how far it is from its source."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from export.targets.builds import Build
from export.variants.row import ServedNetwork
from midas_server.repository import ManifestError, read_facts


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a network came from, whatever the build.

    Attributes:
        weights: "official", "default", "untrained", or "sha256:" and the digest of a file of the user's own; INFO
            reports it.
        checkpoint: name of the file that the weights came from, or None.
        checkpoint_sha256: digest of that file, or None.
        opset: of the ONNX graph.
        parity: relative error of the float32 ONNX graph against PyTorch, on noise; None where there was no PyTorch
            network to compare with.
        options: how a network of the user's own was said to take its input, or None.
        tools: versions of what made it.
    """

    weights: str
    checkpoint: str | None
    checkpoint_sha256: str | None
    opset: int
    parity: float | None
    options: Mapping[str, object] | None
    tools: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What the file says, in the order of its lines. What is not named here is that of `Provenance`.

    Attributes:
        variant: name of the network.
        target: "onnx", "openvino" or "tensorrt".
        precision: "fp32", "fp16", "bf16" or "int8".
        files: digests of the model files by their names in the version's folder.
        size: of those files together, in bytes.
        onnx_sha256: digest of the ONNX graph in `precision` that the files were made from; for "onnx" that of
            model.onnx.
        against_fp32: what the build costs and gains, None for "onnx" in "fp32"; see `export.targets.verdict`.
        chosen: "asked" where the user named the build, "auto" where it was measured to be the best, else None.
        settings: what the network's configs have instead of the table's row: `instances`, `max_batch_size`.
    """

    variant: str
    weights: str
    checkpoint: str | None
    checkpoint_sha256: str | None
    target: str
    precision: str
    files: Mapping[str, str]
    size: int
    onnx_sha256: str
    opset: int
    parity: float | None
    against_fp32: Mapping[str, float] | None
    options: Mapping[str, object] | None
    tools: Mapping[str, str]
    chosen: str | None = None
    settings: Mapping[str, int] | None = None

    @property
    def build(self) -> Build:
        """Target and precision; raises BuildError where this version of the code does not know them."""
        return Build.named(self.target, self.precision)

    def to_json(self) -> str:
        """JSON text, one line a field."""
        return json.dumps(asdict(self), indent=2) + "\n"


def read_manifest(path: Path) -> Manifest | None:
    """Return the manifest at `path`, or None where there is none that this version of the code can read."""
    try:
        facts = read_facts(path) or {}
        for former in ("build", "format"):  # what earlier versions called the target
            if former in facts:
                facts = {"target": facts.pop(former), **facts}
        return Manifest(**facts)
    except (ManifestError, TypeError):
        return None


def as_served(network: ServedNetwork, manifest: Manifest) -> ServedNetwork:
    """The network with the settings of its export."""
    return replace(network, **(manifest.settings or {}))  # type: ignore[arg-type]


def describe_weights(manifest: Manifest) -> str:
    """The weights in a few words, for a person."""
    if manifest.weights == "untrained":
        return "untrained weights"
    if manifest.weights == "official":
        return f"official weights, {manifest.checkpoint}"
    if manifest.weights == "default":
        return f"the weights that ship with the project, {manifest.checkpoint}"
    return f"weights from {manifest.checkpoint}, SHA-256 {(manifest.checkpoint_sha256 or '')[:8]}"
