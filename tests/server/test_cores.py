"""The cores that a process may use: its machine's, and no more than its control groups give it time for."""

import os
from pathlib import Path

import pytest

from midas_server.cores import cores, fewer_cores, machine_cores


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 16 cores, whatever this one has."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)))


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        ("0::/", {}, 16),
        ("0::/", {"cpu.max": "max 100000"}, 16),
        ("0::/", {"cpu.max": "400000 100000"}, 4),
        ("0::/", {"cpu.max": "250000 100000"}, 2),  # a third thread would stand still half of the time
        ("0::/", {"cpu.max": "50000 100000"}, 1),
        ("0::/", {"cpu.max": "9900000 100000"}, 16),
        # the narrowest of the groups around it, as a service of systemd has them
        ("0::/a/b", {"a/cpu.max": "300000 100000", "a/b/cpu.max": "800000 100000"}, 3),
        ("0::/a/b", {"a/b/cpu.max": "max 100000"}, 16),
        # version 1, and a container that sees its own group as the mount and the machine's path to it
        ("3:cpuset:/\n4:cpu,cpuacct:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 16),
        ("4:cpu,cpuacct:/pods/x", {"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}, 2),
        ("4:cpu:/x", {"cpu/x/cpu.cfs_quota_us": "600000", "cpu/x/cpu.cfs_period_us": "100000"}, 6),
        # version 2 beside version 1
        ("1:cpu:/\n0::/", {"cpu/cpu.cfs_quota_us": "500000", "cpu/cpu.cfs_period_us": "100000"}, 5),
        ("0::/", {"cpu.max": "what is this"}, 16),
    ],
)
def test_what_the_control_groups_say(tmp_path: Path, membership: str, files: dict[str, str], expected: int) -> None:
    (tmp_path / "membership").write_text(f"{membership}\n")
    for name, text in files.items():
        file = tmp_path / "groups" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
    assert cores(tmp_path / "groups", tmp_path / "membership") == expected


def test_without_control_groups_it_is_the_machines(tmp_path: Path) -> None:
    assert cores(tmp_path, tmp_path / "nothing") == 16 == machine_cores()


def test_fewer_is_told_only_where_it_is_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("midas_server.cores.cores", lambda: 16)
    assert fewer_cores() is None
    monkeypatch.setattr("midas_server.cores.cores", lambda: 3)
    assert fewer_cores() == 3
