"""Speed against accuracy: what a faster network or format costs in depth."""

from collections.abc import Mapping, Sequence

from benchmarks.published import RTX_3090_FRAMES_PER_SECOND, RTX_3090_SOURCE, T4_SERVICE
from benchmarks.record import Closed, Row
from benchmarks.report.blocks import Block, Bullets, Heading, Paragraph, Pictures, Table
from benchmarks.report.figures import by_setting, load_of
from benchmarks.report.published_accuracy import IMPROVEMENT_PERCENT, SOURCE
from benchmarks.report.scatter import Dot, scatter


def blocks(rows: Sequence[Row], errors: Mapping[tuple[str, str], str], prefix: str) -> list[Block]:
    """Return the table and the picture of speed against accuracy, with the published figures beside the measured.

    Only depth at the network's size over gRPC is compared, of the photo that most networks were measured with.

    Args:
        rows: of one machine, one round.
        errors: the exported formats' errors against PyTorch, see :func:`benchmarks.report.errors_table.export_errors`.
        prefix: the beginning of the picture's name.
    """
    made: list[Block] = [Heading(3, "Speed against accuracy, and published figures")]
    groups = comparable(rows)
    if not groups:
        return [*made, Paragraph("*Networks and formats compared*: not measured here.")]
    lines, dots = [], []
    formats = list(dict.fromkeys(group[0].format for group in groups))
    for group in groups:
        row = group[0]
        peak = max(each.photos_per_second for each in group)
        alone = next((each.p50_ms for each in group if load_of(each) == 1), None)
        improvement = IMPROVEMENT_PERCENT.get(row.model)
        published = RTX_3090_FRAMES_PER_SECOND.get(row.model)
        lines.append(
            [
                row.model,
                row.format,
                row.network_size,
                f"{peak:.1f}",
                "" if alone is None else f"{alone:.0f}",
                errors.get((row.model, row.format), ""),
                "" if improvement is None else f"{improvement:+d} %",
                "" if published is None else f"{published:g}",
            ]
        )
        if improvement is not None:
            dots.append(Dot(row.model, formats.index(row.format), peak, improvement))
    what = ("network", "format", "network's size", "highest photos/s", "p50 ms, 1 at a time", "error against PyTorch")
    head = (*what, "MiDaS: improvement", "MiDaS: frames/s, RTX 3090")
    made += [
        Paragraph(
            f"Photos of {groups[0][0].photo} in, depth at the network's size out, over gRPC, measured here; the "
            "columns that begin with MiDaS are published figures."
        ),
        Table(head, lines, words=2),
        Bullets(
            [
                "error against PyTorch: ||depth - PyTorch's|| / ||PyTorch's|| of the exported file, measured when "
                "it was exported ([docs/export_report.md](export_report.md)). Weights matter to it."
                if errors
                else "error against PyTorch: left out, there is no report of the export's errors.",
                f"MiDaS: improvement: [published]({SOURCE}) reduction of the zero-shot error against dpt_large_384, "
                "mean over six data sets, larger is better; of the official PyTorch weights. None is published for "
                "midas_tiny_256, which is [not a MiDaS checkpoint](midas_tiny_256.md).",
                f"MiDaS: frames/s, RTX 3090: [published]({RTX_3090_SOURCE}), the network alone in PyTorch, without "
                "decoding and serving.",
                f"A published MiDaS service needs {T4_SERVICE.seconds_a_photo:g} s for a photo of {T4_SERVICE.photo} "
                f"on a {T4_SERVICE.machine}, that is {1 / T4_SERVICE.seconds_a_photo:.2f} photos a second.",
            ]
        ),
    ]
    if len({dot.label for dot in dots}) > 1:
        upwards = "published improvement over dpt_large_384 in %, larger is better"
        title = f"Speed against accuracy, {groups[0][0].photo}"
        across = "highest photos a second (logarithmic)"
        made.append(
            Pictures([scatter(f"{prefix}-accuracy", title, dots, series=formats, across=across, upwards=upwards)])
        )
    return made


def comparable(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the closed loops by network and format of one photo: the one that most of them were measured with."""
    groups = [
        group
        for group in by_setting([row for row in rows if isinstance(row.load, Closed)])
        if (group[0].target, group[0].protocol, group[0].result) == ("ensemble", "grpc", "network")
    ]
    photos = [group[0].photo for group in groups]
    return [group for group in groups if group[0].photo == max(photos, key=photos.count)]
