"""How long a load is measured."""

from __future__ import annotations

import pytest

from benchmarks.measure.series import long_enough


@pytest.mark.parametrize(
    ("asked", "one", "concurrency", "seconds"),
    [
        (5.0, 0.02, 8, 5.0),  # a fast network: as asked for
        (5.0, 0.5, 1, 7.5),  # fifteen photos
        (5.0, 0.5, 8, 20.0),  # five for each of those under way
        (5.0, 1.0, 8, 30.0),  # but no longer than half a minute,
        (5.0, 10.0, 8, 60.0),  # or six photos
        (100.0, 0.5, 8, 100.0),
    ],
)
def test_a_slow_network_is_measured_for_longer(asked: float, one: float, concurrency: int, seconds: float) -> None:
    assert long_enough(asked, one, concurrency) == seconds
