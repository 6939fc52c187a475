"""`python -m export all`: every row of the table, one after the other, each in a process of its own.

A process gives all its memory back when it ends, so that the peak is that of the largest network and not their sum.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from export.repository.write import DEFAULT_REPOSITORY
from export.targets.builds import PRECISIONS, TARGETS
from export.variants import VARIANTS
from midas_server.licences import allows_business


def main(arguments: Sequence[str]) -> int:
    """Export everything and return the exit code: 0, 1 if a variant failed, 130 after Ctrl-C.

    What a variant's own export says goes to the same places as if it ran alone.
    """
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, soft_wrap=True)
    failed: dict[str, int] = {}
    started = time.monotonic()
    names = list(VARIANTS)
    if options.commercial:
        names = [name for name in names if allows_business(VARIANTS[name].licence)]
        console.print(f"left out by --commercial: {', '.join(name for name in VARIANTS if name not in names)}")
    for number, name in enumerate(names, 1):
        console.print(f"[{number}/{len(names)}] {name}", style="bold", markup=False)
        code = _export(name, options)
        if code == 130:
            return code
        if code != 0:
            failed[name] = code
    seconds = time.monotonic() - started
    console.print(f"{len(names) - len(failed)} of {len(names)} exported in {seconds:.0f} s", markup=False)
    if failed:
        reasons = ", ".join(f"{name} ({_reason(code)})" for name, code in failed.items())
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"failed: {reasons}", style="red", markup=False)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m export all",
        description="Export every variant, one after the other. One that fails does not keep the others from it.",
    )
    parser.add_argument("--untrained", action="store_true", help="do not look for checkpoints")
    parser.add_argument("--precision", choices=PRECISIONS, default="fp32", help="default: %(default)s")
    parser.add_argument("--target", choices=TARGETS, default="onnx", help="default: %(default)s")
    parser.add_argument(
        "--repository", type=Path, default=DEFAULT_REPOSITORY, metavar="DIR", help="default: %(default)s"
    )
    parser.add_argument(
        "--commercial", action="store_true", help="leave out those whose weights' licence does not allow commercial use"
    )
    parser.add_argument("--if-needed", action="store_true", help="leave those that are there with the same weights")
    return parser


def _export(name: str, options: argparse.Namespace) -> int:
    command = [sys.executable, "-m", "export", name, "--repository", str(options.repository)]
    command += ["--precision", options.precision, "--target", options.target]
    command += ["--untrained"] if options.untrained else []
    command += ["--if-needed"] if options.if_needed else []
    sys.stdout.flush()
    with subprocess.Popen(command) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:  # the child got it too, and ends by itself
            process.wait()
            return 130


def _reason(code: int) -> str:
    return f"ended by signal {-code}" if code < 0 else f"exit code {code}"
