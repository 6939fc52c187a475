"""TensorRT plans that are not this machine's are refused before Triton starts, with the reason."""

import json
import sys
from pathlib import Path

import pytest

from midas_server.launch import StartFailed
from midas_server.launch.plans import PlanRefused, check_plans
from tests.own_server import own_server

MODEL = "dpt_large_384"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Plans for a T4 and an RTX 3090, as far as the server looks at them before it starts."""
    version = tmp_path / "repository" / f"{MODEL}_network" / "1"
    version.mkdir(parents=True)
    for capability in ("7.5", "8.6"):
        add_plan(version, capability)
    for model in (MODEL, "other"):
        (tmp_path / "repository" / model).mkdir()
        (tmp_path / "repository" / model / "config.pbtxt").write_text("")
    return tmp_path / "repository"


@pytest.fixture(autouse=True)
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRT_VERSION", "11.4.1.9")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with_gpus(tmp_path, monkeypatch, "7.5")


def add_plan(version: Path, capability: str, **facts: object) -> None:
    plan = version / f"model_sm{capability.replace('.', '')}.plan"
    plan.write_bytes(b"plan")
    manifest = {"compute_capability": capability, "tensorrt": "11.4.1", "plan_bytes": 4, **facts}
    plan.with_name(f"{plan.name}.json").write_text(json.dumps(manifest))


def with_gpus(folder: Path, monkeypatch: pytest.MonkeyPatch, *capabilities: str, status: int = 0) -> None:
    """Put an nvidia-smi first on PATH that knows these GPUs."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    lines = [f"{number}, GPU-{number}ab, {capability}" for number, capability in enumerate(capabilities)]
    said = "\n".join(lines) or "No devices were found"
    program = f"#!{sys.executable}\nimport sys\nassert 'index,uuid,compute_cap' in sys.argv[1]\n"
    (programs / "nvidia-smi").write_text(f"{program}print({said!r})\nsys.exit({status})\n")
    (programs / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")


def test_plans_of_this_machine(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_plans(repository, [MODEL, "other"])
    with_gpus(tmp_path, monkeypatch, "7.5", "8.6", "8.6")
    check_plans(repository, [MODEL])


def test_nothing_is_asked_where_no_plan_is(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("TRT_VERSION")
    check_plans(repository, ["other", "missing"])


@pytest.mark.parametrize(
    ("gpus", "visible", "message"),
    [
        (("9.0",), None, "plans for compute capability 7.5, 8.6; GPU 0 of this machine has 9.0: build it on"),
        (("7.5", "10.0"), None, "GPU 1 of this machine has 10.0"),
        (("7.5", "9.0"), "1", "GPU 1 of this machine has 9.0"),
        (("7.5", "9.0"), "GPU-1", "GPU 1 of this machine has 9.0"),
        (("7.5",), "", "need an NVIDIA GPU; there is none here .CUDA_VISIBLE_DEVICES is ''."),
        ((), None, "there is none here .nvidia-smi says: No devices were found.: serve where the GPU is, or export"),
    ],
)
def test_another_gpu(
    gpus: tuple[str, ...],
    visible: str | None,
    message: str,
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_gpus(tmp_path, monkeypatch, *gpus)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with pytest.raises(PlanRefused, match=message):
        check_plans(repository, [MODEL])


def test_a_gpu_that_is_hidden_needs_no_plan(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpus(tmp_path, monkeypatch, "7.5", "9.0")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    check_plans(repository, [MODEL])


def test_no_nvidia_smi(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PlanRefused, match=r"there is none here \(nvidia-smi does not run\)"):
        check_plans(repository, [MODEL])


def test_another_tensorrt(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRT_VERSION", "11.5.0.1")
    with pytest.raises(
        PlanRefused,
        match=r"model_sm75.plan was built with TensorRT 11.4.1; this server has 11.5.0, which does not load it",
    ):
        check_plans(repository, [MODEL])


def test_the_version_from_the_library(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRT_VERSION")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    (tmp_path / "libnvinfer.so.11").touch()
    (tmp_path / "libnvinfer.so.11.4.1").touch()
    check_plans(repository, [MODEL])
    (tmp_path / "libnvinfer.so.11.4.1").rename(tmp_path / "libnvinfer.so.11.4.2")
    with pytest.raises(PlanRefused, match=r"this server has 11.4.2"):
        check_plans(repository, [MODEL])


@pytest.mark.parametrize("text", [None, "", "{}", "[]", '{"compute_capability": "7.5", "tensorrt": "11.4.1"}'])
def test_a_plan_that_nobody_knows(text: str | None, repository: Path) -> None:
    manifest = repository / f"{MODEL}_network" / "1" / "model_sm75.plan.json"
    manifest.unlink() if text is None else manifest.write_text(text)
    with pytest.raises(PlanRefused, match=r"model_sm75.plan has no readable manifest model_sm75.plan.json"):
        check_plans(repository, [MODEL])


def test_a_plan_that_was_cut(repository: Path) -> None:
    (repository / f"{MODEL}_network" / "1" / "model_sm75.plan").write_bytes(b"pla")
    with pytest.raises(
        PlanRefused, match=r"model_sm75.plan has 3 bytes, its manifest says 4: build it on this machine"
    ):
        check_plans(repository, [MODEL])


def test_triton_does_not_start(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRT_VERSION", "12.0.0")
    with pytest.raises(StartFailed, match=r"was built with TensorRT 11.4.1"), own_server(repository, [MODEL]):
        pass
