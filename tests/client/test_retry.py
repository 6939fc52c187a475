"""When a call is tried again."""

import contextlib
import random
import time
from email.utils import formatdate

import pytest

from midas_client import (
    AnswerError,
    ConnectError,
    ConnectionLostError,
    DeadlineExceededError,
    InvalidRequestError,
    MidasClientError,
    ModelNotFoundError,
    PhotoError,
    ServerBusyError,
    ServerError,
    StepRestartingError,
    Timeout,
)
from midas_client._retry import BUDGET, DEFAULT_RETRIES, FIRST_PAUSE, LONGEST_PAUSE, Attempts, RetryBudget
from midas_client._transports.http_messages import retry_after


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def longest(_: float, high: float) -> float:
    return high


def test_pauses_double_up_to_the_cap() -> None:
    attempts = Attempts(Timeout(), 6, None, Clock(), longest)
    pauses = [attempts.pause_after(ServerBusyError("busy")) for _ in range(6)]
    assert pauses == [0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_jitter_is_full() -> None:
    bounds: list[tuple[float, float]] = []

    def record(low: float, high: float) -> float:
        bounds.append((low, high))
        return low

    assert Attempts(Timeout(), 1, None, Clock(), record).pause_after(ServerBusyError("busy")) == 0.0
    assert bounds == [(0.0, FIRST_PAUSE)]


def asked_to_wait(seconds: float) -> ServerBusyError:
    busy = ServerBusyError("busy")
    busy.retry_after = seconds
    return busy


def test_the_servers_word_is_obeyed_and_clients_still_come_back_apart() -> None:
    pauses = [Attempts(Timeout(), 6, None, Clock()).pause_after(asked_to_wait(3.0)) for _ in range(20)]
    assert all(3.0 <= pause <= 3.0 + FIRST_PAUSE for pause in pauses)
    assert len(set(pauses)) == 20


def test_a_wait_beyond_the_total_is_not_begun() -> None:
    busy = asked_to_wait(60.0)
    with pytest.raises(ServerBusyError) as raised:
        Attempts(Timeout(total=30), 6, None, Clock()).pause_after(busy)
    assert raised.value.retry_after == 60.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("2", 2.0), (" 0 ", 0.0), ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0), (None, None), ("soon", None), ("-1", None)],
)
def test_retry_after_header(header: str | None, seconds: float | None) -> None:
    assert retry_after(header) == seconds


def test_retry_after_a_date() -> None:
    asked = retry_after(formatdate(time.time() + 100, usegmt=True))
    assert asked is not None
    assert 0 < asked <= 100


def test_average_pauses_outlast_the_replacement_of_a_step() -> None:
    bounds = [min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**i) for i in range(DEFAULT_RETRIES)]
    assert sum(bounds) / 2 > 3.0


@pytest.mark.parametrize(
    ("retries", "timeout", "seconds", "share"),
    [(6, Timeout(), 1.4, 0.98), (16, Timeout(total=60, connect=20), 7.0, 0.998)],
)
def test_how_long_a_server_that_is_away_is_waited_for(
    retries: int, timeout: Timeout, seconds: float, share: float
) -> None:
    """What docs/client.md says of a server that starts again, where every attempt is refused at once."""
    generator = random.Random(1)  # noqa: S311 - not for secrets
    outlasted = 0
    for _ in range(2000):
        clock = Clock()
        attempts = Attempts(timeout, retries, None, clock, generator.uniform)
        with contextlib.suppress(ConnectError):
            while True:
                clock.now += attempts.pause_after(ConnectError("refused"))
        outlasted += seconds <= clock.now - 1000.0 <= timeout.connect
    assert outlasted >= share * 2000


def test_retries_are_counted() -> None:
    attempts = Attempts(Timeout(), 2, None, Clock(), longest)
    error = ServerBusyError("busy")
    attempts.pause_after(error)
    attempts.pause_after(error)
    with pytest.raises(ServerBusyError) as caught:
        attempts.pause_after(error)
    assert caught.value is error


@pytest.mark.parametrize("kind", [ServerBusyError, StepRestartingError, ConnectError, ConnectionLostError])
def test_what_passes_is_tried_again(kind: type[MidasClientError]) -> None:
    assert Attempts(Timeout(), 1, None, Clock(), longest).pause_after(kind("passes")) > 0


@pytest.mark.parametrize(
    "kind",
    [InvalidRequestError, ModelNotFoundError, ServerError, DeadlineExceededError, AnswerError, PhotoError],
)
def test_what_stays_is_final(kind: type[MidasClientError]) -> None:
    with pytest.raises(kind):
        Attempts(Timeout(), 6, None, Clock(), longest).pause_after(kind("stays"))


def test_no_pause_past_the_total() -> None:
    clock = Clock()
    attempts = Attempts(Timeout(total=3), 9, None, clock, longest)
    clock.now += 2.9
    with pytest.raises(ServerBusyError):
        attempts.pause_after(ServerBusyError("busy"))


def test_no_connection_is_retried_within_the_connect_timeout_only() -> None:
    clock = Clock()
    attempts = Attempts(Timeout(total=30, connect=5), 9, None, clock, longest)
    clock.now += 5.0
    with pytest.raises(ConnectError):
        attempts.pause_after(ConnectError("timed out"))
    assert attempts.pause_after(ConnectionLostError("reset")) > 0


def test_remaining() -> None:
    clock = Clock()
    attempts = Attempts(Timeout(total=3), 0, None, clock)
    clock.now += 1
    assert attempts.remaining() == pytest.approx(2)
    clock.now += 2
    with pytest.raises(DeadlineExceededError, match="3 s"):
        attempts.remaining()


def test_a_pause_that_outlasts_the_total_ends_in_the_error_before_it() -> None:
    """On a busy machine a sleep takes longer than it should; that the time has passed is not what went wrong."""
    clock = Clock()
    attempts = Attempts(Timeout(total=3), 2, None, clock)
    clock.now += attempts.pause_after(ServerBusyError("busy")) + 3
    with pytest.raises(ServerBusyError):
        attempts.remaining()


def test_budget_is_shared_by_the_calls_of_a_client_and_fills_again() -> None:
    clock = Clock()
    budget = RetryBudget(clock)
    error = ServerBusyError("busy")
    for _ in range(int(BUDGET)):
        Attempts(Timeout(), 6, budget, clock, longest).pause_after(error)
    with pytest.raises(ServerBusyError):
        Attempts(Timeout(), 6, budget, clock, longest).pause_after(error)
    clock.now += 0.2  # two more
    for _ in range(2):
        Attempts(Timeout(), 6, budget, clock, longest).pause_after(error)
    with pytest.raises(ServerBusyError):
        Attempts(Timeout(), 6, budget, clock, longest).pause_after(error)
    for _ in range(5):
        Attempts(Timeout(), 6, budget, clock, longest).succeeded()
    Attempts(Timeout(), 6, budget, clock, longest).pause_after(error)
