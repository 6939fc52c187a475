"""Processes that work for a network see each other do so."""

from __future__ import annotations

from pathlib import Path

import pytest

from midas_server.at_work import AtWork
from midas_server.shared_bytes import PREFIX_VARIABLE


@pytest.fixture(autouse=True)
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX_VARIABLE, f"{tmp_path}/busy_")


def at_work(instance: str, network: str = "a_network") -> AtWork:
    step, _, _ = instance.rsplit("_", 2)
    return AtWork(network, {"model_name": step, "model_instance_name": instance})


@pytest.mark.parametrize("other", ["a_network_0_1", "a_preprocess_0_0", "a_preprocess_0_1"])
def test_each_sees_the_other(other: str) -> None:
    first, second = at_work("a_network_0_0"), at_work(other)
    with first.now():
        assert first.alone()
        with second.now():
            assert not first.alone()
            assert not second.alone()
        assert first.alone()
    with second.now():
        assert second.alone()


def test_other_networks_do_not_count() -> None:
    first, other = at_work("a_network_0_0"), at_work("b_network_0_0", network="b_network")
    with first.now(), other.now():
        assert first.alone()


def test_one_that_died_is_forgotten_when_it_is_replaced() -> None:
    dead, other = at_work("a_network_0_0"), at_work("a_network_0_1")
    unfinished = dead.now()
    unfinished.__enter__()
    with other.now():
        assert not other.alone()
        at_work("a_network_0_0")
        assert other.alone()


def test_without_a_launcher_each_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PREFIX_VARIABLE)
    first, second = at_work("a_network_0_0"), at_work("a_network_0_1")
    with first.now(), second.now():
        assert first.alone()
