"""The export report as Markdown."""

from collections.abc import Mapping, Sequence
from datetime import date

from export.report_row import Row
from export.variants import VARIANTS
from reports.machine import Machine

_HEAD = ("network", "format", "weights", "MB", "parameters, M", "GFLOPs", "error", "ms an image")


def markdown(
    rows: Sequence[Row],
    *,
    plot: str,
    machine: Machine,
    versions: Mapping[str, str],
    command: str,
    left_out: Mapping[str, str],
) -> str:
    """Return the whole document.

    Args:
        rows: in the order of the table.
        plot: the picture's file name, relative to the document.
        machine, versions: where it was measured, and with what.
        command: what repeats it.
        left_out: why a network has no row, by its name.
    """
    parts = [
        "# Exported networks: size, cost, error, speed",
        f"Measured on {date.today():%Y-%m-%d} on {_described(machine)}, with "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + f". Repeat with `{command}`.",
        _untrained(rows),
        _table(rows),
        f"![Time for an image by network and format]({plot})",
        "\n".join(_explained(rows)),
        "\n".join(f"- Left out: {name}: {reason}" for name, reason in left_out.items()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _described(machine: Machine) -> str:
    return (
        f"{machine.processor}, {machine.cores} cores, {machine.memory_gib:g} GiB of memory, {machine.system}; other "
        f"programs used {machine.busy_percent:.0f} % of the processor"
    )


def _untrained(rows: Sequence[Row]) -> str:
    names = list(dict.fromkeys(row.name for row in rows if row.untrained))
    if not names:
        return ""
    which = "All networks" if len(names) == len({row.name for row in rows}) else ", ".join(names)
    return (
        f"**Untrained weights: {which}**, for want of the official checkpoints here. Size, cost and time are those of "
        "the trained network; the errors show that the format computes what PyTorch computes with the same weights, "
        "and the errors of fp16, bf16 and int8 will differ with trained ones."
    )


def _table(rows: Sequence[Row]) -> str:
    lines = ["| " + " | ".join(_HEAD) + " |", "|---|---|---|--:|--:|--:|--:|--:|"]
    for row in rows:
        measured = row.measured
        cells = [
            row.name,
            row.form,
            row.manifest.weights[:15],  # of a digest, the first 8 digits
            f"{row.size / 1e6:.1f}",
            "" if measured.parameters is None else f"{measured.parameters / 1e6:.1f}",
            "" if measured.gflops is None else f"{measured.gflops:.1f}",
            "" if row.error is None else f"{row.error:.1e}",
            "" if row.milliseconds is None else f"{row.milliseconds:,.0f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _explained(rows: Sequence[Row]) -> list[str]:
    threads = sorted({row.measured.threads for row in rows})
    lines = [
        "- MB: the model files on disk, 10^6 bytes.",
        "- GFLOPs: convolutions and matrix products for one image at the default square size, a multiplication and an "
        "addition as two operations.",
        "- error: largest ||depth - PyTorch's|| / ||PyTorch's||. In onnx fp32 on noise, at batch 1 and 3, square and "
        "not where the network takes that; in all other formats on photos.",
        "- ms an image: median of one image of the default square size at a time, on "
        f"{', '.join(map(str, threads))} threads, without decoding and resizing.",
    ]
    if any(row.manifest.format == "tensorrt" for row in rows):
        lines.append("- tensorrt: the time on the GPU that the plan was built on, taken when it was exported.")
    sides: dict[int, list[str]] = {}
    for name in dict.fromkeys(row.name for row in rows if row.name in VARIANTS):
        sides.setdefault(VARIANTS[name].resolution, []).append(name)
    lines += [f"- {side}x{side} by default: {', '.join(names)}." for side, names in sorted(sides.items())]
    return lines
