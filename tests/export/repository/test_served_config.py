"""The configs of a repository, read as Triton reads them."""

from pathlib import Path

import pytest

from export.errors import ConfigError
from export.repository.configs import network_config, preprocess_config
from export.repository.served_config import read_config, read_rules
from export.targets.builds import Build
from export.variants import VARIANTS
from midas_server.options import VariantRules


@pytest.mark.parametrize("name", VARIANTS)
def test_rules_are_the_rows(name: str, tmp_path: Path) -> None:
    row = VARIANTS[name]
    (tmp_path / f"{name}_preprocess").mkdir()
    (tmp_path / f"{name}_preprocess" / "config.pbtxt").write_text(preprocess_config(row))
    rules = read_rules(tmp_path, name)
    assert rules == VariantRules(
        name,
        row.resolution,
        row.resize,
        row.max_area,
        row.max_side,
        row.multiple,
        rules.aspect,
        row.kind,
        row.max_depth,
        row.upsampling,
        row.licence,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"there is no .*my_net_preprocess/config\.pbtxt: export the network into this repository first"),
        ("name: {", r"config\.pbtxt is not a model config: "),
        ('name: "x"', r"config\.pbtxt is no config of a preprocess step: .*no parameter 'variant': export"),
    ],
)
def test_what_is_no_config_is_told(text: str | None, message: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "my_net_preprocess").mkdir()
        (tmp_path / "my_net_preprocess" / "config.pbtxt").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_rules(tmp_path, "my_net")


def test_a_config_is_what_a_step_gets() -> None:
    config = read_config(Path(__file__).parents[3] / "model_repository" / "postprocess")
    assert (config["name"], config["backend"], config["max_batch_size"]) == ("postprocess", "python", 8)
    assert config["output"][0] == {"name": "DEPTH", "data_type": "TYPE_FP32", "dims": ["-1", "-1"]}


def test_a_target_that_there_is_not_has_no_config() -> None:
    build = Build()
    object.__setattr__(build, "target", "tflite")
    with pytest.raises(AssertionError, match="tflite"):
        network_config(VARIANTS["midas_tiny_256"], build)
