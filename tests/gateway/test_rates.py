"""A caller's rate is one count, whichever worker a request comes to."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from midas_gateway.rates import Rate, Rates, read_rate
from tests.gateway import http
from tests.gateway.conftest import StartGateway


@pytest.mark.parametrize(
    ("text", "rate"),
    [("120/minute", Rate(120, 60)), ("5 / second", Rate(5, 1)), ("1000/day", Rate(1000, 86400)), ("", None)],
)
def test_a_rate_as_it_is_written(text: str, rate: Rate | None) -> None:
    assert read_rate(text) == rate


@pytest.mark.parametrize("text", ["often", "0/minute", "-1/minute", "10", "10/fortnight", "1.5/minute"])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(ValueError, match="no rate"):
        read_rate(text)


def test_workers_share_the_count(tmp_path: Path) -> None:
    clock = 1000.0
    one, other = (Rates(tmp_path / "rates.sqlite", Rate(3, 60), lambda: clock) for _ in range(2))
    assert [each.count("shop").remaining for each in (one, other, one)] == [2, 1, 0]
    refused = other.count("shop")
    assert (refused.allowed, refused.remaining, refused.wait, refused.full) == (False, 0, 20, 60)
    # Each caller has a rate of its own.
    assert one.count("another").allowed
    # A third of it comes back in a third of the time, and all of it in the whole.
    clock += 20
    assert other.count("shop").allowed
    assert not one.count("shop").allowed
    clock += 60
    assert [one.count("shop").allowed for _ in range(4)] == [True, True, True, False]


def test_a_clock_that_was_set_back_locks_nobody_out(tmp_path: Path) -> None:
    clock = 100_000.0
    rates = Rates(tmp_path / "rates.sqlite", Rate(2, 60), lambda: clock)
    rates.count("shop")
    clock = 1000.0
    assert [rates.count("shop").allowed for _ in range(3)] == [True, True, False]


def test_two_workers_let_as_many_in_as_one(start_gateway: StartGateway) -> None:
    with start_gateway("--workers", "2", "--rate", "5/day") as gateway:
        # A connection each, which the system gives to either worker.
        statuses = Counter(http.post(f"{gateway.url}/predict", data=b"").status_code for _ in range(20))
    assert statuses == {415: 5, 429: 15}
