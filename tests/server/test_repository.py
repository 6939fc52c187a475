"""The one owner of a repository's names, and the one sentence for a manifest that cannot be read."""

import json
from pathlib import Path

import pytest

from midas_server.launch import StartFailed
from midas_server.repository import ManifestError, manifest_file, names_in, read_facts, weights_of
from tests.own_server import own_server


def test_names_are_those_with_a_network(tmp_path: Path) -> None:
    for folder in ("b_network", "a_network", "a_preprocess", "postprocess"):
        (tmp_path / folder).mkdir()
    assert names_in(tmp_path) == ["a", "b"]
    assert names_in(tmp_path / "missing") == []
    assert manifest_file(tmp_path, "a") == tmp_path / "a_network" / "1" / "manifest.json"


def test_facts_are_read_where_there_are_any(tmp_path: Path) -> None:
    assert weights_of(tmp_path, "a") is None
    file = manifest_file(tmp_path, "a")
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"weights": "official"}))
    assert read_facts(file) == {"weights": "official"}
    assert weights_of(tmp_path, "a") == "official"


@pytest.mark.parametrize("text", ['{"weights": ', "[]", "{}", '{"weights": 1}', "\udcff"])
def test_a_damaged_manifest_is_refused_in_one_sentence(text: str, tmp_path: Path) -> None:
    file = manifest_file(tmp_path, "a")
    file.parent.mkdir(parents=True)
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ManifestError, match=r"manifest\.json .*: export the network again with `python -m export`$"):
        weights_of(tmp_path, "a")


def test_a_damaged_manifest_stops_the_server_before_triton_starts(tmp_path: Path) -> None:
    file = manifest_file(tmp_path, "a")
    file.parent.mkdir(parents=True)
    file.write_text("{")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "config.pbtxt").write_text("")
    with (
        pytest.raises(StartFailed, match=r"manifest\.json cannot be read: export"),
        own_server(tmp_path, ["a"]),
    ):
        pass
