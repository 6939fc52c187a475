"""Options are checked before anything is sent, and are the server's."""

from typing import Any, get_args

import numpy as np
import pytest

from midas_client import Aspect, Colormap, Equalize, Filter, Format, OptionError, OutputSize
from midas_client._options import SETTINGS, check_model, request_parameters
from midas_server import options as server_options
from midas_server.imaging import colormaps

UNSET: dict[str, Any] = {"resolution": None, "aspect": None, "output_size": None, "format": None}


def test_nothing_chosen_sends_nothing() -> None:
    assert request_parameters(UNSET) == {}


def test_chosen_options_are_sent_under_the_servers_names() -> None:
    chosen = request_parameters({"resolution": 512, "aspect": "square", "output_size": "network", "format": "png16"})
    assert chosen == {"resolution": 512, "aspect": "square", "output_size": "network", "format": "png16"}


@pytest.mark.parametrize("resolution", [1, 14, 252, 518, 257, 2048])
def test_the_grid_is_the_servers_affair(resolution: int) -> None:
    assert request_parameters({"resolution": resolution}) == {"resolution": resolution}


def test_numpy_integer_is_a_resolution() -> None:
    parameters = request_parameters({"resolution": np.int64(256)})
    assert parameters == {"resolution": 256}
    assert type(parameters["resolution"]) is int


@pytest.mark.parametrize("resolution", [0, -256, 1 << 70, True, 256.0, "256", [256]])
def test_resolutions_that_do_not_exist(resolution: Any) -> None:
    with pytest.raises(OptionError, match="It must be a whole number of pixels"):
        request_parameters({"resolution": resolution})


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("aspect", "stretch", "keep, square"),
        ("output_size", "full", "photo, network"),
        ("format", "png", "float32, float16, png16, png8, color_png, color_jpeg"),
        ("format", 16, "float32, float16, png16, png8, color_png, color_jpeg"),
        ("colormap", "jet", "inferno, magma"),
        ("filter", "blur", "none, guided, crf, median, bilateral"),
        ("equalize", True, "none, global, clahe"),
    ],
)
def test_values_that_do_not_exist(name: str, value: Any, allowed: str) -> None:
    with pytest.raises(OptionError, match=f"{name} is {value!r}. Allowed: {allowed}"):
        request_parameters({name: value})


def test_types_and_ranges_are_the_servers() -> None:
    for ours, theirs in (
        (Aspect, server_options.Aspect),
        (OutputSize, server_options.OutputSize),
        (Format, server_options.Format),
        (Colormap, colormaps.Colormap),
        (Filter, server_options.Filter),
        (Equalize, server_options.Equalize),
    ):
        assert get_args(ours) == get_args(theirs)
    settings = server_options.SETTINGS
    assert {name: (setting.low, setting.high) for name, setting in settings.items()} == dict(SETTINGS)
    assert {name for name, setting in settings.items() if setting.whole} == {
        name for name, (low, _) in SETTINGS.items() if isinstance(low, int)
    }


def test_settings_are_sent_as_the_server_wants_them() -> None:
    settings: Any = {"crf_radius": np.int64(4), "crf_contrast": 3}
    parameters = request_parameters({"filter": "crf", "equalize": "clahe", "colormap": "turbo", "settings": settings})
    assert parameters == {
        "colormap": "turbo",
        "filter": "crf",
        "equalize": "clahe",
        "crf_radius": 4,
        "crf_contrast": 3.0,
    }
    assert [type(parameters[name]) for name in ("crf_radius", "crf_contrast")] == [int, float]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"radius": 3}, "There is no setting 'radius'. Allowed: guided_radius, "),
        ({"crf_radius": 65}, "crf_radius is 65. Allowed: whole numbers from 1 to 64"),
        ({"crf_radius": 4.0}, "crf_radius is 4.0. Allowed: whole numbers"),
        ({"crf_radius": True}, "crf_radius is True"),
        ({"crf_contrast": "3"}, "crf_contrast is '3'. Allowed: numbers from 0.5 to 64"),
        ({"crf_contrast": float("nan")}, "crf_contrast is nan"),
        ({"guided_eps": None}, "guided_eps is None. Allowed: numbers from 1e-06 to 1"),
    ],
)
def test_settings_that_do_not_exist(settings: Any, message: str) -> None:
    with pytest.raises(OptionError) as raised:
        request_parameters({"settings": settings})
    assert message in str(raised.value)


@pytest.mark.parametrize("model", ["", " ", "a\n", "\udcff", None, 3])
def test_models_without_a_name(model: Any) -> None:
    with pytest.raises(OptionError, match="must be a model's name"):
        check_model(model)


def test_options_that_do_not_exist() -> None:
    with pytest.raises(OptionError, match=r"There is no option 'reslution'. Did you mean 'resolution'\?"):
        request_parameters({"reslution": 256})
    with pytest.raises(OptionError, match=r"There is no option 'gpu'. Allowed: resolution, aspect"):
        request_parameters({"gpu": None})
