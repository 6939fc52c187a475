"""An instance of a network computes with all threads while it is alone, and with its share while others compute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import pytest

from midas_server.backends.threads_by_load import (
    PREFIX_VARIABLE,
    Arrays,
    ByLoad,
    Neighbours,
    share_of_cores,
    threads_by_load,
)
from midas_server.launch.leftovers import own_prefix
from midas_server.launch.shared_memory import FOLDER
from tests.networks import DEFAULT
from tests.own_server import own_server

PARAMETER = "intra_op_thread_count"


@pytest.mark.parametrize(
    ("cores", "fewer", "instances", "asked", "share"),
    [
        (2, None, 2, None, 1),
        (16, None, 2, None, 8),
        (16, None, 3, "0", 5),
        (2, None, 4, None, 1),
        (16, None, 1, None, None),
        (1, None, 2, None, None),
        (16, None, 2, "4", None),
        # a container's limit
        (16, 4, 2, None, 2),
        (16, 4, 1, None, 4),
        (16, 1, 2, None, 1),
        (16, 4, 2, "8", None),
    ],
)
def test_the_share_of_the_cores(
    cores: int,
    fewer: int | None,
    instances: int,
    asked: str | None,
    share: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("midas_server.backends.threads_by_load.cores", lambda: fewer or cores)
    monkeypatch.setattr("midas_server.backends.threads_by_load.fewer_cores", lambda: fewer)
    config: dict[str, Any] = {"instance_group": [{"count": instances}]}
    if asked is not None:
        config["parameters"] = {PARAMETER: {"string_value": asked}}
    assert share_of_cores(config, PARAMETER) == share


def test_instances_see_each_other_compute(tmp_path: Path) -> None:
    first, second = Neighbours(tmp_path / "busy", 0), Neighbours(tmp_path / "busy", 1)
    with first.computing() as alone:
        assert alone
        with second.computing() as alone_too:
            assert not alone_too
    with second.computing() as alone:
        assert alone


def test_an_instance_that_died_is_forgotten_when_it_is_replaced(tmp_path: Path) -> None:
    dead, other = Neighbours(tmp_path / "busy", 0), Neighbours(tmp_path / "busy", 1)
    unfinished = dead.computing()
    unfinished.__enter__()
    with other.computing() as alone:
        assert not alone
    Neighbours(tmp_path / "busy", 0)
    with other.computing() as alone:
        assert alone


def test_an_error_ends_the_computation(tmp_path: Path) -> None:
    def fails(feeds: Arrays) -> Arrays:
        raise ValueError

    first, second = Neighbours(tmp_path / "busy", 0), Neighbours(tmp_path / "busy", 1)
    with pytest.raises(ValueError):
        ByLoad(fails, fails, first, warm_up=0)({})
    with second.computing() as alone:
        assert alone


@pytest.mark.parametrize("fewer", [None, 4])
def test_threads_follow_the_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fewer: int | None) -> None:
    monkeypatch.setattr("midas_server.backends.threads_by_load.cores", lambda: 4)
    monkeypatch.setattr("midas_server.backends.threads_by_load.fewer_cores", lambda: fewer)
    monkeypatch.setenv(PREFIX_VARIABLE, f"{tmp_path}/busy_")
    config = {"name": "network", "instance_group": [{"count": 2}], "model_warmup": [{}]}
    calls: list[int | None] = []

    def opened(threads: int | None) -> Any:
        def compute(feeds: Arrays) -> Arrays:
            calls.append(threads)
            return feeds

        return compute

    compute = threads_by_load({"model_instance_name": "network_0_1"}, config, PARAMETER, opened)
    compute({})  # Triton's warm-up
    assert calls == [2, fewer]
    compute({})
    assert calls[2:] == [fewer]
    with Neighbours(tmp_path / "busy_network", 0).computing():
        compute({})
    assert calls[3:] == [2]


def test_in_a_real_server(cold: Path) -> None:
    def files() -> set[Path]:
        return set(FOLDER.glob(f"{own_prefix()}*busy_{DEFAULT}_network"))

    others = files()  # of the servers that other tests share
    with own_server(cold, [DEFAULT]) as server:
        (file,) = files() - others
        steps = psutil.Process(server.pid).children()
        assert sum(any(mapped.path == str(file) for mapped in step.memory_maps()) for step in steps) == 2
    assert not file.exists()
