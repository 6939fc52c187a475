"""The model repository: written whole or not at all, and with the bytes that are committed."""

import importlib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tritonclient.grpc import model_config_pb2

from export.errors import RepositoryWriteError
from export.repository.configs import (
    ensemble_config,
    network_config,
    network_configs,
    postprocess_config,
    preprocess_config,
)
from export.repository.manifest import Manifest
from export.repository.scheduling import ONE_BY_ONE
from export.repository.swap import exchange, exchange_by_renames, locked, replace_folders
from export.repository.write import DEFAULT_REPOSITORY, config_folders, exported, write_network
from export.targets.builds import Build
from export.variants import VARIANTS
from export.variants.row import ServedNetwork
from midas_server.repository import CONFIG_FILE, PYTHON_BACKEND_CONFIG

PROJECT = Path(__file__).resolve().parents[3]
text_format = importlib.import_module("google.protobuf.text_format")  # it has no types
TINY = ServedNetwork(
    name="tiny", resolution=128, resize="square", max_area=128 * 128, max_batch_size=4, fixed_size=True
)


def manifest_of(model: bytes) -> Manifest:
    import hashlib  # noqa: PLC0415  (the killed export below runs this function's source too)

    return Manifest(
        variant="tiny",
        weights="untrained",
        checkpoint=None,
        checkpoint_sha256=None,
        target="onnx",
        precision="fp32",
        files={"model.onnx": hashlib.sha256(model).hexdigest()},
        size=len(model),
        onnx_sha256=hashlib.sha256(model).hexdigest(),
        opset=17,
        parity=None,
        against_fp32=None,
        options=None,
        tools={},
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Path]:
    """An empty repository; after the test nothing may lie beside it."""
    yield tmp_path / "repository"
    assert [path.name for path in tmp_path.iterdir()] == ["repository"]


def test_what_is_written(repository: Path) -> None:
    written = write_network(repository, TINY, {"model.onnx": b"model"}, manifest_of(b"model"))
    assert [folder.name for folder in written] == ["tiny_network", "tiny_preprocess", "postprocess", "tiny"]
    assert sorted(contents(repository)) == [
        "postprocess/1/model.py",
        "postprocess/config.pbtxt",
        "tiny/1/.gitkeep",
        "tiny/config.pbtxt",
        "tiny_network/1/manifest.json",
        "tiny_network/1/model.onnx",
        "tiny_network/config.pbtxt",
        "tiny_preprocess/1/model.py",
        "tiny_preprocess/config.pbtxt",
        "tiny_preprocess/warmup/photo",
    ]
    assert (repository / "tiny_network" / "1" / "model.onnx").read_bytes() == b"model"
    assert exported(repository, TINY) == manifest_of(b"model")
    # a server in a container runs as another user
    assert all(path.stat().st_mode & 0o005 == (0o005 if path.is_dir() else 0o004) for path in repository.rglob("*"))


def test_the_shared_step_is_left_alone_where_it_is_the_same(repository: Path) -> None:
    write_network(repository, TINY, {"model.onnx": b"model"}, manifest_of(b"model"))
    before = (repository / "postprocess" / "config.pbtxt").stat().st_ino
    again = write_network(repository, TINY, {"model.onnx": b"other"}, manifest_of(b"other"))
    assert [folder.name for folder in again] == ["tiny_network", "tiny_preprocess", "tiny"]
    assert (repository / "postprocess" / "config.pbtxt").stat().st_ino == before
    (repository / "postprocess" / "config.pbtxt").write_text("of an older version")
    assert exported(repository, TINY) is None
    assert repository / "postprocess" in write_network(
        repository, TINY, {"model.onnx": b"other"}, manifest_of(b"other")
    )


@pytest.mark.parametrize(
    "broken",
    ["tiny_network/1/model.onnx", "tiny_network/1/manifest.json", "tiny/config.pbtxt", "tiny_preprocess/1/model.py"],
)
@pytest.mark.parametrize("how", ["removed", "changed"])
def test_what_is_not_whole_counts_as_not_exported(broken: str, how: str, repository: Path) -> None:
    write_network(repository, TINY, {"model.onnx": b"model"}, manifest_of(b"model"))
    if how == "removed":
        (repository / broken).unlink()
    else:
        (repository / broken).write_text("{}")
    assert exported(repository, TINY) is None


@pytest.mark.parametrize("exchanged", [exchange, exchange_by_renames])
@pytest.mark.parametrize("fails_at", [0, 1, 2, 3])
def test_all_or_nothing(exchanged: object, fails_at: int, tmp_path: Path) -> None:
    staged, target = tmp_path / "staged", tmp_path / "target"
    for folder, text in [(staged, "new"), (target, "old")]:
        for name in ("a", "b", "c"):
            (folder / name).mkdir(parents=True)
            (folder / name / "file").write_text(text)
    before = contents(target)
    calls: list[str] = []

    def swap(a: Path, b: Path) -> None:
        if len(calls) == fails_at:
            calls.append("failed")
            raise OSError("disk on fire")
        calls.append(a.name)
        exchanged(a, b)  # type: ignore[operator]

    names = ["a", "brand_new", "b", "c"]
    (staged / "brand_new").mkdir()
    (staged / "brand_new" / "file").write_text("new")
    if fails_at < 3:
        with pytest.raises(OSError, match=r"disk on fire"):
            replace_folders(staged, target, names, swap)
        assert contents(target) == before
        assert set(contents(staged).values()) == {b"new"}
    else:
        replace_folders(staged, target, names, swap)
        assert set(contents(target).values()) == {b"new"}
        assert len(contents(target)) == 4


def test_a_full_disk_leaves_the_repository_as_it_was(repository: Path) -> None:
    write_network(repository, TINY, {"model.onnx": b"model"}, manifest_of(b"model"))
    before = contents(repository)
    program = f"""
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_write import TINY, manifest_of
from export.errors import RepositoryWriteError
from export.repository.write import write_network
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
model = bytes(20_000)
try:
    write_network(Path({str(repository)!r}), TINY, {{"model.onnx": model}}, manifest_of(model))
except RepositoryWriteError as error:
    print(error)
"""
    result = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert "could not write into" in result.stdout
    assert "File too large" in result.stdout
    assert contents(repository) == before


def test_a_killed_export_leaves_whole_models_and_the_next_one_cleans_up(repository: Path) -> None:
    program = f"""
import itertools, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_write import TINY, manifest_of
from export.repository.write import write_network
print("ready", flush=True)
for number in itertools.count():
    model = bytes([number % 256]) * 3_000_000
    write_network(Path({str(repository)!r}), TINY, {{"model.onnx": model}}, manifest_of(model))
"""
    write_network(repository, TINY, {"model.onnx": b"model"}, manifest_of(b"model"))
    for delay in (0.03, 0.11, 0.2, 0.27):
        writer = subprocess.Popen([sys.executable, "-c", program], cwd=PROJECT, stdout=subprocess.PIPE)
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(delay)
        writer.kill()
        writer.wait()
        writer.stdout.close()
        assert exported(repository, TINY) is not None
    write_network(
        repository, TINY, {"model.onnx": b"model"}, manifest_of(b"model")
    )  # the fixture looks at what lies beside it


def test_two_exports_take_turns(repository: Path) -> None:
    repository.mkdir()
    with locked(repository):
        started = time.monotonic()
        with (
            pytest.raises(RepositoryWriteError, match=r"another export has been writing into"),
            locked(repository, 0.3),
        ):
            pass
        assert time.monotonic() - started >= 0.3
    with locked(repository, 0):
        pass


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RepositoryWriteError, match=r"could not write into .*file/repository: Not a directory"):
        write_network(tmp_path / "file" / "repository", TINY, {"model.onnx": b"model"}, manifest_of(b"model"))


@pytest.mark.parametrize("network", [*VARIANTS.values(), TINY], ids=lambda network: network.name)
def test_configs_are_valid_and_complete(network: ServedNetwork) -> None:
    texts = [ensemble_config(network), preprocess_config(network), network_config(network), postprocess_config()]
    assert ("in metres" in texts[2]) == (network.max_depth is not None)  # the tensor's name says nothing of it
    ensemble, preprocess, net, postprocess = (text_format.Parse(text, model_config_pb2.ModelConfig()) for text in texts)
    steps = {config.name: config for config in (preprocess, net, postprocess)}
    assert [step.model_name for step in ensemble.ensemble_scheduling.step] == list(steps)
    assert ensemble.max_batch_size == 1
    assert (preprocess.max_batch_size, postprocess.max_batch_size) == (2, 8)
    assert net.max_batch_size == network.max_batch_size
    for config in (ensemble, *steps.values()):
        assert not config.HasField("response_cache")
        assert config.input
        assert config.output
    for config in steps.values():
        policy = config.dynamic_batching.default_queue_policy
        assert policy.timeout_action == policy.REJECT
        assert policy.allow_timeout_override
        assert policy.default_timeout_microseconds > 0, "or Triton ignores the client's deadline"
        assert policy.max_queue_size >= 2 * config.max_batch_size
        assert config.model_warmup[0].batch_size == 1
    for step in ensemble.ensemble_scheduling.step:
        assert {tensor.name for tensor in steps[step.model_name].input} == set(step.input_map)
        assert {tensor.name for tensor in steps[step.model_name].output} == set(step.output_map)
    # A large network is not held in memory twice.
    networks = 2 if network.weight_count <= 60_000_000 else 1
    for step, kind, count in [
        (preprocess, "KIND_CPU", 2),
        (net, "KIND_AUTO", networks),
        (postprocess, "KIND_CPU", 2),
    ]:
        groups = [
            (model_config_pb2.ModelInstanceGroup.Kind.Name(group.kind), group.count) for group in step.instance_group
        ]
        assert groups == [(kind, count)]
    assert {key: value.string_value for key, value in preprocess.parameters.items()} == {
        "variant": network.name,
        "resolution": str(network.resolution),
        "resize": network.resize,
        "max_area": str(network.max_area),
        "multiple": str(network.multiple),
        # What a request that says nothing gets; "keep" is not written.
        **({"aspect": "square"} if network.aspect == "square" and network.resize != "square" else {}),
        "kind": network.kind,
        **({} if network.max_depth is None else {"max_depth": f"{network.max_depth:g}"}),
        **({} if network.upsampling == "bicubic" else {"upsampling": network.upsampling}),
        **({} if network.licence is None else {"licence": network.licence}),
    }


def test_in_openvino_our_own_backend_takes_several_photos_at_a_time() -> None:
    network = VARIANTS["dpt_swin2_tiny_256"]
    configs = network_configs(network, Build("openvino", "bf16"))
    for file, batch, count, one_by_one in ((CONFIG_FILE, 1, 2, False), (PYTHON_BACKEND_CONFIG, ONE_BY_ONE, 1, True)):
        assert f"\nmax_batch_size: {batch}\n" in configs[file]
        assert f"\ninstance_group [ {{ kind: KIND_CPU count: {count} }} ]\n" in configs[file]
        assert ("ONE_BY_ONE" in configs[file]) == one_by_one
    chosen = network_configs(replace(network, instances=2), Build("openvino", "bf16"))
    assert "KIND_CPU count: 2 }" in chosen[PYTHON_BACKEND_CONFIG], "what auto chose"
    assert list(network_configs(network)) == [CONFIG_FILE]


def test_the_committed_configs_are_what_export_writes() -> None:
    for folder, files in config_folders(VARIANTS["midas_tiny_256"]).items():
        for name, content in files.items():
            committed = DEFAULT_REPOSITORY / folder / name
            assert committed.is_file(), f"{committed} is missing: run python -m export midas_tiny_256"
            assert committed.read_bytes() == content, f"{committed} is old: run python -m export midas_tiny_256"
