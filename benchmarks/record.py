"""A sweep as JSON, for programs and for comparing machines."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

from benchmarks.machine import Machine
from benchmarks.sweep import Row


def write_record(
    file: Path,
    rows: Sequence[Row],
    *,
    machine: Machine,
    versions: Mapping[str, str],
    photo: Mapping[str, int],
    command: str,
) -> None:
    """Write a sweep to ``file``: the rows under the names of their dataclasses' fields, and what they belong to.

    Args:
        file: is replaced if it exists; its folder is made.
        rows: what was measured.
        machine: where.
        versions: with what.
        photo: the photo's ``width``, ``height`` and ``bytes``.
        command: what repeats it.
    """
    record = {
        "measured_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "command": command,
        "machine": asdict(machine),
        "versions": dict(versions),
        "photo": dict(photo),
        "rows": [asdict(row) for row in rows],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(record, indent=1) + "\n")
