"""Options: defaults, values, and what is refused with which words."""

import pytest

from midas_server.errors import InvalidRequest
from midas_server.options import Options, VariantRules, resolve, sizes

ANY_ASPECT = VariantRules("midas_v21_small_256", 256, "upper_bound", 1280 * 1280)
ONLY_SQUARE = VariantRules("dpt_levit_224", 224, "square", 224 * 224)


def test_defaults() -> None:
    assert resolve({}, ANY_ASPECT) == Options(256, "keep", "photo", "float32")
    assert resolve({}, ONLY_SQUARE) == Options(224, "square", "photo", "float32")


def test_all_given() -> None:
    given = {"resolution": 384, "aspect": "square", "output_size": "network", "format": "png16"}
    assert resolve(given, ANY_ASPECT) == Options(384, "square", "network", "png16")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"colour": "red"}, "unknown option 'colour': the options are resolution, aspect, output_size, format"),
        ({"resolution": 100}, "128 to 1280 in steps of 32; the default of midas_v21_small_256 is 256"),
        ({"resolution": 1312}, "128 to 1280"),
        ({"resolution": 257}, "steps of 32"),
        ({"resolution": "256"}, "resolution='256'"),
        ({"resolution": 256.0}, "resolution=256.0"),
        ({"resolution": True}, "resolution=True"),
        ({"aspect": "wide"}, "aspect='wide': allowed are keep, square"),
        ({"aspect": 1}, "aspect=1: allowed are keep, square"),
        ({"output_size": "huge"}, "output_size='huge': allowed are photo, network"),
        ({"format": "gif"}, "format='gif': allowed are float32, png16"),
        ({"format": True}, "format=True"),
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
    with pytest.raises(InvalidRequest, match="use format=png16, or output_size=network"):
        sizes(8000, 4000, resolve({}, ANY_ASPECT), ANY_ASPECT)
    assert sizes(8000, 4000, resolve({"format": "png16"}, ANY_ASPECT), ANY_ASPECT)[1] == (8000, 4000)
    assert sizes(8000, 4000, resolve({"output_size": "network"}, ANY_ASPECT), ANY_ASPECT)[1] == (256, 128)


@pytest.mark.parametrize("missing", ["variant", "resolution", "resize", "max_area"])
def test_a_config_that_lacks_a_rule_is_refused(missing: str) -> None:
    values = {"variant": "v", "resolution": "256", "resize": "minimal", "max_area": "65536"}
    config = {name: {"string_value": value} for name, value in values.items()}
    assert VariantRules.from_config(config) == VariantRules("v", 256, "minimal", 65536)
    del config[missing]
    with pytest.raises(ValueError, match=missing):
        VariantRules.from_config(config)
