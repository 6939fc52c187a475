"""Options are checked before anything is sent, and are the server's."""

from typing import Any, get_args

import numpy as np
import pytest

from midas_client import Aspect, Format, OptionError, OutputSize
from midas_client._options import RESOLUTIONS, check_model, request_parameters
from midas_server import options as server_options
from midas_server.imaging.geometry import MULTIPLE

UNSET: dict[str, Any] = {"resolution": None, "aspect": None, "output_size": None, "format": None}


def test_nothing_chosen_sends_nothing() -> None:
    assert request_parameters(**UNSET) == {}


def test_chosen_options_are_sent_under_the_servers_names() -> None:
    chosen = request_parameters(resolution=512, aspect="square", output_size="network", format="png16")
    assert chosen == {"resolution": 512, "aspect": "square", "output_size": "network", "format": "png16"}


def test_numpy_integer_is_a_resolution() -> None:
    parameters = request_parameters(**{**UNSET, "resolution": np.int64(256)})
    assert parameters == {"resolution": 256}
    assert type(parameters["resolution"]) is int


@pytest.mark.parametrize("resolution", [0, 96, 127, 129, 1281, 1312, -256, True, 256.0, "256"])
def test_resolutions_that_do_not_exist(resolution: Any) -> None:
    with pytest.raises(OptionError, match="128 to 1280 in steps of 32"):
        request_parameters(**{**UNSET, "resolution": resolution})


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("aspect", "stretch", "keep, square"),
        ("output_size", "full", "photo, network"),
        ("format", "png", "float32, png16"),
        ("format", 16, "float32, png16"),
    ],
)
def test_values_that_do_not_exist(name: str, value: Any, allowed: str) -> None:
    with pytest.raises(OptionError, match=f"{name} is {value!r}. Allowed: {allowed}"):
        request_parameters(**{**UNSET, name: value})


def test_types_and_ranges_are_the_servers() -> None:
    for ours, theirs in (
        (Aspect, server_options.Aspect),
        (OutputSize, server_options.OutputSize),
        (Format, server_options.Format),
    ):
        assert get_args(ours) == get_args(theirs)
    assert RESOLUTIONS[0] == server_options.MIN_RESOLUTION
    assert RESOLUTIONS[-1] == server_options.MAX_RESOLUTION
    assert RESOLUTIONS.step == MULTIPLE


@pytest.mark.parametrize("model", ["", " ", "a\n", "\udcff", None, 3])
def test_models_without_a_name(model: Any) -> None:
    with pytest.raises(OptionError, match="must be a model's name"):
        check_model(model)
