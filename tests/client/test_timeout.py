"""Timeouts are finite."""

import math
from typing import Any

import pytest

from midas_client import DepthClient, OptionError, Timeout
from midas_client._timeout import as_timeout


def test_defaults() -> None:
    assert Timeout() == Timeout(total=30.0, connect=5.0)


def test_a_number_is_the_total() -> None:
    assert as_timeout(7) == Timeout(total=7, connect=5.0)
    assert as_timeout(Timeout(1, 2)) == Timeout(1, 2)


@pytest.mark.parametrize("seconds", [0, -1, 1e20, math.inf, math.nan, None, "3", True])
def test_not_a_timeout(seconds: Any) -> None:
    for wrong in ({"total": seconds}, {"connect": seconds}):
        with pytest.raises(OptionError, match="finite number of seconds above 0"):
            Timeout(**wrong)
    with pytest.raises(OptionError):
        DepthClient(timeout=seconds)
