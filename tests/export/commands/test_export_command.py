"""`python -m export`: what it says, what it returns, and when it does nothing."""

import io
import json
import re
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from export import __main__ as command_line
from export.__main__ import main
from export.auto.asked import copy_asked
from export.auto.choice import Wish
from export.commands.pipeline import Exported
from export.commands.request import ExportRequest
from export.repository.manifest import Manifest, read_manifest
from export.repository.write import config_folders, exported
from export.variants import VARIANTS
from export.variants.row import Variant
from export.weights import checkpoints
from midas_server.repository import manifest_file
from midas_server.served_names import SIZES
from tests.networks import DEFAULT

PROJECT = Path(__file__).resolve().parents[3]
SMALL = "midas_v21_small_256"


@pytest.fixture(autouse=True)
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No checkpoint anywhere, and an official address that refuses at once."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setattr(checkpoints, "WEIGHTS_FOLDER", folder)
    monkeypatch.delenv("MIDAS_WEIGHTS", raising=False)
    for name, row in VARIANTS.items():
        if row.source.official:
            refusing = replace(row.source, url=f"http://127.0.0.1:9/{row.source.file}")
            monkeypatch.setitem(VARIANTS, name, replace(row, source=refusing))
    return folder


class Bomb:
    """Unpickling it would create a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.target,)


def checkpoint_bytes(network: nn.Module, gain: float = 1.0) -> bytes:
    state = {
        name: tensor * gain if tensor.is_floating_point() else tensor for name, tensor in network.state_dict().items()
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def test_the_life_of_a_repository(
    tmp_path: Path,
    no_weights: Path,
    small: Variant,
    untrained_network: nn.Module,
    capsys: pytest.CaptureFixture[str],
) -> None:
    repository = tmp_path / "repository"
    command = [SMALL, "--repository", str(repository)]

    assert main(command) == 0
    out, err = capsys.readouterr()
    assert "parity with PyTorch: relative error" in out
    assert "untrained weights" in out
    assert err.count("warning: could not download http://127.0.0.1:9/") == 1
    assert "UNTRAINED" in err
    first = exported(repository, small)
    assert first is not None
    for more in ([], ["--if-needed"]):
        assert main([*command, "--require-weights", *more]) == 1
        assert f"{SMALL} has no checkpoint, and without one its depth means nothing" in capsys.readouterr().err
    assert exported(repository, small) == first
    assert first.parity is not None
    assert first.parity < 1e-4
    assert {str(path.relative_to(repository)) for path in repository.rglob("*") if path.is_file()} == {
        f"{SMALL}_network/1/model.onnx",
        f"{SMALL}_network/1/manifest.json",
        *(f"{folder}/{name}" for folder, files in config_folders(small).items() for name in files),
    }

    assert main([*command, "--if-needed"]) == 0
    out, err = capsys.readouterr()
    assert out == f"{SMALL} is up to date in {repository} (untrained weights)\n"
    assert err == ""

    (no_weights / small.source.file).write_bytes(checkpoint_bytes(untrained_network, gain=0.9))
    assert main([*command, "--if-needed"]) == 0
    out, err = capsys.readouterr()
    assert "UNTRAINED" not in err
    second = exported(repository, small)
    assert second is not None
    assert second.weights == f"sha256:{second.checkpoint_sha256}"
    assert f"weights from {small.source.file}, SHA-256 {second.weights[7:15]}" in out
    assert second.onnx_sha256 != first.onnx_sha256

    assert main([*command, "--if-needed"]) == 0
    assert "is up to date" in capsys.readouterr().out
    (no_weights / small.source.file).unlink()
    assert main([*command, "--if-needed"]) == 0
    assert "is up to date" in capsys.readouterr().out

    # What `--weights` named is not given up for what lies where checkpoints are looked for.
    file = manifest_file(repository, SMALL)
    named = {"weights": f"sha256:{'0' * 64}", "checkpoint_sha256": "0" * 64, "checkpoint": "tuned.pt"}
    file.write_text(json.dumps({**json.loads(file.read_text()), **named}))
    (no_weights / small.source.file).write_bytes(checkpoint_bytes(untrained_network, gain=0.9))
    assert main([*command, "--if-needed"]) == 0
    assert "is up to date" in capsys.readouterr().out
    copied = copy_asked(SMALL, repository, ExportRequest(repository=tmp_path / "auto", auto=Wish()))
    assert copied is not None
    assert copied.manifest.checkpoint == "tuned.pt"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"<html>404</html>", "is a web page, not a checkpoint", id="web page"),
        pytest.param("truncated", "is truncated or damaged", id="truncated"),
        pytest.param("other variant", r"looks like midas_tiny_256 \(\d+ of \d+ tensors fit\)", id="another variant"),
        pytest.param("renamed", r"unexpected \(1 of \d+\): mended.* looks like this variant's own", id="renamed"),
        pytest.param("bomb", r"holds more than tensors \(getattr\): loading it would run code", id="pickle bomb"),
        pytest.param(None, "there is no checkpoint", id="no file"),
    ],
)
def test_a_bad_checkpoint_leaves_the_repository_as_it_was(
    content: bytes | str | None,
    message: str,
    tmp_path: Path,
    untrained_network: nn.Module,
    capsys: pytest.CaptureFixture[str],
) -> None:
    weights, repository = tmp_path / "given.pt", tmp_path / "repository"
    if content == "truncated":
        weights.write_bytes(checkpoint_bytes(untrained_network)[:100_000])
    elif content == "other variant":
        weights.write_bytes((checkpoints.SHIPPED_FOLDER / "midas_tiny_256.pt").read_bytes())
    elif content == "renamed":
        state = dict(untrained_network.state_dict())
        state["mended"] = state.pop("pretrained.layer1.0.weight")
        torch.save(state, weights)
    elif content == "bomb":
        torch.save({"a": Bomb(tmp_path / "exploded")}, weights)
    elif isinstance(content, bytes):
        weights.write_bytes(content)
    served = repository / f"{SMALL}_network" / "1" / "model.onnx"
    served.parent.mkdir(parents=True)
    served.write_bytes(b"exported before")
    assert main([SMALL, "--weights", str(weights), "--repository", str(repository)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert str(weights) in error
    assert re.search(message, error)
    assert [path for path in repository.rglob("*") if path.is_file()] == [served]
    assert served.read_bytes() == b"exported before"
    assert {path.name for path in tmp_path.iterdir()} <= {"given.pt", "repository", "weights"}  # no bomb went off


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: VARIANT"),
        ([SMALL, "--weights", "a.pt", "--untrained"], "--weights and --untrained contradict each other"),
        ([SMALL, "--require-weights", "--untrained"], "--require-weights and --untrained contradict each other"),
        (["net", "--from-onnx", "a.onnx", "--require-weights"], "--require-weights goes without --from-onnx only"),
        ([SMALL, "other", "--weights", "a.pt"], "--weights is one file: name one model"),
        ([SMALL, "--mean", "0.5"], "--mean goes with --from-onnx only"),
        (["net", "--from-onnx", "a.onnx", "--untrained"], "--untrained goes without --from-onnx only"),
        (["net", "--from-onnx", "a.onnx", "--mean", "1", "2"], "--mean takes 1 number, or 3 for RGB"),
        ([SMALL, "--precision", "fp8"], "argument --precision: invalid choice: 'fp8'"),
    ],
)
def test_bad_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["dpt_huge"], 2, f"error: unknown variant 'dpt_huge'. Known: {', '.join((*SIZES, *VARIANTS))}\n"),
        (["net", "--from-onnx", "/nowhere/a.onnx"], 1, "error: there is no file /nowhere/a.onnx"),
        (
            ["net", "--from-onnx", __file__, "--size", "100"],
            2,
            "error: --size 100: allowed are 128 to 1280 in steps of 32 or 14, or of the --multiple that you name;",
        ),
        (["net", "--from-onnx", __file__, "--std", "0"], 2, "error: --std must not be 0"),
        (["net", "--from-onnx", __file__], 1, "is not a valid ONNX model"),
        (
            [SMALL, "--untrained", "--repository", "/dev/null/x"],
            1,
            "error: could not write into /dev/null/x: /dev/null is not a folder",
        ),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_an_onnx_file_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import onnx  # noqa: PLC0415

    text = """<ir_version: 8, opset_import: ["": 17]>
        g (float[b, 3, h, w] x) => (float[b, 1, h, w] y) { y = ReduceMean <axes = [1]> (x) }"""
    onnx.save(onnx.parser.parse_model(text), tmp_path / "net.onnx")
    repository = tmp_path / "repository"
    arguments = ["net", "--from-onnx", str(tmp_path / "net.onnx"), "--mean", "0.5", "--std", "0.2", "0.3", "0.4"]
    arguments += ["--resize", "upper_bound", "--size", "192", "--repository", str(repository)]
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert "against the file itself" in out
    assert err == ""
    manifest = read_manifest(repository / "net_network" / "1" / "manifest.json")
    assert manifest is not None
    assert manifest.checkpoint == "net.onnx"
    assert (
        'key: "resize" value { string_value: "upper_bound" }'
        in (repository / "net_preprocess/config.pbtxt").read_text()
    )
    assert main([*arguments, "--if-needed"]) == 0
    assert capsys.readouterr().out.startswith("net is up to date in")
    file = repository / "net_network" / "1" / "manifest.json"
    another_versions = json.loads(file.read_text())
    another_versions["options"]["served"]["a field to come"] = 1
    file.write_text(json.dumps(another_versions))
    assert main([*arguments, "--if-needed"]) == 0
    assert "against the file itself" in capsys.readouterr().out, "it is exported again"


def test_help_is_quick_and_names_the_variants() -> None:
    program = "import sys, runpy; sys.argv = ['export', '--help']\n"
    program += "try: runpy.run_module('export', run_name='__main__')\n"
    program += "except SystemExit: print(sorted(set(sys.modules) & {'torch', 'onnx', 'onnxruntime', 'numpy'}))"
    result = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert SMALL in result.stdout
    assert result.stdout.endswith("[]\n")


def test_commercial_refuses_before_anything_is_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [DEFAULT, "depth_anything_v2_vitb", "--commercial", "--repository", str(tmp_path / "repository")]
    assert main(words) == 1
    error = capsys.readouterr().err
    assert "error: depth_anything_v2_vitb is refused by --commercial: its weights are under CC-BY-NC-4.0" in error
    assert "Variants that it does not refuse: dpt_beit_large_512, " in error
    assert list(tmp_path.iterdir()) == [tmp_path / "weights"]


def test_a_licence_that_allows_no_business_is_told_loudly_and_once(tmp_path: Path) -> None:
    row = VARIANTS["depth_anything_v2_metric_vkitti_vitl"]
    facts: dict[str, Any] = dict.fromkeys(field.name for field in fields(Manifest))
    done = Exported(row, Manifest(**(facts | {"variant": row.name, "weights": "official"})), [tmp_path])
    [panel] = command_line._panels(done, if_needed=True)
    assert panel.title == "NOT FOR COMMERCIAL USE"
    assert "the licence of its weights is not stated by their owners" in str(panel.renderable)
    assert not list(command_line._panels(replace(done, written=[]), if_needed=True))
    assert not list(command_line._panels(replace(done, network=VARIANTS[DEFAULT]), if_needed=True))
