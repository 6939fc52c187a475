"""The files of a report: accuracy.md, accuracy.json, overview.png and a picture of each network's worst photos."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from accuracy.evaluate import PhotoResult, Result, left_out
from accuracy.pictures import worst_photos
from accuracy.plot import overview
from accuracy.tables import columns, mean_markdown, photo_markdown
from accuracy.verdict import suspicions


def write_report(
    out: Path,
    results: Sequence[Result],
    *,
    verdict: str,
    precisions: Sequence[str],
    data: Sequence[Path],
    cap: float,
    command: str,
) -> None:
    """Write the report into `out`, which is made; files of an earlier one are replaced.

    Args:
        out: a folder.
        results: over the same photos, at least one.
        verdict, precisions: sentences of `accuracy.verdict`.
        data: the data sets.
        cap: the farthest depth in metres that counted.
        command: what repeats it.

    Raises:
        OSError: it cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    plot = overview(results)
    if plot is not None:
        plot.save(out / "overview.png")
    pictures = {
        result.label: _picture(out, result, cap) for result in results if result.worst and result.model is not None
    }
    facts = [
        f"{len(results[0].photos)} photos of {', '.join(str(path) for path in data)}; metric depth up to {cap:g} m.",
        f"Repeat with `{command}`.",
        *(f"Left out: {name}: {reason}" for name, reason in left_out(results)),
    ]
    names = columns(results)
    warnings = [f"Warning: {line}" for line in suspicions(results)]
    parts = ["# Accuracy", f"**{verdict}**", *warnings, *precisions, mean_markdown(results)]
    if plot is not None:
        parts.append("![Error against time](overview.png)")
    parts += facts
    for result in results:
        parts += [f"## {result.label}", photo_markdown(result, names)]
        if result.label in pictures:
            parts.append(f"![The worst photos of {result.label}]({pictures[result.label]})")
    (out / "accuracy.md").write_text("\n\n".join(parts) + "\n")
    record = {
        "measured_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "command": command,
        "data": [str(path) for path in data],
        "cap_metres": cap,
        "verdict": verdict,
        "precisions": list(precisions),
        "results": [_as_json(result) for result in results],
    }
    (out / "accuracy.json").write_text(json.dumps(record, indent=1) + "\n")


def _picture(out: Path, result: Result, cap: float) -> str:
    name = f"worst_{re.sub(r'[^A-Za-z0-9_.-]+', '_', result.label).strip('_')}.jpg"
    worst_photos(result.label, result.worst, cap).save(out / name, quality=90)
    return name


def _as_json(result: Result) -> dict[str, Any]:
    return {
        "label": result.label,
        "model": result.model,
        "repository": result.source,
        "weights": result.weights,
        "precision": result.precision,
        "milliseconds": round(result.milliseconds, 3),
        "mean": asdict(result.mean),
        "photos": [_photo_json(photo) for photo in result.photos],
        "failures": result.failures,
    }


def _photo_json(photo: PhotoResult) -> dict[str, Any]:
    figures = asdict(photo.figures)
    return {"name": photo.sample.name, **figures, "milliseconds": round(photo.milliseconds, 3)}
