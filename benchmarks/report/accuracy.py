"""Speed against accuracy: what a faster network or build costs in depth."""

from collections.abc import Mapping, Sequence

from benchmarks.record import Closed, Row
from benchmarks.report.figures import by_setting, load_of
from benchmarks.report.published import RTX_3090_FRAMES_PER_SECOND
from reports.plots.points import Dot, points
from reports.plots.sheet import Picture
from reports.published import IMPROVEMENT_PERCENT
from reports.tables import Table


def comparable(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the closed loops by network and build of one photo: the one that most of them were measured with.

    Only depth at the network's size over gRPC is compared.
    """
    groups = [
        group
        for group in by_setting([row for row in rows if isinstance(row.load, Closed)])
        if (group[0].target, group[0].protocol, group[0].result) == ("ensemble", "grpc", "network")
    ]
    photos = [group[0].photo for group in groups]
    return [group for group in groups if group[0].photo == max(photos, key=photos.count)]


def accuracy_table(groups: Sequence[Sequence[Row]], errors: Mapping[tuple[str, str], str]) -> Table:
    """Return each network's speed, measured, beside its published accuracy and speed.

    Args:
        groups: of `comparable`.
        errors: the exported builds' errors against PyTorch, by network and build.
    """
    lines = []
    for group in groups:
        row = group[0]
        alone = next((each.p50_ms for each in group if load_of(each) == 1), None)
        improvement = IMPROVEMENT_PERCENT.get(row.model)
        published = RTX_3090_FRAMES_PER_SECOND.get(row.model)
        lines.append(
            [
                row.model,
                row.build,
                row.network_size,
                f"{_peak(group):.1f}",
                "" if alone is None else f"{alone:.0f}",
                errors.get((row.model, row.build), ""),
                "" if improvement is None else f"{improvement:+d} %",
                "" if published is None else f"{published:g}",
            ]
        )
    what = ("network", "build", "network's size", "highest photos/s", "p50 ms, 1 at a time", "error against PyTorch")
    return Table((*what, "MiDaS: improvement", "MiDaS: frames/s, RTX 3090"), lines, words=2)


def accuracy_pictures(groups: Sequence[Sequence[Row]], prefix: str) -> list[Picture]:
    """Return the same as a picture where there is more than one network with a published accuracy."""
    rated = [group for group in groups if group[0].model in IMPROVEMENT_PERCENT]
    builds = list(dict.fromkeys(group[0].build for group in rated))
    dots = [
        Dot(group[0].model, builds.index(group[0].build), _peak(group), IMPROVEMENT_PERCENT[group[0].model])
        for group in rated
    ]
    if len({dot.label for dot in dots}) < 2:
        return []
    chart = points(
        f"Speed against accuracy, {groups[0][0].photo}",
        dots,
        series=builds,
        across="highest photos a second (logarithmic)",
        upwards="published improvement over dpt_large_384 in %, larger is better",
    )
    return [chart.picture(f"{prefix}-accuracy")]


def _peak(group: Sequence[Row]) -> float:
    return max(row.photos_per_second for row in group)
