"""The container files: what they must say, and what the tools that read them think of them.

No Docker engine is needed; none of this starts a container.
"""

import inspect
import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from midas_server.__main__ import HEALTH_PORT
from midas_server.launch import Triton

ROOT = Path(__file__).resolve().parent.parent
SERVICES = {"triton-gpu": "gpu", "triton-cpu": "cpu"}
HADOLINT = Path(sys.prefix) / "bin" / "hadolint"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert isinstance(loaded, dict)
    return loaded


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, str]]:
    """The stage that serves, as (instruction, rest) pairs, with continued lines joined and comments left out."""
    text = (ROOT / "server" / "Dockerfile").read_text()
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#")).replace("\\\n", " ")
    pairs = [line.strip().split(maxsplit=1) for line in lines.splitlines() if line.strip()]
    whole = [(pair[0], " ".join(pair[1].split())) for pair in pairs]
    begins = whole.index(("FROM", "${TRITON_IMAGE} AS server"))
    ends = whole.index(("FROM", "server AS with-network"))
    assert whole[ends + 1 :] == [("COPY", "--from=exported /models /models")]
    return [*whole[:1], *whole[begins:ends]]


def only(instructions: list[tuple[str, str]], name: str) -> str:
    found = [rest for instruction, rest in instructions if instruction == name]
    assert len(found) == 1, f"one {name} expected, found {len(found)}"
    return found[0]


def test_one_service_a_profile(compose: dict[str, Any]) -> None:
    assert {name: service["profiles"] for name, service in compose["services"].items()} == {
        **{name: [profile] for name, profile in SERVICES.items()},
        "gateway": ["gpu", "cpu"],
    }


@pytest.mark.parametrize("name", SERVICES)
def test_service_has_what_triton_needs(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["build"] == {
        "context": ".",
        "dockerfile": "server/Dockerfile",
        "args": {"MODELS": "${MODELS:-midas_tiny_256}"},
    }
    assert "ports" not in service  # the gateway alone reaches it
    assert service["networks"] == {"default": {"aliases": ["triton"]}}
    assert "volumes" not in service  # the network is in the image
    assert service["shm_size"] == "2gb"
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", [*SERVICES, "gateway"])
def test_service_has_no_more_rights_than_it_needs(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["read_only"] is True
    assert [mount.split(":")[0] for mount in service["tmpfs"]] == ["/tmp"]  # noqa: S108 - the container's
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "ipc", "pid", "user"} & service.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_service_has_time_to_finish_requests(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    given = inspect.signature(Triton).parameters["exit_timeout"].default
    assert int(service["stop_grace_period"].removesuffix("s")) > given + 5


def test_only_the_gpu_service_reserves_a_gpu(compose: dict[str, Any]) -> None:
    devices = compose["services"]["triton-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert devices == [{"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}]
    assert "deploy" not in compose["services"]["triton-cpu"]
    assert compose["services"]["triton-cpu"]["environment"]["NVIDIA_VISIBLE_DEVICES"] == "void"


def test_image_is_the_official_one_pinned_to_a_safe_release(instructions: list[tuple[str, str]]) -> None:
    name, image = only(instructions, "ARG").split("=")
    assert only(instructions, "FROM") == f"${{{name}}} AS server"
    release = re.fullmatch(r"nvcr\.io/nvidia/tritonserver:(\d\d)\.(\d\d)-py3", image)
    assert release is not None
    assert (int(release.group(1)), int(release.group(2))) >= (26, 7)


def test_image_installs_this_server_package(instructions: list[tuple[str, str]]) -> None:
    assert only(instructions, "COPY") == "server/ /opt/midas-server/"
    install = only(instructions, "RUN")
    assert install.startswith("python3 -m pip install --no-cache-dir ")
    assert " /opt/midas-server " in install
    assert (ROOT / "server" / "pyproject.toml").is_file()


def test_image_keeps_to_the_numpy_and_opencv_of_the_wheel(instructions: list[tuple[str, str]]) -> None:
    wheel = [Requirement(text) for text in distribution("midas-server").requires or [] if "wheel" in text]
    bounds = {required.name: required.specifier for required in wheel}
    given = [Requirement(text) for text in re.findall(r'"([^"]+)"', only(instructions, "RUN"))]
    assert {required.name for required in given} == {"numpy", "opencv-contrib-python-headless"}
    assert {required.name: required.specifier for required in given}.items() <= bounds.items()


def test_image_is_unprivileged_and_checks_its_health(instructions: list[tuple[str, str]]) -> None:
    assert only(instructions, "USER") == "1000:1000"
    assert [name for name, _ in instructions].index("USER") > [name for name, _ in instructions].index("RUN")
    check = json.loads(only(instructions, "HEALTHCHECK").split("CMD ")[1])
    assert check == ["midas-server", "health"]
    command = json.loads(only(instructions, "CMD"))
    assert command[command.index("--health-port") + 1] == str(HEALTH_PORT)  # where that asks
    assert only(instructions, "EXPOSE") == f"8000 8001 8002 {HEALTH_PORT}"


def test_both_start_the_server_with_the_same_command(
    compose: dict[str, Any], instructions: list[tuple[str, str]]
) -> None:
    command = json.loads(only(instructions, "CMD"))
    default = command[command.index("--models") + 1]
    for name in SERVICES:
        given = compose["services"][name]["command"]
        assert [word.replace("${MODELS:-" + default + "}", default) for word in given] == command


def test_the_command_is_one_that_the_server_package_has(instructions: list[tuple[str, str]]) -> None:
    program, subcommand, *options = json.loads(only(instructions, "CMD"))
    assert program in {script.name for script in distribution("midas-server").entry_points}
    helped = subprocess.run(
        [sys.executable, "-m", "midas_server", subcommand, "--help"], capture_output=True, text=True, check=True
    )
    assert all(option in helped.stdout for option in options if option.startswith("--"))


def test_the_build_context_holds_what_the_images_need_only() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert [rule for rule in rules if rule.startswith("!")] == [
        "!server/",
        "!client/",
        "!gateway/",
        "!export/",
        "!reports/",
        "!weights/",
    ]


def test_the_gateway_is_published_on_loopback_and_finds_triton(compose: dict[str, Any]) -> None:
    assert compose["services"]["gateway"]["ports"] == ["${LISTEN:-127.0.0.1}:${WEB_PORT:-8080}:8080"]
    text = (ROOT / "gateway" / "Dockerfile").read_text()
    command = json.loads(text.rsplit("\nCMD ", 1)[1])
    options = dict(zip(command[1:-1:2], command[2:-1:2], strict=True))
    assert options["--triton"] == "triton:8001"
    assert options["--triton-health"] == f"http://triton:{HEALTH_PORT}"
    assert compose["services"]["gateway"]["volumes"] == [f"gateway-data:{options['--folder']}"]
    assert "\nUSER 1000:1000\n" in text
    helped = subprocess.run(
        [sys.executable, "-m", "midas_gateway", "--help"], capture_output=True, text=True, check=True
    )
    assert all(option in helped.stdout for option in (*options, command[-1]))


@pytest.mark.parametrize("folder", ["server", "gateway"])
def test_hadolint_has_no_complaint(folder: str) -> None:
    done = subprocess.run(
        [str(HADOLINT), str(ROOT / folder / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="docker-compose is not installed")
@pytest.mark.parametrize("name", SERVICES)
def test_docker_compose_accepts_the_file(name: str) -> None:
    command = ["docker-compose", "--profile", SERVICES[name], "config"]
    variables = {"PATH": "/usr/local/bin:/usr/bin:/bin", "MODELS": "a b", "WEB_PORT": "9000", "LISTEN": "0.0.0.0"}  # noqa: S104
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    service = services[name]
    assert service["command"][service["command"].index("--models") + 1] == "a b"
    assert service["build"]["args"] == {"MODELS": "a b"}
    assert any("9000" in str(port) and "8080" in str(port) for port in services["gateway"]["ports"])


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="docker-compose is not installed")
def test_the_host_s_own_exports_can_be_served_instead() -> None:
    command = ["docker-compose", "-f", "docker-compose.yml", "-f", "docker-compose.host.yml", "config"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    for name in SERVICES:
        assert services[name]["build"]["target"] == "server"
        assert services[name]["volumes"] == [f"{ROOT}/model_repository:/models:ro"]
        assert services[name]["read_only"] is True


def test_the_export_stage_asks_for_the_packages_that_the_server_has() -> None:
    """An export is compared with what the runtimes of the same bounds compute."""
    wheel = {Requirement(text).name: Requirement(text) for text in distribution("midas-server").requires or []}
    lines = (ROOT / "export" / "requirements.txt").read_text().splitlines()
    for required in (Requirement(line) for line in lines if line and not line.startswith("#")):
        if required.name in ("numpy", "onnxruntime", "opencv-contrib-python-headless"):
            assert required.specifier == wheel[required.name].specifier
