"""manifest.json beside a network: what it was made from, with what, and how far it is from its source."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Attributes:
    variant: name of the network.
    weights: "official", "default", "untrained", or "sha256:" and the digest of a file of the user's own; INFO reports
    it.
    checkpoint: name of the file that the weights came from, or None.
    checkpoint_sha256: digest of that file, or None.
    format: "onnx".
    precision: "fp32".
    onnx_sha256: digest of model.onnx.
    opset: of model.onnx.
    parity: relative error against PyTorch; None where there was no PyTorch network to compare with.
    options: how a network of the user's own was said to take its input, or None.
    tools: versions of what made it.
    """

    variant: str
    weights: str
    checkpoint: str | None
    checkpoint_sha256: str | None
    format: str
    precision: str
    onnx_sha256: str
    opset: int
    parity: float | None
    options: Mapping[str, object] | None
    tools: Mapping[str, str]

    def to_json(self) -> str:
        """JSON text, one line a field."""
        return json.dumps(asdict(self), indent=2) + "\n"


def read_manifest(path: Path) -> Manifest | None:
    """Return the manifest at `path`, or None where there is none that this version of the code can read."""
    try:
        return Manifest(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
