"""Options: defaults, values, and what is refused with which words."""

from dataclasses import replace

import pytest

from midas_server.errors import InvalidRequest
from midas_server.options import CHOICES, NAMES, SETTINGS, ResolvedOptions, VariantRules, resolve, sizes

ANY_ASPECT = VariantRules("midas_v21_small_256", 256, "upper_bound", 1280 * 1280)
ONLY_SQUARE = VariantRules("dpt_levit_224", 224, "square", 224 * 224)


def test_defaults() -> None:
    assert resolve({}, ANY_ASPECT) == ResolvedOptions(256, "keep", "photo", "float32", "inferno", "none", "none", {})
    assert resolve({}, ONLY_SQUARE) == ResolvedOptions(224, "square", "photo", "float32", "inferno", "none", "none", {})


def test_all_given() -> None:
    given = {
        "resolution": 384,
        "aspect": "square",
        "output_size": "network",
        "format": "color_png",
        "colormap": "turbo",
        "filter": "guided",
        "guided_radius": 8,
        "equalize": "clahe",
        "clahe_clip": 3,
    }
    options = resolve(given, ANY_ASPECT)
    settings = {"guided_radius": 8, "guided_eps": 0.0001, "clahe_clip": 3, "clahe_tiles": 8}
    assert options == ResolvedOptions(384, "square", "network", "color_png", "turbo", "guided", "clahe", settings)
    assert options.as_json() == given | settings


@pytest.mark.parametrize("name", CHOICES)
def test_every_choice_is_accepted(name: str) -> None:
    needed = {"colormap": {"format": "color_png"}, "equalize": {"format": "png8"}}.get(name, {})
    for value in CHOICES[name]:
        assert resolve({**needed, name: value}, ANY_ASPECT).as_json()[name] == value


def within(name: str) -> dict[str, object]:
    """What a request must say for a setting to be allowed."""
    setting = SETTINGS[name]
    needed: dict[str, object] = {"format": "png8"} if setting.option == "equalize" else {}
    return {**needed, setting.option: setting.value}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings(name: str) -> None:
    setting = SETTINGS[name]
    assert resolve(within(name), ANY_ASPECT).settings[name] == setting.default
    for value in (setting.low, setting.high, setting.default):
        assert resolve({**within(name), name: value}, ANY_ASPECT).settings[name] == value
    assert name not in resolve({}, ANY_ASPECT).settings


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_refused(name: str) -> None:
    setting = SETTINGS[name]
    wrong: list[object] = [setting.low * 0.99 - 1e-9, setting.high + 1, -1, float("nan"), float("inf"), True, "3", ""]
    if setting.whole:
        wrong += [float(setting.default), setting.low - 1]
    if setting.step > 1:
        wrong.append(setting.low + 1)
    for value in wrong:
        with pytest.raises(InvalidRequest, match=f"option {name}=.*allowed are (integers|numbers) from"):
            resolve({**within(name), name: value}, ANY_ASPECT)
    others = {option: value for option, value in within(name).items() if option != setting.option}
    with pytest.raises(InvalidRequest, match=f"option {name} goes with {setting.option}={setting.value}, not with"):
        resolve({**others, name: setting.default}, ANY_ASPECT)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"colour": "red"}, f"unknown option 'colour': the options are {', '.join(NAMES)}"),
        ({"resolution": 100}, "128 to 1280 in steps of 32; the default of midas_v21_small_256 is 256"),
        ({"resolution": 1312}, "128 to 1280"),
        ({"resolution": 257}, "steps of 32"),
        ({"resolution": "256"}, "resolution='256'"),
        ({"resolution": 256.0}, "resolution=256.0"),
        ({"resolution": True}, "resolution=True"),
        ({"aspect": "wide"}, "aspect='wide': allowed are keep, square"),
        ({"aspect": 1}, "aspect=1: allowed are keep, square"),
        ({"output_size": "huge"}, "output_size='huge': allowed are photo, network"),
        ({"format": "gif"}, "format='gif': allowed are float32, float16, png16, png8, color_png, color_jpeg"),
        ({"format": True}, "format=True"),
        ({"format": "x" * 5000}, "x...: allowed are"),
        ({"format": "color_png", "colormap": "jet"}, "colormap='jet': allowed are inferno, magma, plasma"),
        ({"colormap": "inferno"}, "colormap=inferno does not go with format=float32: use it with format=color_png or"),
        ({"colormap": "inferno", "format": "png8"}, "colormap=inferno does not go with format=png8"),
        ({"filter": "sharpen"}, "filter='sharpen': allowed are none, guided, crf, median, bilateral"),
        ({"filter": None}, "filter=None: allowed are none"),
        ({"equalize": "local", "format": "png8"}, "equalize='local': allowed are none, global, clahe"),
        ({"equalize": "clahe"}, "equalize=clahe does not go with format=float32: use it with format=png8 or color_png"),
        ({"equalize": "global", "format": "png16"}, "equalize=global does not go with format=png16"),
    ],
)
def test_refused(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        resolve(parameters, ANY_ASPECT)
    assert message in str(raised.value)


def test_keep_is_refused_where_only_squares_go() -> None:
    with pytest.raises(InvalidRequest, match="dpt_levit_224 takes only squares, use aspect=square"):
        resolve({"aspect": "keep"}, ONLY_SQUARE)


@pytest.mark.parametrize("resolution", [128, 256, "224"])
def test_a_network_of_one_size_takes_no_other(resolution: object) -> None:
    assert resolve({"resolution": 224}, ONLY_SQUARE).resolution == 224
    with pytest.raises(InvalidRequest, match="dpt_levit_224 takes only 224x224"):
        resolve({"resolution": resolution}, ONLY_SQUARE)


def test_sizes() -> None:
    assert sizes(640, 480, resolve({}, ANY_ASPECT), ANY_ASPECT) == ((256, 192), (640, 480))
    assert sizes(640, 480, resolve({"output_size": "network"}, ANY_ASPECT), ANY_ASPECT) == ((256, 192), (256, 192))
    assert sizes(640, 480, resolve({"aspect": "square"}, ANY_ASPECT), ANY_ASPECT) == ((256, 256), (640, 480))


def test_the_network_area_is_bounded() -> None:
    minimal = VariantRules("dpt_large_384", 384, "minimal", 1_000_000)
    with pytest.raises(InvalidRequest, match="takes at most 1,000,000: use a smaller resolution, or aspect=square"):
        sizes(8000, 400, resolve({"resolution": 384}, minimal), minimal)
    assert sizes(8000, 400, resolve({"aspect": "square"}, minimal), minimal)[0] == (384, 384)


def test_large_float_maps_are_refused() -> None:
    for format in ("float32", "float16"):
        with pytest.raises(InvalidRequest, match=f"a {format} map.*use format=png16, or output_size=network"):
            sizes(8000, 4000, resolve({"format": format}, ANY_ASPECT), ANY_ASPECT)
    assert sizes(8000, 4000, resolve({"format": "png16"}, ANY_ASPECT), ANY_ASPECT)[1] == (8000, 4000)
    assert sizes(8000, 4000, resolve({"output_size": "network"}, ANY_ASPECT), ANY_ASPECT)[1] == (256, 128)


@pytest.mark.parametrize("filter", ["guided", "crf"])
def test_large_photos_are_no_guide(filter: str) -> None:
    options = resolve({"format": "png16", "filter": filter}, ANY_ASPECT)
    with pytest.raises(
        InvalidRequest, match=f"filter={filter} takes results of at most 16,000,000 pixels, not 8000x4000"
    ):
        sizes(8000, 4000, options, ANY_ASPECT)
    assert sizes(4000, 3000, options, ANY_ASPECT)[1] == (4000, 3000)
    small = resolve({"filter": filter, "output_size": "network"}, ANY_ASPECT)
    assert sizes(8000, 4000, small, ANY_ASPECT)[1] == (256, 128)


@pytest.mark.parametrize("missing", ["variant", "resolution", "resize", "max_area"])
def test_a_config_that_lacks_a_rule_is_refused(missing: str) -> None:
    values = {"variant": "v", "resolution": "256", "resize": "minimal", "max_area": "65536"}
    config = {name: {"string_value": value} for name, value in values.items()}
    assert VariantRules.from_config(config) == VariantRules("v", 256, "minimal", 65536)
    del config[missing]
    with pytest.raises(ValueError, match=missing):
        VariantRules.from_config(config)


GRID_OF_14 = VariantRules("my_net", 518, "lower_bound", 1274 * 1274, multiple=14)


def test_the_grid_is_the_variants() -> None:
    assert GRID_OF_14.resolutions == range(140, 1281, 14)
    for resolution in GRID_OF_14.resolutions:
        assert sizes(640, 640, resolve({"resolution": resolution}, GRID_OF_14), GRID_OF_14)[0] == (resolution,) * 2
    message = "resolution=256: allowed are integers from 140 to 1274 in steps of 14; the default of my_net is 518"
    with pytest.raises(InvalidRequest, match=message):
        resolve({"resolution": 256}, GRID_OF_14)


def test_which_aspects_and_which_by_default_are_two_things() -> None:
    both = replace(GRID_OF_14, aspect="square")
    assert resolve({}, both).aspect == "square"
    assert sizes(640, 480, resolve({}, both), both)[0] == (518, 518)
    assert sizes(640, 480, resolve({"aspect": "keep"}, both), both)[0] == (686, 518)


def test_a_config_from_before_the_grid_was_in_it_has_32() -> None:
    values = {"variant": "v", "resolution": "518", "resize": "lower_bound", "max_area": "1623076"}
    config = {name: {"string_value": value} for name, value in values.items()}
    assert VariantRules.from_config(config).multiple == 32
    more = {"multiple": {"string_value": "14"}, "aspect": {"string_value": "square"}}
    assert VariantRules.from_config(config | more) == VariantRules(
        "v", 518, "lower_bound", 1623076, multiple=14, aspect="square"
    )
    for name, value in [("multiple", "0"), ("multiple", "129"), ("max_area", "x"), ("aspect", "wide")]:
        with pytest.raises(ValueError, match=f"parameter '{name}' is '{value}'"):
            VariantRules.from_config(config | more | {name: {"string_value": value}})


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (VariantRules("v", 518, "minimal", 1 << 30), "default resolution is 518, and allowed are integers from 128 to"),
        (VariantRules("v", 1312, "minimal", 1 << 30), "default resolution is 1312, and allowed are"),
        (VariantRules("v", 512, "minimal", 65536), "max_area allows 65,536 pixels only"),
    ],
)
def test_a_default_that_no_request_may_ask_for_is_told_at_the_start(rules: VariantRules, message: str) -> None:
    with pytest.raises(ValueError, match=f"v cannot be served: .*{message}"):
        rules.check_default()


def test_a_network_whose_file_bounds_the_sides_too() -> None:
    boxed = VariantRules("dpt_large_384", 384, "minimal", 768 * 768, max_side=768)
    assert sizes(2000, 1000, resolve({}, boxed), boxed)[0] == (768, 384)
    with pytest.raises(InvalidRequest, match=r"photo into 1152x384; dpt_large_384 takes sides up to 768 here: use a"):
        sizes(3000, 1000, resolve({}, boxed), boxed)
    config = {"variant": "v", "resolution": "384", "resize": "minimal", "max_area": "9", "max_side": "64"}
    parameters = {name: {"string_value": value} for name, value in config.items()}
    assert VariantRules.from_config(parameters).max_side == 64
    del parameters["max_side"]
    assert VariantRules.from_config(parameters).max_side is None
