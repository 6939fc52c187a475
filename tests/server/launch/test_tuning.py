"""Which numbers of a config the launcher changes for its machine."""

from typing import Any

import pytest

from midas_server.launch import Tuning
from midas_server.launch.tuning import THREADS_PARAMETER

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
    ("backend", "limited", "instances", "asked", "threads"),
    [
        ("onnxruntime", False, 2, None, "2"),
        ("onnxruntime", False, 4, None, "1"),
        ("onnxruntime", False, 8, None, "1"),
        ("onnxruntime", False, 1, None, None),  # one instance has all cores anyway
        ("onnxruntime", False, 2, 3, "3"),
        ("openvino", False, 2, None, None),
        # a container may use fewer cores than its machine has
        ("onnxruntime", True, 1, None, "4"),
        ("onnxruntime", True, 2, None, "2"),
        ("onnxruntime", True, 1, 3, "3"),
        ("openvino", True, 2, None, "4"),
    ],
)
def test_cores_are_shared_out_where_the_backend_does_not_do_it(
    monkeypatch: pytest.MonkeyPatch, backend: str, limited: bool, instances: int, asked: int | None, threads: str | None
) -> None:
    monkeypatch.setattr("midas_server.backends.threads_by_load.cores", lambda: 4)
    for module in ("backends.threads_by_load", "launch.tuning"):
        monkeypatch.setattr(f"midas_server.{module}.fewer_cores", lambda: 4 if limited else None)
    config = {"backend": backend, "instance_group": [{"count": instances}]}
    changed = Tuning(network_threads=asked).changed(config, shared_out=True)
    assert (changed or {}).get("parameters") == (threads and {THREADS_PARAMETER[backend]: {"string_value": threads}})


def test_a_number_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"network threads: 0 is not allowed, the least is 1"):
        Tuning(network_threads=0)
