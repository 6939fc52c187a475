"""A config that does not fit its model file is refused as the container's backend refuses it."""

import copy
from typing import Any

import pytest

from midas_server.backends.contract import TensorInfo, check_tensors

FILE = {"PIXELS": TensorInfo("TYPE_UINT8", (-1, -1, -1, 3))}
CONFIG: dict[str, Any] = {
    "name": "n",
    "max_batch_size": 8,
    "input": [{"name": "PIXELS", "data_type": "TYPE_UINT8", "dims": [-1, -1, 3]}],
}


def changed(**fields: object) -> dict[str, Any]:
    config = copy.deepcopy(CONFIG)
    config["input"][0].update(fields)
    return config


def test_what_fits_passes() -> None:
    check_tensors(CONFIG, "input", FILE)
    check_tensors(changed(dims=[256, 256, 3]), "input", FILE)  # narrower than the file
    check_tensors(changed(dims=[-1], reshape={"shape": [-1, -1, 3]}), "input", FILE)
    check_tensors(
        {**CONFIG, "max_batch_size": 0, "input": [{**CONFIG["input"][0], "dims": [1, -1, -1, 3]}]}, "input", FILE
    )


@pytest.mark.parametrize(
    ("config", "file", "message"),
    [
        (changed(name="IMAGE"), FILE, "no such input, it has 'PIXELS'"),
        (changed(data_type="TYPE_FP32"), FILE, "the config says TYPE_FP32, the model file TYPE_UINT8"),
        (
            changed(dims=[-1, -1, 4]),
            FILE,
            r"\[-1, -1, -1, 4\] with its batch dimension, the model file's \[-1, -1, -1, 3\]",
        ),
        (changed(dims=[-1, 3]), FILE, "the model file's"),
        (CONFIG, {"PIXELS": TensorInfo("TYPE_UINT8", (1, -1, -1, 3))}, "needs a dynamic first dimension"),
        (CONFIG, {**FILE, "MORE": FILE["PIXELS"]}, "the config has 1 inputs, the model file has 2: 'PIXELS', 'MORE'"),
    ],
)
def test_what_does_not_fit_is_refused(config: dict[str, Any], file: dict[str, TensorInfo], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_tensors(config, "input", file)


def test_outputs_must_be_exactly_as_dynamic_as_the_file() -> None:
    file = {"D": TensorInfo("TYPE_FP32", (-1, -1, -1))}
    config = {"name": "n", "max_batch_size": 8, "output": [{"name": "D", "data_type": "TYPE_FP32", "dims": [-1, 256]}]}
    with pytest.raises(ValueError, match="output 'D'"):
        check_tensors(config, "output", file)
    check_tensors({**config, "output": []}, "output", file)  # outputs may be left out
