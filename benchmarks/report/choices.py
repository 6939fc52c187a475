"""What auto chose on a machine, beside the builds that were served there."""

from collections.abc import Sequence

from benchmarks.record import Choice, Closed, Row
from reports.tables import Table


def choices_table(choices: Sequence[Choice], rows: Sequence[Row]) -> Table:
    """Return a line for each choice: what was chosen, and how its build did beside the fastest one when served.

    Args:
        choices: what auto chose.
        rows: what was measured of servers; closed loops of photos that come back at the network's size count.
    """
    lines = []
    for choice in choices:
        served = _served(choice, rows)
        best = max(served, key=lambda build: served[build], default="")
        mine = served.get(choice.build)
        instances = f"{choice.instances} instance{'s' if choice.instances > 1 else ''}"
        batch = f"up to {choice.max_batch_size} photos" if choice.max_batch_size > 1 else "one photo"
        lines.append(
            [
                choice.model,
                choice.goal,
                f"{choice.build}, {instances}, {batch} at a time",
                f"{choice.error:.1e}",
                _figure(choice.goal, choice.speed),
                best,
                _figure(choice.goal, served[best]) if best else "",
                "" if mine is None else _figure(choice.goal, mine),
                "" if mine is None else f"**{mine / served[best]:.2f}**",
            ]
        )
    head = ("network", "goal", "auto chose", "error", "by auto's own measuring", "fastest when served", "its figure")
    return Table((*head, "of the chosen build", "chosen / fastest"), lines, words=3)


def _served(choice: Choice, rows: Sequence[Row]) -> dict[str, float]:
    """The speed of each build of the network when served; the larger, the better."""
    found: dict[str, float] = {}
    for row in rows:
        if not isinstance(row.load, Closed) or (row.model, row.target, row.result, row.protocol) != (
            choice.model,
            "ensemble",
            "network",
            "grpc",
        ):
            continue
        if choice.goal == "throughput":
            found[row.build] = max(found.get(row.build, 0.0), row.photos_per_second)
        elif row.load.concurrency == 1:
            found[row.build] = 1000 / row.p50_ms
    return found


def _figure(goal: str, speed: float) -> str:
    return f"{speed:.1f} photos/s" if goal == "throughput" else f"{1000 / speed:.1f} ms"
