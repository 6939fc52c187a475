"""The networks alone on their device, beside the published speed."""

from collections.abc import Sequence

from benchmarks.record import NetworkRow
from benchmarks.report.published import RTX_3090_FRAMES_PER_SECOND
from reports.tables import Table


def networks_table(rows: Sequence[NetworkRow]) -> Table:
    """Return a line for each network, runtime and precision: one image, and the batch with most images a second."""
    groups: dict[tuple[str, str, str, str], list[NetworkRow]] = {}
    for row in rows:
        groups.setdefault((row.model, row.runtime, row.precision, row.device), []).append(row)
    lines = []
    for (model, runtime, precision, device), group in sorted(groups.items()):
        one = next((row for row in group if row.batch == 1), None)
        best = max(group, key=lambda row: row.images_per_second)
        published = RTX_3090_FRAMES_PER_SECOND.get(model)
        lines.append(
            [
                model,
                f"{runtime} {precision}",
                device,
                best.network_size,
                "" if one is None else f"{one.ms:.2f}",
                "" if one is None else f"{one.images_per_second:.1f}",
                f"{best.images_per_second:.1f}",
                str(best.batch),
                "" if best.memory_mb is None else f"{best.memory_mb:,.0f}",
                "" if best.gpu_clock_mhz is None else f"{best.gpu_clock_mhz:,.0f}",
                "" if best.gpu_power_w is None else f"{best.gpu_power_w:.0f}",
                "" if published is None else f"{published:g}",
            ]
        )
    head = ("network", "runtime", "device", "size", "one image: ms", "images/s", "most images/s", "in batches of")
    return Table((*head, "memory MB", "clock MHz", "power W", "MiDaS: frames/s, RTX 3090"), lines, words=3)
