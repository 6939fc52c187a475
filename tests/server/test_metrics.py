"""The project's own metrics, beside Triton's on the metrics page, and what the warm-up leaves in both."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from midas_server.launch import Triton, Tuning
from tests.networks import DEFAULT
from tests.own_server import own_server
from tests.server.calls import post, post_json
from tests.server.load import ANSWERED, Load
from tests.server.step_processes import step_processes


@pytest.fixture(scope="module")
def server(repository: Path) -> Iterator[Triton]:
    """A server of this module's own, with one network process: its counts begin at zero, and a step is killed."""
    tuning = Tuning(step_instances=2, network_instances=1, network_threads=1)
    with own_server(repository, [DEFAULT], tuning=tuning) as triton:
        yield triton


def metrics(server: Triton) -> dict[str, float]:
    """The project's samples by name and labels; buckets left out."""
    page = requests.get(f"http://{server.metrics_url}/metrics", timeout=60).text
    samples = (line.rsplit(" ", 1) for line in page.splitlines() if line.startswith("midas_"))
    return {name: float(value) for name, value in samples if "_bucket" not in name}


def test_every_step_is_warm_before_the_first_request(server: Triton) -> None:
    """Triton counts the photos of a warm-up, our metrics do not."""
    with Load(server, DEFAULT) as load:
        network = load.counts(f"{DEFAULT}_network")
        assert network[0] > network[1] > 1, "photos of several shapes, and a full batch"
        # one for each of the two processes
        assert load.counts(f"{DEFAULT}_preprocess") == load.counts("postprocess") == (2, 2)
    assert not any("_count" in name for name in metrics(server))


def test_the_tuned_numbers_are_what_runs(server: Triton) -> None:
    steps = (f"{DEFAULT}_preprocess", f"{DEFAULT}_network", "postprocess")
    deadline = time.monotonic() + 30
    while (numbers := [len(step_processes(server, step)) for step in steps]) != [2, 1, 2]:
        assert time.monotonic() < deadline, numbers  # the processes that were replaced take a moment to end
        time.sleep(0.1)
    config = requests.get(f"http://{server.http_url}/v2/models/{DEFAULT}_network/config", timeout=60).json()
    assert config["parameters"]["intra_op_thread_count"] == {"string_value": "1"}


def test_photos_times_and_refusals_are_counted(server: Triton, photo: bytes) -> None:
    with Load(server, DEFAULT) as load:
        assert {each.status for each in load.crowd([(photo, {"format": "png16"})] * 8, 4)} == {ANSWERED}
    bad = {"IMAGE": b"no photo", "photo cut": photo[:2000]}
    assert [post(server, body, DEFAULT).status_code for body in bad.values()] == [400, 400]
    inputs = [{"name": "IMAGE", "shape": [1, 1], "datatype": "BYTES", "data": ["x"]}]
    assert post_json(server, {"inputs": inputs, "parameters": {"colour": "red"}}, DEFAULT).status_code == 400

    found = metrics(server)
    label = f'{{model="{DEFAULT}"}}'
    names = ("midas_decode_seconds", "midas_photo_megapixels", "midas_network_seconds", "midas_postprocess_seconds")
    for name in names:
        assert found[f"{name}_count{label}"] == 8, name
        assert found[f"{name}_sum{label}"] > 0, name
    assert found[f"midas_photo_megapixels_sum{label}"] == pytest.approx(8 * 640 * 427 / 1e6)
    reasons = {
        re.findall(r'reason="(\w+)"', name)[0]: count
        for name, count in found.items()
        if name.startswith("midas_refused_requests_total")
    }
    assert reasons == {"option": 1, "header": 1, "damaged": 1, "size": 0, "format": 0}


def test_a_restart_is_counted_once_and_the_rest_goes_on(server: Triton, photo: bytes) -> None:
    restarts = f'midas_step_restarts{{step="{DEFAULT}_preprocess"}}'
    decoded = f'midas_decode_seconds_count{{model="{DEFAULT}"}}'
    before = metrics(server)
    assert before[restarts] == 0
    step_processes(server, f"{DEFAULT}_preprocess")[0].kill()
    deadline = time.monotonic() + 30
    while metrics(server)[restarts] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    with Load(server, DEFAULT) as load:
        while load.send(photo, {}).status != ANSWERED:
            assert time.monotonic() < deadline
    after = metrics(server)
    assert after[restarts] == 1
    assert after[decoded] == before[decoded] + 1
    assert after['midas_step_restarts{step="postprocess"}'] == 0
