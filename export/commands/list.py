"""`python -m export list`: what is in a model repository, from which checkpoint, in which build, and its licence."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from export.repository.inventory import Entry, inventory
from export.repository.write import DEFAULT_REPOSITORY
from export.variants import VARIANTS
from midas_server.licences import allows_business

_DIGEST = 8  # hex digits; enough to tell files apart, and as many as the official names carry


def main(arguments: Sequence[str]) -> int:
    """Print the list and return the exit code: 0, or 1 if something in the repository is not whole."""
    options = _parser().parse_args(arguments)
    errors = Console(stderr=True, highlight=False)
    with errors.status("reading") as status:
        entries = inventory(
            options.repository,
            digests=not options.quick,
            looking_at=lambda name: status.update(f"reading {name}"),
        )
    missing = [name for name in VARIANTS if name not in {entry.name for entry in entries}]
    if options.json:
        record = {
            "repository": str(options.repository.resolve()),
            "exported": [_record(entry) for entry in entries],
            "not_exported": missing,
        }
        sys.stdout.write(json.dumps(record, indent=2) + "\n")
    else:
        _print(Console(highlight=False), entries, missing, options.repository)
    return 1 if any(entry.flaw for entry in entries) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m export list", description="Show what is in a model repository, and whether it is whole."
    )
    parser.add_argument(
        "--repository", type=Path, default=DEFAULT_REPOSITORY, metavar="DIR", help="default: %(default)s"
    )
    parser.add_argument("--json", action="store_true", help="for scripts")
    parser.add_argument("--quick", action="store_true", help="do not read the model files to compare their digests")
    return parser


def _print(console: Console, entries: Sequence[Entry], missing: Sequence[str], repository: Path) -> None:
    if entries:
        table = Table("network", "build", "MB", "weights", "licence", "checkpoint", "whole", box=None)
        table.columns[0].no_wrap = True
        table.columns[2].justify = "right"
        for entry in entries:
            manifest = entry.manifest
            table.add_row(
                entry.name,
                f"{manifest.target} {manifest.precision}" if manifest else "?",
                f"{entry.size / 1e6:.1f}",
                manifest.weights.split(":")[0].replace("sha256", "own file") if manifest else "?",
                _licence(entry) or "your own",
                (manifest.checkpoint_sha256 or "none")[:_DIGEST] if manifest else "?",
                "no" if entry.flaw else "yes",
                style="red" if entry.flaw else "yellow" if manifest and manifest.weights == "untrained" else None,
            )
        console.print(table)
    else:
        console.print(f"nothing is exported in {repository}", markup=False, soft_wrap=True)
    for entry in entries:
        if entry.flaw:
            console.print(f"{entry.name} is not whole: {entry.flaw}", markup=False, soft_wrap=True, style="red")
    if missing:
        console.print(
            f"not exported: {', '.join(_with_licence(name) for name in missing)}", markup=False, soft_wrap=True
        )
    flawed = [entry.name for entry in entries if entry.flaw]
    if flawed:
        console.print(f"export again: python -m export {' '.join(flawed)}", markup=False, soft_wrap=True)


def _licence(entry: Entry) -> str | None:
    """The licence of the weights that the table names; None for a file of the user's own, which has its own."""
    if entry.name not in VARIANTS or not entry.manifest or entry.manifest.weights.startswith("sha256:"):
        return None
    return VARIANTS[entry.name].source.licence


def _with_licence(name: str) -> str:
    licence = VARIANTS[name].licence
    return name if allows_business(licence) else f"{name} ({licence})"


def _record(entry: Entry) -> dict[str, Any]:
    manifest = entry.manifest
    return {
        "name": entry.name,
        "target": manifest.target if manifest else None,
        "precision": manifest.precision if manifest else None,
        "bytes": entry.size,
        "weights": manifest.weights if manifest else None,
        "licence": _licence(entry),
        "checkpoint": manifest.checkpoint if manifest else None,
        "checkpoint_sha256": manifest.checkpoint_sha256 if manifest else None,
        "onnx_sha256": manifest.onnx_sha256 if manifest else None,
        "files": dict(manifest.files) if manifest else {},
        "parity": manifest.parity if manifest else None,
        "whole": entry.flaw is None,
        "flaw": entry.flaw,
    }
