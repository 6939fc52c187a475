"""Run a plan through trtexec: the only program in Triton's container that can, short of Triton itself.

It reads the input from a file and writes the output as JSON with six digits, enough for any bound that is used here.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from export.errors import TensorRTError
from export.graph.contract import INPUT, OUTPUT
from export.graph.parity import Depth, Pixels
from export.targets.tensorrt.toolkit import PlanGpu, Toolkit
from export.targets.tensorrt.trtexec import last_of, run_trtexec

_GPU_TIME = re.compile(r"GPU Compute Time:.*?median = ([\d.]+) ms")
_ONCE = ("--iterations=1", "--warmUp=0", "--duration=0")


@dataclass(frozen=True)
class PlanRunner:
    """Computes what a plan gives.

    Attributes:
        toolkit: TensorRT here.
        gpu: the one that the plan was built for.
        plan: its bytes.
    """

    toolkit: Toolkit
    gpu: PlanGpu
    plan: bytes

    def __call__(self, pixels: Pixels) -> Depth:
        """RGB uint8 (B, H, W, 3) -> relative inverse depth float32 (B, H, W).

        Raises:
            TensorRTError: trtexec failed or gave something else.
        """
        with TemporaryDirectory(prefix="midas-tensorrt-") as temporary:
            source, result = Path(temporary) / "pixels.bin", Path(temporary) / "output.json"
            source.write_bytes(np.ascontiguousarray(pixels).tobytes())
            said = self._run(
                Path(temporary), pixels, f"--loadInputs={INPUT}:{source}", f"--exportOutput={result}", *_ONCE
            )
            try:
                # trtexec prints C++'s nan and inf, which JSON does not know
                text = re.sub(r"-?\b(nan|inf)\b", "NaN", result.read_text())
                outputs = {str(output["name"]): output["values"] for output in json.loads(text)}
                return np.asarray(outputs[OUTPUT], np.float32).reshape(pixels.shape[:3])
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise TensorRTError(
                    f"trtexec ran the plan but gave no {OUTPUT} of {pixels.shape[:3]} ({error}). "
                    f"Its last lines:{last_of(said)}"
                ) from error

    def milliseconds(self, pixels: Pixels) -> float:
        """Median time on the GPU in milliseconds of one run with an input of this shape, without the transfers.

        Raises:
            TensorRTError: trtexec failed or did not say the time.
        """
        with TemporaryDirectory(prefix="midas-tensorrt-") as temporary:
            said = self._run(Path(temporary), pixels, "--useCudaGraph")
        times = [float(found[1]) for line in said if (found := _GPU_TIME.search(line))]
        if not times:
            raise TensorRTError(f"trtexec said nothing about the plan's time. Its last lines:{last_of(said)}")
        return times[-1]

    def _run(self, folder: Path, pixels: Pixels, *options: str) -> list[str]:
        plan = folder / "model.plan"
        plan.write_bytes(self.plan)
        shape = "x".join(map(str, pixels.shape))
        command = [str(self.toolkit.trtexec), f"--loadEngine={plan}", f"--shapes={INPUT}:{shape}"]
        return run_trtexec([*command, f"--device={self.gpu.index}", *options])
