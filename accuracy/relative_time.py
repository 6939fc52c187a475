"""`python -m accuracy.relative_time REPOSITORY ..`: times of exported networks as multiples of midas_v21_small_256's.

For machines that are busy: each network takes turns with midas_v21_small_256 in float32, so that both see the same
neighbours, and only the ratio is kept. docs/choosing_times.json has what the page shows. The first repository must hold
midas_v21_small_256 in float32.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

from export.commands.measure import runner_of
from export.graph.parity import noise
from export.repository.manifest import Manifest, read_manifest
from export.targets.verdict import Runner
from export.variants import VARIANTS
from midas_server.repository import manifest_file, version_folder
from midas_server.served_names import SIZES

TIMES = Path(__file__).resolve().parents[1] / "docs" / "choosing_times.json"
UNIT = SIZES["small"]
ROUNDS = 5


def once(run: Runner, name: str) -> float:
    """Seconds of one image of the default square size."""
    pixels = noise((1, VARIANTS[name].resolution, VARIANTS[name].resolution))
    started = time.perf_counter()
    run(pixels)
    return time.perf_counter() - started


def ratio(run: Runner, name: str, unit: Runner) -> float:
    """How many times as long as `unit` the network `name` takes: the median of ROUNDS, after one to warm up."""
    pairs = [(once(unit, UNIT), once(run, name), once(unit, UNIT)) for _ in range(1 + ROUNDS)][1:]
    return statistics.median(2 * own / (before + after) for before, own, after in pairs)


def loaded(repository: Path, name: str) -> tuple[Runner, Manifest]:
    """An exported network, and what was told about it."""
    manifest = read_manifest(manifest_file(repository, name))
    run = None if manifest is None else runner_of(version_folder(repository, name), manifest)
    if manifest is None or run is None:
        sys.exit(f"relative_time: {repository} holds no {name} that runs here: export it first")
    return run, manifest


def main() -> None:
    """Measure every network of the repositories, and write the times to the page's file."""
    parser = argparse.ArgumentParser(description=f"Times of exported networks as multiples of {UNIT}'s.")
    parser.add_argument("repositories", type=Path, nargs="+", metavar="REPOSITORY")
    repositories: list[Path] = parser.parse_args().repositories
    unit, _ = loaded(repositories[0], UNIT)
    rows = []
    for repository in repositories:
        for name in sorted(VARIANTS.keys() - {UNIT}):
            if not manifest_file(repository, name).is_file():
                continue
            run, manifest = loaded(repository, name)
            error = manifest.parity if manifest.against_fp32 is None else manifest.against_fp32["error"]
            rows.append({"name": name, "form": str(manifest.form), "ratio": ratio(run, name, unit), "error": error})
            print(f"{name} {manifest.form}: {rows[-1]['ratio']:.2g} times {UNIT} onnx fp32, error {error:.0e}")
    TIMES.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
