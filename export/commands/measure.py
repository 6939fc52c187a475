"""Measure one exported network: `python -m export.commands.measure REPOSITORY NAME SECONDS` prints JSON.

A process of its own for each network: what one leaves in memory must neither slow down the next nor add up.
"""

import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from typing_extensions import assert_never

from export.graph.parity import Pixels, noise, onnx_runner
from export.repository.manifest import Manifest, read_manifest
from export.targets.verdict import Runner
from export.variants import VARIANTS
from midas_server.cores import cores
from midas_server.repository import ONNX_FILE, manifest_file, version_folder

_FEWEST, _MOST = 3, 50


@dataclass(frozen=True)
class NetworkCost:
    """What a network costs.

    Attributes:
        parameters: of the PyTorch network; None for a network that is not in the table.
        gflops: for one image at the default size, a multiplication and an addition as two; None as above.
        milliseconds: median time of one image of the default square size; None where this machine cannot run the build.
        runs: how many were timed.
        threads: processor cores that this process may use; the runtimes take them all.
    """

    parameters: int | None
    gflops: float | None
    milliseconds: float | None
    runs: int
    threads: int


def measure(repository: Path, name: str, seconds: float) -> NetworkCost:
    """Count and time the network `name` of `repository`, for about `seconds`.

    Raises:
        FileNotFoundError: it has no manifest that can be read.
    """
    version = version_folder(repository, name)
    manifest = read_manifest(manifest_file(repository, name))
    if manifest is None:
        raise FileNotFoundError(f"{manifest_file(repository, name)} cannot be read")
    parameters, gflops = None, None
    if name in VARIANTS:
        from export.networks.cost import parameters_and_gflops  # noqa: PLC0415  (imports torch, which takes seconds)

        parameters, gflops = parameters_and_gflops(VARIANTS[name])
    milliseconds, runs = None, 0
    run = runner_of(version, manifest)
    if run is not None:
        side = VARIANTS[name].resolution if name in VARIANTS else _served_side(manifest)
        milliseconds, runs = _time(run, noise((1, side, side)), seconds)
    return NetworkCost(parameters, gflops, milliseconds, runs, cores())


def runner_of(version: Path, manifest: Manifest) -> Runner | None:
    """What runs the model files of a version folder here; None for a plan, which runs on its GPU."""
    match manifest.build.target:
        case "onnx":
            return onnx_runner(str(version / ONNX_FILE))
        case "openvino":
            from export.targets.openvino import openvino_runner  # noqa: PLC0415

            files = {file: (version / file).read_bytes() for file in manifest.files}
            return openvino_runner(files, manifest.build.precision)
        case "tensorrt":
            return None  # a plan runs on the GPU that it was built for
        case _:
            assert_never(manifest.build.target)


def _served_side(manifest: Manifest) -> int:
    served = (manifest.options or {}).get("served")
    return int(served["resolution"]) if isinstance(served, dict) else 256


def _time(run: Runner, pixels: Pixels, seconds: float) -> tuple[float, int]:
    """Median milliseconds of one call, and how many were timed."""
    run(pixels)  # the first call allocates
    times: list[float] = []
    end = time.monotonic() + seconds
    while len(times) < _MOST and (len(times) < _FEWEST or time.monotonic() < end):
        started = time.perf_counter()
        run(pixels)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times), len(times)


if __name__ == "__main__":
    print(json.dumps(asdict(measure(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])))))
