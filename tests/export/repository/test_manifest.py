"""A manifest is read under the names of its keys now and before."""

import dataclasses
import json
from pathlib import Path

import pytest

from export.repository.manifest import Manifest, read_manifest

MANIFEST = Manifest(
    variant="midas_tiny_256",
    weights="untrained",
    checkpoint=None,
    checkpoint_sha256=None,
    target="openvino",
    precision="bf16",
    files={"model.xml": "00"},
    size=1,
    onnx_sha256="00",
    opset=17,
    parity=1e-6,
    against_fp32=None,
    options=None,
    tools={},
)


def test_a_manifest_is_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(MANIFEST.to_json())
    assert json.loads(path.read_text())["target"] == "openvino"
    assert read_manifest(path) == MANIFEST


@pytest.mark.parametrize("former", ["build", "format"])
def test_a_manifest_of_an_earlier_version_is_read(former: str, tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    fields = dataclasses.asdict(MANIFEST)
    path.write_text(json.dumps({former: fields.pop("target"), **fields}))
    assert read_manifest(path) == MANIFEST


def test_a_manifest_without_a_target_is_none(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    fields = dataclasses.asdict(MANIFEST)
    del fields["target"]
    path.write_text(json.dumps(fields))
    assert read_manifest(path) is None
