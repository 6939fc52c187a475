"""`--target auto`: the fastest build within its bound, measured once on each machine."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from export.__main__ import main
from export.auto import choose
from export.auto.asked import copy_asked
from export.auto.candidates import candidates
from export.auto.choice import FILE, Choice, Goal, Place, Timed, Wish, best, read_choice
from export.commands.onnx_file import export_onnx_file
from export.commands.pipeline import Exported
from export.commands.request import ExportRequest
from export.errors import AutoError
from export.graph.contract import serialized
from export.repository.configs import network_config
from export.repository.inventory import inventory
from export.repository.manifest import as_served, read_manifest
from export.repository.served_config import config_of, read_config
from export.repository.write import DEFAULT_REPOSITORY, auto_repository, exported, write_network
from export.targets.builds import Build, Target
from export.variants import VARIANTS
from midas_server.repository import manifest_file, network_model, version_folder
from tests.export.small_graph import small_graph
from tests.networks import DEFAULT, ROOT

HERE = Place(processor="A", cores=2, features=["avx512"], gpu=None, versions={"onnxruntime": "1.32.0"})


def row(
    build: str, rate: float, error: float = 0.0, *, ms: float = 30.0, usual: bool = True, bound: float = 5e-2
) -> Timed:
    return Timed(
        build=build,
        instances=2 if usual else 1,
        max_batch_size=1,
        usual=usual,
        error=error,
        bound=bound,
        alone_ms=ms,
        photos_per_second=rate,
    )


FP32, BF16, INT8 = row("onnx fp32", 40, ms=28), row("openvino bf16", 58, 1e-2, ms=23), row("onnx int8", 50, 2e-2, ms=20)


@pytest.mark.parametrize(
    ("table", "goal", "wins"),
    [
        pytest.param([FP32, BF16, INT8], "throughput", BF16, id="most photos"),
        pytest.param([FP32, BF16, INT8], "latency", INT8, id="shortest time"),
        pytest.param([FP32, row("onnx int8", 50, 2e-2, bound=1e-2)], "throughput", FP32, id="accurate enough"),
        pytest.param([FP32, row("openvino bf16", 30, 1e-2)], "throughput", FP32, id="emulated bfloat16"),
        pytest.param([FP32, row("onnx int8", 41, 2e-2)], "throughput", FP32, id="the same within the noise"),
        pytest.param([BF16, row("openvino bf16", 62, 1e-2, usual=False)], "throughput", BF16, id="hardly"),
        pytest.param(
            [BF16, row("openvino bf16", 80, 1e-2, usual=False)],
            "throughput",
            row("openvino bf16", 80, 1e-2, usual=False),
            id="other settings are clearly faster",
        ),
    ],
)
def test_the_best_of_a_table(table: list[Timed], goal: Goal, wins: Timed) -> None:
    assert best(table, goal) == wins
    assert best(table[::-1], goal) == wins


def test_nothing_is_accurate_enough() -> None:
    with pytest.raises(AutoError, match=r"below 1.0e-03: the smallest is 1.0e-02, of openvino bf16.* --max-error"):
        best([replace(each, bound=1e-3) for each in (INT8, BF16)], "throughput")


def choice(**changes: object) -> Choice:
    made = Choice(
        goal="throughput",
        max_error=None,
        place=HERE,
        measured_at="2026-11-29T17:00:00+00:00",
        seconds=60.0,
        chosen=BF16,
        table=[FP32, BF16],
        left_out={"tensorrt": "there is no GPU"},
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_choice_holds_for_one_machine_and_one_wish() -> None:
    assert choice().holds(Wish(), HERE)
    assert choice(goal="latency").holds(Wish(), HERE)
    for other in (Wish(goal="latency"), Wish(max_error=1e-3)):
        assert not choice().holds(other, HERE)
    others = (
        replace(HERE, processor="B"),
        replace(HERE, cores=4),
        replace(HERE, features=[]),
        replace(HERE, gpu="T4"),
        replace(HERE, versions={}),
    )
    assert not any(choice().holds(Wish(), other) for other in others)


def test_a_choice_comes_back_from_its_file(tmp_path: Path) -> None:
    folder = version_folder(tmp_path, "net")
    folder.mkdir(parents=True)
    assert read_choice(tmp_path, "net") is None
    (folder / FILE).write_text(choice().to_json())
    assert read_choice(tmp_path, "net") == choice()
    (folder / FILE).write_text('{"goal": "throughput"}')
    assert read_choice(tmp_path, "net") is None


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[str]]:
    """A small network after `--target auto` without time for more than the first build."""
    folder = tmp_path_factory.mktemp("auto")
    file, repository = folder / "net.onnx", folder / "model_repository"
    file.write_bytes(serialized(small_graph()))
    said: list[str] = []
    request = ExportRequest(repository=repository, auto=Wish(seconds=1e-3), say=said.append)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choose, "EACH", 0.1)
        export_onnx_file("my_net", file, request)
    return file, repository, said


def test_what_is_left_when_time_is_up(chosen: tuple[Path, Path, list[str]]) -> None:
    _, repository, said = chosen
    found = read_choice(repository, "my_net")
    assert found is not None
    assert found.place == Place.here()
    assert found.chosen.build == "onnx fp32"
    assert found.chosen.alone_ms > 0 < found.chosen.photos_per_second
    assert set(found.left_out) >= {"openvino bf16", "openvino int8", "onnx int8", "openvino fp32"}
    assert any(line.startswith("  chosen: onnx fp32, 2 instances") for line in said)
    assert any("not measured: onnx int8: time was up" in line for line in said)
    manifest = read_manifest(manifest_file(repository, "my_net"))
    assert manifest is not None
    assert (manifest.chosen, manifest.settings) == ("auto", None)
    assert not [path for path in repository.parent.iterdir() if path.name.startswith(".")]


def test_it_is_measured_once(chosen: tuple[Path, Path, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "EACH", 0.1)
    file, repository, _ = chosen
    said: list[str] = []
    request = ExportRequest(repository=repository, auto=Wish(seconds=1e-3), if_needed=True, say=said.append)
    assert export_onnx_file("my_net", file, request).written == []
    (line,) = said
    assert line.startswith(f"my_net is up to date in {repository} (")
    assert line.endswith("; onnx fp32, chosen for this machine)")

    # other versions of the runtimes: it is measured again
    path = version_folder(repository, "my_net") / FILE
    facts = json.loads(path.read_text())
    facts["place"]["versions"]["onnxruntime"] = "1.0.0"
    path.write_text(json.dumps(facts))
    assert export_onnx_file("my_net", file, request).written != []
    assert json.loads(path.read_text())["place"]["versions"]["onnxruntime"] != "1.0.0"


def test_a_build_that_cannot_be_made_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.onnx").write_bytes(serialized(small_graph()))
    monkeypatch.setenv("TRTEXEC", str(tmp_path / "nothing"))
    monkeypatch.setattr(choose, "candidates", lambda: ([Build("tensorrt", "fp16")], {"other": "why"}))
    said: list[str] = []
    request = ExportRequest(repository=tmp_path / "repository", auto=Wish(), say=said.append)
    with pytest.raises(AutoError, match=r"no build of my_net could be timed: why; TRTEXEC names .* not a program"):
        export_onnx_file("my_net", tmp_path / "net.onnx", request)
    assert any(line.startswith("  not measured: tensorrt fp16: TRTEXEC names") for line in said)
    assert not (tmp_path / "repository").exists()


def test_other_settings_are_written_and_known_again(repository: Path, tmp_path: Path) -> None:
    network = VARIANTS[DEFAULT]
    manifest = read_manifest(manifest_file(repository, DEFAULT))
    assert manifest is not None
    version = version_folder(repository, DEFAULT)
    files = {name: (version / name).read_bytes() for name in manifest.files}
    tuned = replace(manifest, chosen="auto", settings={"instances": 1, "max_batch_size": 1})
    write_network(tmp_path / "repository", network, files, tuned)
    config = read_config(tmp_path / "repository" / network_model(DEFAULT))
    assert (config["instance_group"][0]["count"], config["max_batch_size"]) == (1, 1)
    assert exported(tmp_path / "repository", network) == tuned
    (entry,) = inventory(tmp_path / "repository")
    assert entry.flaw is None
    assert config_of(network_config(as_served(network, tuned))) == config


@pytest.mark.parametrize(
    ("name", "target", "usual", "others"),
    [
        (DEFAULT, "onnx", (2, 8), [(1, 8), (1, 1), (2, 1)]),
        (DEFAULT, "openvino", (1, 4), [(2, 4)]),
        ("dpt_large_384", "openvino", (1, 4), []),  # its weights are not held twice
        ("dpt_large_384", "onnx", (1, 3), [(1, 1)]),
    ],
)
def test_which_other_settings_are_tried(
    name: str, target: Target, usual: tuple[int, int], others: list[tuple[int, int]], repository: Path
) -> None:
    manifest = read_manifest(manifest_file(repository, DEFAULT))
    assert manifest is not None
    manifest = replace(manifest, target=target)
    settings = choose._settings(VARIANTS[name], manifest)
    assert settings == choose._Settings(*usual)
    tried = choose._Tried(Exported(VARIANTS[name], manifest, []), repository, settings, 0.0, None)
    assert tried.others() == [choose._Settings(*other) for other in others]


def test_a_build_that_was_asked_for_wins(repository: Path, tmp_path: Path) -> None:
    said: list[str] = []
    request = ExportRequest(repository=tmp_path / "to", auto=Wish(), say=said.append)
    assert copy_asked(DEFAULT, tmp_path / "nothing", request) is None
    network, manifest = VARIANTS[DEFAULT], read_manifest(manifest_file(repository, DEFAULT))
    assert manifest is not None
    if manifest.chosen is None:
        assert copy_asked(DEFAULT, repository, request) is None
    files = {name: (version_folder(repository, DEFAULT) / name).read_bytes() for name in manifest.files}
    asked = replace(manifest, chosen="asked")
    write_network(tmp_path / "from", network, files, asked)
    done = copy_asked(DEFAULT, tmp_path / "from", request)
    assert done is not None
    assert done.written
    assert exported(tmp_path / "to", network) == asked
    again = copy_asked(DEFAULT, tmp_path / "from", request)
    assert again is not None
    assert again.written == []
    assert said[0].endswith("it was asked for when it was exported, so nothing is measured")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--target", "auto", "--precision", "int8"], "--target auto chooses the precision too"),
        (["--goal", "latency"], "--goal, --max-error, --seconds and --asked-in go with --target auto only"),
        (["--seconds", "60"], "--goal, --max-error, --seconds and --asked-in go with --target auto only"),
        (["--target", "auto", "--max-error", "-1"], "'-1' is not a number above 0"),
        (["--target", "auto", "--goal", "speed"], "invalid choice: 'speed'"),
    ],
)
def test_a_wrong_command_line(words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([DEFAULT, *words])
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


def test_make_measures_where_it_may_and_git_does_not_see_it(tmp_path: Path) -> None:
    def planned(*words: str) -> str:
        command = ["make", "--dry-run", "--old-file", "setup", "--old-file", ".venv/.installed", *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    for target in ("serve", "serve-web"):
        assert "--target auto" in planned(target, "CI=")
        assert "--goal latency" in planned(target, "CI=", "AUTO=latency")
        for words in (["CI=", "AUTO=no"], ["CI=true"]):
            assert "--target auto" not in planned(target, *words)
    assert "--target auto" not in planned("demo", "CI=")
    ignored = [f"{auto_repository(DEFAULT_REPOSITORY).name}/{DEFAULT}/config.pbtxt", ".model_repository.auto.tried-x/y"]
    # in a repository of the test's own: the project may have come without one, as an archive
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)  # noqa: S607
    shutil.copy(ROOT / ".gitignore", tmp_path)
    done = subprocess.run(["git", "check-ignore", *ignored], cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S607
    assert done.stdout.split() == ignored


@pytest.mark.long
def test_all_builds_are_tried_and_the_best_is_served(tmp_path: Path) -> None:
    repository = tmp_path / "model_repository"
    command = [sys.executable, "-m", "export", DEFAULT, "--target", "auto", "--repository", str(repository)]
    done = subprocess.run(
        [*command, "--seconds", "600"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=900
    )
    found = read_choice(repository, DEFAULT)
    assert found is not None
    usual = {each.build for each in found.table if each.usual}
    assert usual == set(map(str, candidates()[0])) >= {"onnx fp32", "onnx int8", "openvino fp32", "openvino int8"}
    assert any(not each.usual for each in found.table)
    manifest = read_manifest(manifest_file(repository, DEFAULT))
    assert manifest is not None
    assert str(manifest.build) == found.chosen.build
    assert f"chosen: {found.chosen}" in done.stdout
    assert [entry.flaw for entry in inventory(repository)] == [None]
