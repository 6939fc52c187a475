"""Where and with what a record was measured."""

from collections.abc import Sequence

from benchmarks.record import Entry, Record
from benchmarks.report.blocks import Block, Bullets


def blocks(record: Record, commands: Sequence[str]) -> list[Block]:
    """Return the machine, the versions, the date and the commands that repeat it."""
    machine = record.machine
    items = [
        f"Machine: {machine.processor}, {machine.cores} cores, {machine.memory_gib:g} GiB of memory, {machine.system}; "
        f"other programs used {machine.busy_percent:.0f} % of the processor just before.",
    ]
    if machine.gpu is None:
        items.append("GPU: none; everything ran on the processor.")
    else:
        facts = [f"driver {machine.gpu.driver}"]
        facts += [f"{machine.gpu.memory_mib:,} MiB"] if machine.gpu.memory_mib else []
        facts += [f"clock up to {machine.gpu.clock_mhz:,} MHz"] if machine.gpu.clock_mhz else []
        facts += [f"power limit {machine.gpu.power_limit_w:g} W"] if machine.gpu.power_limit_w else []
        facts += [f"compute capability {machine.gpu.compute}"] if machine.gpu.compute else []
        items.append(f"GPU: {machine.gpu.name}, {', '.join(facts)}.")
    items.append("Versions: " + ", ".join(f"{name} {number}" for name, number in record.versions.items()) + ".")
    repeat = ", ".join(f"`{command}`" for command in commands)
    entries: list[Entry] = [*record.rows, *record.limits, *record.peers]
    rounds = max((entry.round for entry in entries), default=1)
    several = (
        f"; figures are medians of up to {rounds} rounds, in which everything is measured in turn" if rounds > 1 else ""
    )
    items.append(f"Measured on {record.measured_at[:10]}{several}. Repeat with {repeat}.")
    untrained = sorted({row.model for row in record.rows if row.weights == "untrained"})
    if untrained:
        items.append(
            f"Untrained weights, for want of the official checkpoints there: {', '.join(untrained)}. The times are "
            "those of the trained networks."
        )
    return [Bullets(items)]
