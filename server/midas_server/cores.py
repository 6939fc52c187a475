"""How many cores this process may use: those that it may run on, and no more than its control group's share of time.

A container with `cpus: 2` runs on every core of its machine, for a fifth of the time where there are ten. Runtimes
count the cores and start a thread for each. Together these use up the time early, and then all stand still.
"""

import os
from collections.abc import Iterator
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


def cores(groups: Path = _GROUPS, membership: Path = _MEMBERSHIP) -> int:
    """The cores that this process may use, at least 1.

    Args:
        groups: where the control groups are mounted, of version 1 or 2.
        membership: which of them this process is in.
    """
    shares = list(_shares(groups, membership))
    return max(1, int(min([*shares, float(machine_cores())])))


def machine_cores() -> int:
    """The cores that a runtime counts, which knows nothing of control groups."""
    return len(os.sched_getaffinity(0))


def fewer_cores() -> int | None:
    """`cores()` where they are fewer than a runtime counts, else None."""
    own = cores()
    return own if own < machine_cores() else None


def _shares(groups: Path, membership: Path) -> Iterator[float]:
    """The cores' worth of time of each group that limits this process: its own, and those around it."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number == "0":
            mount = groups
        elif "cpu" in controllers.split(","):
            mount = groups / "cpu"
        else:
            continue
        group = mount / path.strip("/")
        # A container without a namespace for its groups sees its own group as the mount, and the machine's path to it.
        for folder in (group, *group.parents):
            if folder.is_relative_to(mount):
                yield from _share(folder)


def _share(folder: Path) -> Iterator[float]:
    try:
        if (folder / "cpu.max").is_file():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text()
            period = (folder / "cpu.cfs_period_us").read_text()
        if quota != "max" and int(quota) > 0:
            yield int(quota) / int(period)
    except (OSError, ValueError):
        return
