"""Which numbers of a config the launcher changes for its machine."""

from typing import Any

import pytest

from midas_server.launch import Tuning

STEP: dict[str, Any] = {"backend": "python", "instance_group": [{"kind": "KIND_CPU", "count": 1}]}
ONNX: dict[str, Any] = {"backend": "onnxruntime", "instance_group": [{"count": 1}], "parameters": {"a": {}}}
TENSORRT: dict[str, Any] = {"backend": "tensorrt", "instance_group": [{"kind": "KIND_GPU", "count": 1}]}


@pytest.mark.parametrize("config", [STEP, ONNX, TENSORRT, {"ensemble_scheduling": {}}])
def test_nothing_asked_nothing_changed(config: dict[str, Any]) -> None:
    assert Tuning().changed(config) is None


def test_steps_and_networks_have_numbers_of_their_own() -> None:
    tuning = Tuning(step_instances=4, network_instances=2, network_threads=3)
    assert tuning.changed({"ensemble_scheduling": {}}) is None
    assert tuning.changed(STEP) == {**STEP, "parameters": {}, "instance_group": [{"kind": "KIND_CPU", "count": 4}]}
    assert tuning.changed(ONNX) == {
        **ONNX,
        "instance_group": [{"count": 2}],
        "parameters": {"a": {}, "intra_op_thread_count": {"string_value": "3"}},
    }
    changed = tuning.changed(TENSORRT)
    assert changed is not None
    assert (changed["instance_group"], changed["parameters"]) == ([{"kind": "KIND_GPU", "count": 2}], {})
    assert ONNX["parameters"] == {"a": {}}, "the config that was given stays as it is"


@pytest.mark.parametrize(
    ("backend", "instances", "asked", "threads"),
    [
        ("onnxruntime", 2, None, "2"),
        ("onnxruntime", 4, None, "1"),
        ("onnxruntime", 8, None, "1"),
        ("onnxruntime", 1, None, None),  # one instance has all cores anyway
        ("onnxruntime", 2, 3, "3"),
        ("openvino", 2, None, None),
    ],
)
def test_cores_are_shared_out_where_the_backend_does_not_do_it(
    monkeypatch: pytest.MonkeyPatch, backend: str, instances: int, asked: int | None, threads: str | None
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(4))
    config = {"backend": backend, "instance_group": [{"count": instances}]}
    changed = Tuning(network_threads=asked).changed(config, shared_out=True)
    assert (changed or {}).get("parameters") == (threads and {"intra_op_thread_count": {"string_value": threads}})


def test_a_number_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"network threads: 0 is not allowed, the least is 1"):
        Tuning(network_threads=0)
