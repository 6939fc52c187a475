"""What the installation takes: memory, descriptors, threads, shared memory, disk."""

import shutil
from collections import Counter, defaultdict
from contextlib import suppress
from typing import Any

import psutil

from benchmarks.soak.installation import Installation, role


def sample(installation: Installation) -> dict[str, Any]:
    """By role: private megabytes, descriptors, threads and processes; and megabytes in use of the file systems.

    The file systems are left out where they are not the installation's own.
    """
    megabytes: defaultdict[str, float] = defaultdict(float)
    descriptors: Counter[str] = Counter()
    threads: Counter[str] = Counter()
    processes: Counter[str] = Counter()
    for part in (installation.server, installation.web):
        for each in part.processes():
            what = role(each)
            with suppress(psutil.Error):
                if what != "ended":
                    memory = each.memory_info()
                    megabytes[what] += (memory.rss - memory.shared) / 1e6
                    descriptors[what] += each.num_fds()
                    threads[what] += each.num_threads()
                processes[what] += 1
    found: dict[str, Any] = {
        "megabytes": {what: round(value, 1) for what, value in megabytes.items()},
        "descriptors": descriptors,
        "threads": threads,
        "processes": processes,
    }
    if installation.isolated:
        with suppress(OSError):  # it is being started again
            found["shm_mb"] = round(shutil.disk_usage(installation.shm()).used / 1e6, 1)
            found["disk_mb"] = round(shutil.disk_usage(installation.disk()).used / 1e6, 1)
    return found
