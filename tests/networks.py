"""The networks that the tests serve, and where the one comes from that is not the project's."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
# Photos with ground truth, a trained network and reference outputs; tests that need them skip where they are missing.
SHARED = ROOT.parent / "shared"

VARIANT = "midas_v21_small_256"
DEFAULT = "midas_tiny_256"
FOREIGN = "tcmonodepth_small"
FOREIGN_ONNX = SHARED / "models" / "tcmonodepth_small.onnx"
