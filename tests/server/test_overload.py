"""More work than the server can do: what does not fit is refused at once, and what is served is served as before."""

import re
import statistics
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from midas_server.launch import Triton
from tests.networks import DEFAULT
from tests.server.load import ANSWERED, FULL, Load, Outcome

AT_ONCE = 16
BURST = 10 * AT_ONCE
SMALL = {"output_size": "network"}
# About three and twenty-five times the work of a photo at the default resolution.
HEAVY = {"output_size": "network", "resolution": 448, "aspect": "square"}
HEAVIER = {**HEAVY, "resolution": 1280}


def burst(load: Load, photo: bytes) -> list[Outcome]:
    """Everything at once; each request is answered, or refused because a queue is full, and none gets stuck."""
    outcomes = load.crowd([(photo, SMALL)] * BURST, BURST)
    counts = Counter(outcome.status for outcome in outcomes)
    assert set(counts) == {ANSWERED, FULL}, counts
    assert all("maximum queue size" in each.message for each in outcomes if each.status == FULL)
    # at least what the queues of preprocess and network hold
    assert counts[ANSWERED] >= AT_ONCE
    return outcomes


def test_a_tenfold_burst_is_refused_beyond_the_queues(triton: Triton, photo: bytes) -> None:
    with Load(triton, DEFAULT) as load:
        outcomes = burst(load, photo)
        assert {outcome.status for outcome in load.crowd([(photo, SMALL)] * AT_ONCE, AT_ONCE)} == {ANSWERED}
    refusals = [outcome.seconds for outcome in outcomes if outcome.status == FULL]
    answers = [outcome.seconds for outcome in outcomes if outcome.status == ANSWERED]
    assert statistics.median(refusals) < statistics.median(answers)


@pytest.mark.long
def test_full_speed_again_within_two_seconds(triton: Triton, photo: bytes) -> None:
    """Three bursts; the photos a second just before the first, and after each, two seconds later."""

    def speed() -> float:
        started = time.monotonic()
        assert {outcome.status for outcome in load.crowd([(photo, SMALL)] * 64, 8)} == {ANSWERED}
        return 64 / (time.monotonic() - started)

    with Load(triton, DEFAULT) as load:
        speed()
        before = statistics.median(speed() for _ in range(3))
        for _ in range(3):
            outcomes = burst(load, photo)
            time.sleep(2)
            after = statistics.median(speed() for _ in range(3))
            refusals = sorted(outcome.seconds for outcome in outcomes if outcome.status == FULL)
            print(
                f"{Counter(outcome.status for outcome in outcomes)}; refused after {statistics.median(refusals):.3f} s "
                f"(median), {refusals[-1]:.3f} s (longest); {before:.1f} photos a second before, {after:.1f} after"
            )
            assert after > 0.7 * before


def until(state: Callable[[], bool], what: str) -> None:
    limit = time.monotonic() + 30
    while not state():
        assert time.monotonic() < limit, f"not within 30 s: {what}"


def waiting(server: Triton, model: str) -> float:
    """How many photos stand in the queues of preprocess and network now: where the machine is busy, in the first."""
    page = requests.get(f"http://{server.metrics_url}/metrics", timeout=10).text
    queue = rf'^nv_inference_pending_request_count{{model="{model}_(?:preprocess|network)".*}} (\S+)$'
    found = re.findall(queue, page, re.MULTILINE)
    assert len(found) == 2, page
    return sum(map(float, found))


def test_who_waits_beyond_his_deadline_is_refused_and_costs_nothing(triton: Triton, photo: bytes) -> None:
    with Load(triton, DEFAULT) as load, ThreadPoolExecutor(30) as pool:
        done = load.counts(f"{DEFAULT}_network")[0]
        # The first of these run alone, the others wait behind them.
        busy = [pool.submit(load.send, photo, HEAVY) for _ in range(30)]
        until(lambda: waiting(triton, DEFAULT) >= 8, "they wait")
        late = load.send(photo, SMALL, deadline=0.05)
        heavy = [each.result() for each in busy]
        assert {outcome.status for outcome in heavy} == {ANSWERED}
        assert late.status == "UNAVAILABLE"
        assert "timeout expired" in late.message
        assert late.seconds < max(outcome.seconds for outcome in heavy)
        until(lambda: load.counts(f"{DEFAULT}_network")[0] - done >= len(heavy), "they are counted")
        assert load.counts(f"{DEFAULT}_network")[0] - done == len(heavy)


def test_a_request_cancelled_in_one_step_does_not_start_the_next(triton: Triton, photo: bytes) -> None:
    with Load(triton, DEFAULT) as load:

        def postprocessed() -> int:
            return load.counts("postprocess")[0]

        before = postprocessed()
        assert load.send(photo, HEAVIER).status == ANSWERED  # behind whatever other tests left in the queues
        until(lambda: postprocessed() > before, "it is counted")
        network, postprocess = load.counts(f"{DEFAULT}_network")[0], postprocessed()
        preprocess = f"{DEFAULT}_preprocess"
        prepared = load.counts(preprocess)[0]
        # The client gives up while the network works on it, which the server notices over gRPC.
        assert load.cancel(photo, HEAVIER, lambda: load.counts_now(preprocess)[0] > prepared) == "CANCELLED"
        # The next photo comes after it in every queue, and is done when the given up one's network is.
        assert load.send(photo, SMALL).status == ANSWERED
        until(lambda: postprocessed() > postprocess, "it is counted")
        assert load.counts(f"{DEFAULT}_network")[0] - network <= 2
        assert postprocessed() - postprocess == 1
