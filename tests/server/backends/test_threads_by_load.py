"""An instance of a network computes with all threads while it is alone at work, and with its share while others are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from midas_server.at_work import AtWork
from midas_server.backends.pieces import Arrays, Opened
from midas_server.backends.threads_by_load import ByLoad, share_of_cores, threads_by_load
from midas_server.launch.leftovers import own_prefix
from midas_server.launch.shared_memory import FOLDER
from midas_server.shared_bytes import PREFIX_VARIABLE
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


def at_work(step: str, number: int) -> AtWork:
    return AtWork("network", args(step, number))


def args(step: str, number: int) -> dict[str, str]:
    return {"model_name": step, "model_instance_name": f"{step}_0_{number}"}


@pytest.fixture
def shared_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for the folder that the launcher names to the steps of a server with four cores."""
    monkeypatch.setattr("midas_server.backends.threads_by_load.cores", lambda: 4)
    monkeypatch.setattr("midas_server.backends.threads_by_load.fewer_cores", lambda: None)
    monkeypatch.setenv(PREFIX_VARIABLE, f"{tmp_path}/busy_")
    return tmp_path


def test_an_error_ends_the_work(shared_memory: Path) -> None:
    def fails(feeds: Arrays) -> Arrays:
        raise ValueError

    first, second = at_work("network", 0), at_work("network", 1)
    network = Opened(fails, None)
    with pytest.raises(ValueError):
        ByLoad(network, network, first, warm_up=0)({})
    with second.now():
        assert second.alone()


@pytest.mark.parametrize("fewer", [None, 4])
@pytest.mark.parametrize("other", ["network", "preprocess"])
def test_threads_follow_the_load(
    shared_memory: Path, monkeypatch: pytest.MonkeyPatch, fewer: int | None, other: str
) -> None:
    monkeypatch.setattr("midas_server.backends.threads_by_load.fewer_cores", lambda: fewer)
    config = {"name": "network", "instance_group": [{"count": 2}], "model_warmup": [{}]}
    calls: list[int | None] = []

    def opened(threads: int | None) -> Opened:
        def compute(feeds: Arrays) -> Arrays:
            calls.append(threads)
            return feeds

        return Opened(compute, None)

    compute = threads_by_load(args("network", 1), config, PARAMETER, opened)
    compute({})  # Triton's warm-up
    assert calls == [2, fewer]
    compute({})
    assert calls[2:] == [fewer]
    with at_work(other, 0).now():
        compute({})
    assert calls[3:] == [2]
    compute({})
    assert calls[4:] == [fewer]


def test_each_piece_of_a_batch_takes_the_threads_that_are_right_then(shared_memory: Path) -> None:
    pieces: list[tuple[int, list[int]]] = []
    decoding = at_work("preprocess", 0)

    def opened(threads: int | None) -> Opened:
        def compute(feeds: Arrays) -> Arrays:
            pieces.append((threads or 4, feeds["x"].tolist()))
            if len(pieces) == 1:
                beginning.__enter__()  # a photo comes while the first piece is computed
            if len(pieces) == 3:
                beginning.__exit__(None, None, None)  # and is decoded while the third is
            return feeds

        return Opened(compute, threads or 4)

    beginning = decoding.now()
    config = {"name": "network", "instance_group": [{"count": 2}]}
    compute = threads_by_load(args("network", 0), config, PARAMETER, opened)
    batch = np.arange(11)
    np.testing.assert_array_equal(compute({"x": batch})["x"], batch)
    assert pieces == [(4, [0, 1, 2, 3]), (2, [4, 5]), (2, [6, 7]), (4, [8, 9, 10])]


def test_in_a_real_server(cold: Path) -> None:
    def files() -> set[Path]:
        return set(FOLDER.glob(f"{own_prefix()}*busy_{DEFAULT}_network"))

    others = files()  # of the servers that other tests share
    with own_server(cold, [DEFAULT]) as server:
        (file,) = files() - others
        steps = psutil.Process(server.pid).children()
        at_work = [s for s in steps if any(mapped.path == str(file) for mapped in s.memory_maps())]
        assert len(at_work) == 4, "the instances of the network and of its preprocess"
    assert not file.exists()
