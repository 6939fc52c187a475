"""The files of a report: accuracy.md, accuracy.json, overview.png and a picture of each network's worst photos."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from accuracy.evaluate import PhotoResult, PredictorResult, left_out
from accuracy.pictures import worst_photos
from accuracy.plot import overview
from accuracy.tables import columns, mean_table, photo_table
from accuracy.verdict import suspicions
from reports.page import markdown

_TEMPLATE = Path(__file__).with_name("report.md")


def write_report(
    out: Path,
    results: Sequence[PredictorResult],
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
        verdict: a sentence of `accuracy.verdict`.
        precisions: sentences of `accuracy.verdict`.
        data: the data sets.
        cap: the farthest depth in metres that counted.
        command: what repeats it.

    Raises:
        OSError: it cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    plot = overview(results)
    if plot is not None:
        plot.save_png(out / "overview.png")
    names = columns(results)
    text = markdown(
        _TEMPLATE,
        results=results,
        verdict=verdict,
        warnings=suspicions(results),
        precisions=precisions,
        data=", ".join(map(str, data)),
        cap=f"{cap:g}",
        command=command,
        left_out=left_out(results),
        means=mean_table(results),
        plotted=plot is not None,
        tables=[photo_table(result.photos, names) for result in results],
        pictures=[
            _picture(out, result, cap) if result.worst and result.model is not None else "" for result in results
        ],
    )
    (out / "accuracy.md").write_text(text)
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


def _picture(out: Path, result: PredictorResult, cap: float) -> str:
    name = f"worst_{re.sub(r'[^A-Za-z0-9_.-]+', '_', result.label).strip('_')}.jpg"
    worst_photos(result.label, result.worst, cap).save(out / name, quality=90)
    return name


def _as_json(result: PredictorResult) -> dict[str, Any]:
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
