"""Which licences allow commercial use, and where a repository says which it is."""

from pathlib import Path

import pytest

from export.repository.configs import preprocess_config
from export.variants import VARIANTS
from midas_server.launch import StartFailed
from midas_server.licences import allows_business, why_not
from midas_server.repository import licence_of
from tests.own_server import own_server


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [("MIT", True), ("Apache-2.0", True), (None, True), ("CC-BY-NC-4.0", False), ("not stated", False)],
)
def test_what_is_not_allowed_is_no_business(licence: str | None, allowed: bool) -> None:
    assert allows_business(licence) is allowed


def test_why_not() -> None:
    assert why_not("CC-BY-NC-4.0") == "its weights are under CC-BY-NC-4.0, which does not allow commercial use"
    assert "not stated by their owners" in why_not("not stated")
    assert why_not("CC-BY-4.0").endswith("is none of the licences that are known to allow it: MIT, Apache-2.0")


def in_repository(folder: Path, name: str) -> Path:
    for model, text in ((name, "an ensemble"), (f"{name}_preprocess", preprocess_config(VARIANTS[name]))):
        (folder / model).mkdir()
        (folder / model / "config.pbtxt").write_text(text)
    return folder


@pytest.mark.parametrize("name", VARIANTS)
def test_the_config_says_it(name: str, tmp_path: Path) -> None:
    assert licence_of(in_repository(tmp_path, name), name) == VARIANTS[name].licence
    assert licence_of(tmp_path, "another") is None


def test_commercial_refuses_before_anything_is_started(tmp_path: Path) -> None:
    name = "depth_anything_v2_vitl"
    server = own_server(in_repository(tmp_path, name), [name], commercial=True)
    with pytest.raises(StartFailed, match=f"{name} is refused by --commercial: its weights are under CC-BY-NC-4.0"):
        server.__enter__()
