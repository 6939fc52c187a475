"""Milliseconds that a request may wait, made into the size of the first queue."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import requests

from export.repository.scheduling import QUEUE
from midas_server.launch import Triton
from midas_server.launch.waits import (
    DEFAULT_MAX_WAIT,
    LEAST_QUEUE,
    MaxWait,
    Pace,
    RateUnknownError,
    limited,
    measure_pace,
    most_in_work,
    queue_size,
)
from tests.networks import DEFAULT
from tests.server.load import ANSWERED, FULL, Load


@pytest.mark.parametrize(
    ("rate", "milliseconds", "in_work", "size"),
    [
        (40.0, 1000, 10, 30),
        (40.0, 500, 8, 12),
        (400.0, 1000, 32, QUEUE),  # no more memory than is planned for
        (5.0, 1000, 8, LEAST_QUEUE),  # a network too slow for its wait still takes a few
        (0.5, 60_000, 10, 20),
    ],
)
def test_what_is_answered_in_time_may_wait(rate: float, milliseconds: int, in_work: int, size: int) -> None:
    assert queue_size(Pace(20.0, rate), MaxWait(milliseconds), in_work, QUEUE) == size


def test_no_time_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="0 ms is not allowed, the least is 1"):
        MaxWait(0)


@pytest.mark.parametrize(
    ("config", "photos"),
    [
        ({"instance_group": [{"count": 2}], "max_batch_size": 4}, 8),
        ({"instance_group": [{"count": 3}], "max_batch_size": 1}, 3),
        ({"instance_group": [{"kind": "KIND_CPU"}], "max_batch_size": 0}, 1),
    ],
)
def test_photos_in_work(config: dict[str, Any], photos: int) -> None:
    assert most_in_work(config) == photos


def test_only_the_queue_of_a_config_changes() -> None:
    policy = {"timeout_action": "REJECT", "max_queue_size": 32, "default_timeout_microseconds": "60000000"}
    config = {"name": "a", "dynamic_batching": {"preferred_batch_size": [8], "default_queue_policy": policy}}
    changed = limited(config, 20, MaxWait(1500))
    assert changed == {
        "name": "a",
        "dynamic_batching": {
            "preferred_batch_size": [8],
            "default_queue_policy": {
                "timeout_action": "REJECT",
                "max_queue_size": 20,
                "default_timeout_microseconds": 1_500_000,
            },
        },
    }
    assert policy["max_queue_size"] == 32


def test_a_network_slower_than_the_wait_is_for_keeps_its_queues() -> None:
    assert queue_size(Pace(101.0, 9.0), DEFAULT_MAX_WAIT, 8, QUEUE) is None
    assert queue_size(Pace(99.0, 20.0), DEFAULT_MAX_WAIT, 8, QUEUE) == 12
    assert queue_size(Pace(5000.0, 0.2), MaxWait(60_000), 2, QUEUE) == 10


def test_a_server_gives_the_first_queue_its_size(cold: Path, photo: bytes) -> None:
    with Triton(
        cold, [DEFAULT], http_port=0, grpc_port=0, metrics_port=0, exit_timeout=2, max_wait=MaxWait(500)
    ) as server:
        size = server.queue_sizes[DEFAULT]
        assert LEAST_QUEUE <= size <= QUEUE
        for step, queue in ((f"{DEFAULT}_preprocess", size), (f"{DEFAULT}_network", QUEUE), ("postprocess", QUEUE)):
            config = requests.get(f"http://{server.http_url}/v2/models/{step}/config", timeout=30).json()
            assert config["dynamic_batching"]["default_queue_policy"]["max_queue_size"] == queue
        with Load(server, DEFAULT) as load:
            crowd = 10 * size
            outcomes = load.crowd([(photo, {"output_size": "network"})] * crowd, crowd)
    assert set(Counter(outcome.status for outcome in outcomes)) == {ANSWERED, FULL}


def test_a_network_that_does_not_answer_is_named(triton: Triton) -> None:
    with pytest.raises(RateUnknownError, match="unknown model"):
        measure_pace(triton.http_url, "midas_v0_nothing")


def test_a_slow_network_is_not_put_under_load(triton: Triton) -> None:
    pace = measure_pace(triton.http_url, DEFAULT, slowest_ms=0.001)
    assert pace.rate == 1000 / pace.one_ms
