"""One line of the export report: what a manifest says of an exported network, and what was measured of it."""

from dataclasses import dataclass

from export.manifest import Manifest
from export.measure import Measurement


@dataclass(frozen=True)
class Row:
    """Attributes:
    manifest: what export noted.
    size: of the model files in bytes.
    measured: what was measured here.
    """

    manifest: Manifest
    size: int
    measured: Measurement

    @property
    def name(self) -> str:
        return self.manifest.variant

    @property
    def form(self) -> str:
        """ "onnx fp32" and the like."""
        return f"{self.manifest.format} {self.manifest.precision}"

    @property
    def untrained(self) -> bool:
        return self.manifest.weights == "untrained"

    @property
    def error(self) -> float | None:
        """Relative error against PyTorch: on photos where the format was judged on them, else on noise."""
        against = self.manifest.against_fp32
        return against["error"] if against else self.manifest.parity

    @property
    def milliseconds(self) -> float | None:
        """For an image; of a TensorRT plan the time that its GPU took when it was exported."""
        if self.measured.milliseconds is None and self.manifest.format == "tensorrt" and self.manifest.against_fp32:
            return self.manifest.against_fp32["milliseconds"]
        return self.measured.milliseconds
