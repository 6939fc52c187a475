"""`python -m export list` and `all`: what is there, broken or missing; every variant, whatever fails."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from export.__main__ import main
from export.commands import all as command_all
from export.variants import VARIANTS
from tests.networks import DEFAULT, FOREIGN, ROOT, VARIANT


@pytest.fixture
def copy(repository: Path, tmp_path: Path) -> Path:
    """A repository of one's own with the default network in it, as files of its own."""
    folder = tmp_path / "repository"
    for model in (DEFAULT, f"{DEFAULT}_preprocess", f"{DEFAULT}_network", "postprocess"):
        shutil.copytree(repository / model, folder / model)
    return folder


def listed(repository: Path, capsys: pytest.CaptureFixture[str], *options: str, code: int = 0) -> str:
    assert main(["list", "--repository", str(repository), *options]) == code
    return capsys.readouterr().out


def test_what_is_there(repository: Path, models: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads(listed(repository, capsys, "--json"))
    assert record["repository"] == str(repository)
    by_name = {entry["name"]: entry for entry in record["exported"]}
    order = [name for name in VARIANTS if name in models] + [name for name in models if name == FOREIGN]
    assert list(by_name) == order
    assert record["not_exported"] == [name for name in VARIANTS if name not in models]
    untrained, default = by_name[VARIANT], by_name[DEFAULT]
    assert (untrained["weights"], untrained["checkpoint"], untrained["checkpoint_sha256"]) == ("untrained", None, None)
    assert (default["weights"], default["checkpoint"]) == ("default", f"{DEFAULT}.pt")
    for name, entry in by_name.items():
        model = repository / f"{name}_network" / "1" / "model.onnx"
        assert (entry["target"], entry["precision"], entry["whole"], entry["flaw"]) == ("onnx", "fp32", True, None)
        assert entry["bytes"] == model.stat().st_size
        assert list(entry["files"]) == ["model.onnx"]
        assert entry["licence"] == (VARIANTS[name].source.licence if name in VARIANTS else None)

    text = listed(repository, capsys)
    assert f" {DEFAULT} " in text
    assert default["checkpoint_sha256"][:8] in text
    assert "untrained" in text
    assert f" {VARIANTS[DEFAULT].source.licence} " in text
    assert f"not exported: {record['not_exported'][0]}" in text


def test_an_empty_and_a_missing_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert f"nothing is exported in {folder}" in listed(folder, capsys)
        record = json.loads(listed(folder, capsys, "--json"))
        assert (record["exported"], record["not_exported"]) == ([], list(VARIANTS))


def test_committed_configs_alone_are_no_export(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(copy / f"{DEFAULT}_network" / "1")
    assert "nothing is exported" in listed(copy, capsys)


@pytest.mark.parametrize(
    ("file", "change", "flaw"),
    [
        (f"{DEFAULT}_network/1/model.onnx", "flip", "model.onnx is not the file that was exported"),
        (f"{DEFAULT}_network/1/model.onnx", "remove", "model.onnx is missing"),
        (f"{DEFAULT}_network/1/manifest.json", "remove", "its manifest is missing or of another version"),
        (f"{DEFAULT}_network/1/manifest.json", "flip", "its manifest is missing or of another version"),
        (f"{DEFAULT}_network/config.pbtxt", "flip", f"{DEFAULT}_network/config.pbtxt is of another version"),
        ("postprocess/1/model.py", "remove", "postprocess/1/model.py is missing"),
    ],
)
def test_what_is_not_whole(file: str, change: str, flaw: str, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if change == "remove":
        (copy / file).unlink()
    else:
        content = bytearray((copy / file).read_bytes())
        content[len(content) // 2] ^= 0x80
        (copy / file).write_bytes(bytes(content))
    text = listed(copy, capsys, code=1)
    assert f"{DEFAULT} is not whole: {flaw}" in text
    assert f"export again: python -m export {DEFAULT}" in text
    (entry,) = json.loads(listed(copy, capsys, "--json", code=1))["exported"]
    assert (entry["whole"], entry["flaw"]) == (False, flaw)
    if file.endswith("model.onnx") and change == "flip":
        listed(copy, capsys, "--quick")  # which does not read it


def test_list_imports_nothing_heavy(repository: Path) -> None:
    program = "import sys; from export.__main__ import main\n"
    program += f"code = main(['list', '--quick', '--repository', {str(repository)!r}])\n"
    program += "print(code, sorted(set(sys.modules) & {'torch', 'onnx', 'onnxruntime', 'cv2'}))"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.endswith("0 []\n")


def test_all_goes_on_after_a_failure(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("MIDAS_WEIGHTS", raising=False)
    monkeypatch.setattr(command_all, "VARIANTS", ("dpt_huge", DEFAULT, "dpt_vast"))
    assert main(["all", "--if-needed", "--repository", str(copy)]) == 1
    out, err = capfd.readouterr()
    lines = [line for line in out.splitlines() if line.startswith("[") or "up to date" in line or "exported in" in line]
    assert lines[:4] == [
        "[1/3] dpt_huge",
        f"[2/3] {DEFAULT}",
        f"{DEFAULT} is up to date in {copy} (the weights that ship with the project, {DEFAULT}.pt)",
        "[3/3] dpt_vast",
    ]
    assert lines[4].startswith("1 of 3 exported in ")
    assert "error: unknown variant 'dpt_huge'" in err
    assert err.endswith("failed: dpt_huge (exit code 2), dpt_vast (exit code 2)\n")


def test_all_passes_its_options_on(copy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program, log = tmp_path / "python", tmp_path / "log.json"
    program.write_text(f"#!{sys.executable}\nimport json, sys\njson.dump(sys.argv[1:], open({str(log)!r}, 'w'))\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", os.fspath(program))
    monkeypatch.setattr(command_all, "VARIANTS", (DEFAULT,))
    options = ["--target", "openvino", "--precision", "bf16", "--untrained", "--repository", str(copy)]
    assert main(["all", *options]) == 0
    passed = json.loads(log.read_text())
    assert passed[:3] == ["-m", "export", DEFAULT]
    assert all(option in passed for option in options)
    assert "--if-needed" not in passed


@pytest.mark.parametrize("name", ["list", "report", "all"])
def test_commands_are_no_names_for_networks(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "net.onnx").touch()
    command = ["--from-onnx", str(tmp_path / "net.onnx"), "--repository", str(tmp_path / "repository"), name]
    assert main(command) == 2
    assert f"'{name}' is a command of `python -m export`: choose another name" in capsys.readouterr().err
