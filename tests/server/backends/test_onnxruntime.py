"""The `onnxruntime` backend of a bare machine honours what the container's backend of that name honours."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
import requests
import tritonclient.http as triton_http
from numpy.typing import NDArray

from midas_server.launch import StartFailed, Triton
from tests.own_server import own_server
from tests.server.backends.doubler import save_doubler

CONFIG = """
name: "doubler"
backend: "onnxruntime"
max_batch_size: 8
input [ { name: "X" data_type: TYPE_FP32 dims: [ -1 ] } ]
output [ { name: "Y" data_type: TYPE_FP32 dims: [ -1 ] } ]
"""


@pytest.fixture
def serve(tmp_path: Path) -> Callable[[str], Triton]:
    """Makes a server for a network that doubles its input, with more lines in its config."""

    def make(more: str) -> Triton:
        folder = tmp_path / "doubler" / "1"
        folder.mkdir(parents=True)
        save_doubler(folder / "model.onnx")
        (tmp_path / "doubler" / "config.pbtxt").write_text(CONFIG + more)
        return own_server(tmp_path, ["doubler"])

    return make


def double(server: Triton, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    tensor = triton_http.InferInput("X", list(rows.shape), "FP32")
    tensor.set_data_from_numpy(rows)
    with triton_http.InferenceServerClient(server.http_url, network_timeout=30) as client:
        return np.asarray(client.infer("doubler", [tensor]).as_numpy("Y"), np.float32)


def stubs(server: Triton) -> list[psutil.Process]:
    return psutil.Process(server.pid).children()


def test_requests_that_wait_together_run_as_one_batch(serve: Callable[[str], Triton]) -> None:
    # the batcher waits up to half a second for four rows, so that the test does not depend on the machine's speed
    batching = "dynamic_batching { preferred_batch_size: [ 4 ] max_queue_delay_microseconds: 500000 }"
    with serve(batching) as server:
        rows = [np.full((1, 5), number, np.float32) for number in range(4)]
        answers: dict[int, NDArray[np.float32]] = {}
        threads = [threading.Thread(target=lambda i=i: answers.update({i: double(server, rows[i])})) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for number, row in enumerate(rows):
            np.testing.assert_array_equal(answers[number], 2 * row)
        statistics = requests.get(f"http://{server.http_url}/v2/models/doubler/stats", timeout=30).json()
        assert [batch["batch_size"] for batch in statistics["model_stats"][0]["batch_stats"]] == [4]


def test_a_request_with_several_rows_gets_them_all(serve: Callable[[str], Triton]) -> None:
    with serve("dynamic_batching { }") as server:
        rows = np.arange(24, dtype=np.float32).reshape(8, 3)
        np.testing.assert_array_equal(double(server, rows), 2 * rows)
        with pytest.raises(triton_http.InferenceServerException, match="batch"):
            double(server, np.zeros((9, 3), np.float32))


def test_instances_and_threads_are_those_of_the_config(serve: Callable[[str], Triton], tmp_path: Path) -> None:
    one_thread = 'parameters { key: "intra_op_thread_count" value { string_value: "1" } }'
    with serve(f"instance_group [ {{ count: 2 }} ] {one_thread}") as server:
        assert len(stubs(server)) == 2
        threads_of_one = stubs(server)[0].num_threads()
    config = tmp_path / "doubler" / "config.pbtxt"
    config.write_text(config.read_text().replace('string_value: "1"', 'string_value: "4"'))
    with own_server(tmp_path, ["doubler"]) as server:
        assert stubs(server)[0].num_threads() == threads_of_one + 3


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("execution_mode", "7", "parameter execution_mode is '7': allowed are 0"),
        ("enable_mem_arena", "yes", "parameter enable_mem_arena is 'yes': allowed are 0 and 1"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(
    serve: Callable[[str], Triton], parameter: str, value: str, message: str
) -> None:
    line = f'parameters {{ key: "{parameter}" value {{ string_value: "{value}" }} }}'
    with pytest.raises(StartFailed) as raised, serve(line):
        pass
    assert message in str(raised.value)
