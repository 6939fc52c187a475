"""Which network and which settings for which need: the text is in ``advice.md``, the figures are the record's.

A line of that file whose figures were not all measured is left out; lines that begin with the same words in bold
become one sentence after the other, with the words once.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.record import Closed, Open, Row
from benchmarks.report.accuracy import comparable
from benchmarks.report.blocks import Block, Paragraph
from benchmarks.report.figures import by_setting, enough, load_of
from benchmarks.report.load import overload
from benchmarks.report.published_accuracy import IMPROVEMENT_PERCENT

TEMPLATE = Path(__file__).with_name("advice.md")

_REFERENCE = "onnx fp32"


def blocks(rows: Sequence[Row], errors: Mapping[tuple[str, str], str], template: str | None = None) -> list[Block]:
    """Return one paragraph.

    Args:
        rows: of one machine, one round.
        errors: the exported formats' errors against PyTorch.
        template: instead of the text in :data:`TEMPLATE`.
    """
    facts = _facts(rows, errors)
    sentences: list[str] = []
    begun = ""
    for line in (TEMPLATE.read_text() if template is None else template).splitlines():
        if not line.strip() or not set(re.findall(r"{(\w+)}", line)) <= facts.keys():
            continue
        sentence = line.format_map(facts)
        found = re.match(r"\*\*[^*]+:\*\* ", sentence)
        if found and found.group() == begun:
            rest = sentence[found.end() :]
            sentence = rest[:1].upper() + rest[1:]
        elif found:
            begun = found.group()
        sentences.append(sentence)
    if not sentences:
        return [Paragraph("*Which network and settings for which need*: too little was measured here to say.")]
    return [Paragraph(" ".join(sentences))]


def _facts(rows: Sequence[Row], errors: Mapping[tuple[str, str], str]) -> dict[str, str]:
    groups = comparable(rows)
    facts: dict[str, str] = {}
    alone = [row for group in groups for row in group if load_of(row) == 1]
    if alone:
        quick = min(alone, key=lambda row: row.p50_ms)
        facts |= {"quick_model": quick.model, "quick_format": quick.format, "quick_ms": f"{quick.p50_ms:.0f}"}
    if groups:
        busy = max(map(enough, groups), key=lambda row: row.photos_per_second)
        facts |= {"busy_model": busy.model, "busy_format": busy.format}
        facts |= {"busy_rate": f"{busy.photos_per_second:.3g}", "busy_at": f"{load_of(busy):.0f}"}
    ranked = [row for row in alone if row.model in IMPROVEMENT_PERCENT]
    if len({row.model for row in ranked}) > 1:
        best = max(ranked, key=lambda row: (IMPROVEMENT_PERCENT[row.model], -row.p50_ms))
        facts |= {"best_model": best.model, "best_format": best.format, "best_ms": f"{best.p50_ms:,.0f}"}
    return {**facts, **_format(groups, errors), **_result(rows), **_protocol(rows), **_load(rows)}


def _format(groups: Sequence[Sequence[Row]], errors: Mapping[tuple[str, str], str]) -> dict[str, str]:
    """Return the largest gain of a format over ONNX in float32 of the same network."""
    peaks = {(group[0].model, group[0].format): _peak(group) for group in groups}
    gains = {
        (model, form): peak / peaks[model, _REFERENCE]
        for (model, form), peak in peaks.items()
        if form != _REFERENCE and peaks.get((model, _REFERENCE))
    }
    if not gains:
        return {}
    model, form = max(gains, key=lambda key: gains[key])
    facts = {"gain_model": model, "gain_format": form, "gain": f"{gains[model, form]:.1f}"}
    return facts | ({"gain_error": errors[model, form]} if (model, form) in errors else {})


def _result(rows: Sequence[Row]) -> dict[str, str]:
    """Return what results at the photo's size give of the photos a second at the network's size."""
    facts: dict[str, str] = {}
    peaks = {
        (group[0].model, group[0].format, group[0].photo, group[0].result): _peak(group)
        for group in by_setting([row for row in rows if isinstance(row.load, Closed)])
        if group[0].target == "ensemble" and group[0].protocol == "grpc"
    }
    for name, result in (("photo", "photo"), ("png", "png16")):
        for (model, form, photo, given), peak in peaks.items():
            other = peaks.get((model, form, photo, "network"))
            if given == result and other:
                facts |= {f"{name}_share": f"{100 * peak / other:.0f} %", f"{name}_model": f"{model}, {photo}"}
                break
    return facts


def _protocol(rows: Sequence[Row]) -> dict[str, str]:
    """Return what HTTP gives of gRPC's photos a second, for the same result at the same loads."""
    served = [row for row in rows if row.target == "ensemble" and isinstance(row.load, Closed)]
    for row in served:
        if row.protocol == "http" and row.photos_per_second:
            same = [
                other.photos_per_second
                for other in served
                if other.protocol == "grpc"
                and (other.model, other.format, other.photo, other.result, other.load)
                == (row.model, row.format, row.photo, row.result, row.load)
            ]
            if same and load_of(row) > 1:
                share = f"{100 * row.photos_per_second / same[0]:.0f} %"
                return {"http_share": share, "http_model": f"{row.model}, {row.photo}, {row.load}"}
    return {}


def _load(rows: Sequence[Row]) -> dict[str, str]:
    """Return the highest open load that was borne, and the first that was not."""
    facts: dict[str, str] = {}
    for group in by_setting([row for row in rows if isinstance(row.load, Open) and row.target == "ensemble"]):
        first = overload(group)
        what = f"{group[0].model} in {group[0].format}"
        borne = [row for row in group if first is None or load_of(row) < load_of(first)]
        if borne and "load_rate" not in facts:
            row = borne[-1]
            assert isinstance(row.load, Open)
            facts |= {"load_model": what, "load_rate": f"{load_of(row):.3g}", "load_ms": f"{row.p99_ms:.0f}"}
            if row.load.share is not None:
                facts["load_share"] = f"{100 * row.load.share:.0f} %"
        if first is not None and "over_rate" not in facts:
            answered = f"{first.photos_per_second:.3g}"
            facts |= {"over_model": what, "over_rate": f"{load_of(first):.3g}", "over_answered": answered}
    return facts


def _peak(group: Sequence[Row]) -> float:
    return max(row.photos_per_second for row in group)
