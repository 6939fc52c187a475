"""What the manifests must say, read without any tool: times, probes, options, rights."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from midas_client import DepthClient
from midas_server.__main__ import HEALTH_PORT
from midas_server.launch import Triton
from tests.networks import DEFAULT, ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
FILES = sorted(
    file for file in KUBERNETES.rglob("*.yaml") if file.name not in ("kustomization.yaml", "adapter-rules.yaml")
)
ENVOY: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "envoy" / "envoy.yaml").read_text())


def documents(file: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(file.read_text()))


def of(path: str, kind: str) -> dict[str, Any]:
    (found,) = (document for document in documents(KUBERNETES / path) if document["kind"] == kind)
    return found


DEPLOYMENTS = {
    name: of(path, "Deployment")
    for name, path in {
        "triton": "triton/deployment.yaml",
        "envoy": "base/envoy.yaml",
        "gateway": "base/gateway.yaml",
    }.items()
}


def pod(name: str) -> dict[str, Any]:
    found: dict[str, Any] = DEPLOYMENTS[name]["spec"]["template"]["spec"]
    return found


def containers() -> list[tuple[str, dict[str, Any]]]:
    """Every container of every file, also of those that patch others."""
    found = []
    for file in FILES:
        for document in documents(file):
            spec = document.get("spec", {})
            spec = spec.get("template", {}).get("spec", spec)
            for one in [*spec.get("containers", []), *spec.get("initContainers", [])]:
                if "image" in one:
                    found.append((f"{file.relative_to(KUBERNETES)} {one['name']}", one))
    return found


CONTAINERS = containers()


@pytest.mark.parametrize("container", [c for _, c in CONTAINERS], ids=[name for name, _ in CONTAINERS])
def test_a_container_has_no_rights_and_what_it_asks_for_is_what_it_gets(container: dict[str, Any]) -> None:
    rights = container["securityContext"]
    assert rights["allowPrivilegeEscalation"] is False
    assert rights["readOnlyRootFilesystem"] is True
    assert rights["capabilities"] == {"drop": ["ALL"]}
    resources = container["resources"]
    assert resources["requests"] == resources["limits"]
    assert re.fullmatch(r"[1-9]\d*", resources["limits"]["cpu"])  # whole cores: the launcher counts them


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_pod_runs_as_nobody_and_knows_nothing_of_the_cluster(name: str) -> None:
    context = pod(name)["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["runAsUser"] == 1000
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod(name)["automountServiceAccountToken"] is False
    assert pod(name)["enableServiceLinks"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod(name).keys()


def triton_args() -> list[str]:
    found: list[str] = pod("triton")["containers"][0]["args"]
    return found


def option(name: str, args: list[str]) -> str:
    (value,) = (arg.partition("=")[2] for arg in args if arg.startswith(f"--{name}="))
    return value


def test_triton_has_time_to_stop() -> None:
    (container,) = pod("triton")["containers"]
    sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    stop = sleep + int(option("drain", triton_args())) + int(option("exit-timeout", triton_args())) + 5
    assert pod("triton")["terminationGracePeriodSeconds"] > stop
    kserve = of("kserve/serving-runtime.yaml", "ServingRuntime")["spec"]["containers"][0]["args"]
    service = of("kserve/inference-service.yaml", "InferenceService")["spec"]["predictor"]
    stop = int(option("drain", kserve)) + int(option("exit-timeout", kserve)) + 5
    assert service["terminationGracePeriodSeconds"] > stop


def test_the_probes_ask_the_launcher() -> None:
    (container,) = pod("triton")["containers"]
    runtime = of("kserve/serving-runtime.yaml", "ServingRuntime")["spec"]["containers"][0]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"http": 8000, "grpc": 8001, "metrics": 8002, "health": HEALTH_PORT}
    for name, path in {"startup": "/readyz", "readiness": "/readyz", "liveness": "/healthz"}.items():
        assert container[f"{name}Probe"]["httpGet"] == {"path": path, "port": "health"}
        assert runtime[f"{name}Probe"]["httpGet"] == {"path": path, "port": HEALTH_PORT}
    probe = container["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] < DEPLOYMENTS["triton"]["spec"]["progressDeadlineSeconds"]


@pytest.mark.parametrize(
    ("program", "args"),
    [
        (["midas_server", "serve"], triton_args()[2:]),
        (
            ["midas_server", "serve"],
            of("kserve/serving-runtime.yaml", "ServingRuntime")["spec"]["containers"][0]["args"][2:],
        ),
        (["midas_gateway"], pod("gateway")["containers"][0]["args"]),
    ],
)
def test_the_options_are_those_that_the_program_has(program: list[str], args: list[str]) -> None:
    helped = subprocess.run([sys.executable, "-m", *program, "--help"], capture_output=True, text=True, check=True)
    known = set(re.findall(r"--[a-z-]+", helped.stdout))
    assert {arg.partition("=")[0] for arg in args} <= known


def test_shared_memory_and_temporary_files_are_volumes() -> None:
    volumes = {volume["name"]: volume for volume in pod("triton")["volumes"]}
    mounted = {mount["mountPath"]: volumes[mount["name"]] for mount in pod("triton")["containers"][0]["volumeMounts"]}
    assert mounted["/dev/shm"]["emptyDir"]["medium"] == "Memory"  # noqa: S108
    assert "/tmp" in mounted  # noqa: S108
    # docs/serving.md: 3.4 GB at most, with the limits that there are by default
    size = int(mounted["/dev/shm"]["emptyDir"]["sizeLimit"].removesuffix("Gi")) * 2**30  # noqa: S108
    assert (
        3.4e9 < size < int(pod("triton")["containers"][0]["resources"]["limits"]["memory"].removesuffix("Gi")) * 2**30
    )


def test_envoy_s_ports_are_those_of_its_file() -> None:
    listeners = {
        listener["name"]: listener["address"]["socket_address"]["port_value"]
        for listener in ENVOY["static_resources"]["listeners"]
    }
    (container,) = pod("envoy")["containers"]
    assert {port["name"]: port["containerPort"] for port in container["ports"]} == listeners
    assert {port["name"]: port["port"] for port in of("base/envoy.yaml", "Service")["spec"]["ports"]} == listeners
    assert f"--triton=envoy:{listeners['inside']}" in pod("gateway")["containers"][0]["args"]
    admin = ENVOY["admin"]["address"]["socket_address"]["port_value"]
    assert f"/dev/tcp/127.0.0.1/{admin} " in " ".join(container["lifecycle"]["preStop"]["exec"]["command"])


def test_envoy_has_memory_for_what_it_may_take() -> None:
    monitors = ENVOY["overload_manager"]["resource_monitors"]
    (heap,) = (m["typed_config"]["max_heap_size_bytes"] for m in monitors if m["name"].endswith("fixed_heap"))
    assert heap * 1.1 < int(pod("envoy")["containers"][0]["resources"]["limits"]["memory"].removesuffix("Mi")) * 2**20


def test_envoy_finds_the_tritons_by_the_names_that_they_have() -> None:
    names = {
        endpoint["endpoint"]["address"]["socket_address"]["address"]
        for cluster in ENVOY["static_resources"]["clusters"]
        for group in cluster.get("load_assignment", {}).get("endpoints", [])
        for endpoint in group["lb_endpoints"]
    }
    service = of("triton/service.yaml", "Service")
    assert service["spec"]["clusterIP"] == "None"
    canary = yaml.safe_load((KUBERNETES / "overlays" / "canary" / "triton" / "kustomization.yaml").read_text())
    name = service["metadata"]["name"]
    assert names == {name, f"{name}{canary['nameSuffix']}", "127.0.0.1"}


def test_what_the_autoscalers_ask_for_is_in_a_real_server_s_metrics(triton: Triton, photo: bytes) -> None:
    queries = " ".join(
        trigger["metadata"]["query"]
        for trigger in of("components/keda/scaled-object.yaml", "ScaledObject")["spec"]["triggers"]
    )
    with DepthClient(triton.grpc_url) as client:
        client.predict(photo, model=DEFAULT)
    metrics = requests.get(f"http://{triton.metrics_url}/metrics", timeout=10).text
    asked = set(re.findall(r"\b(?:nv|midas)_\w+", queries))
    assert len(asked) == 5
    for name in asked:
        assert re.search(rf"^{name}{{", metrics, re.MULTILINE), name
    # The models that the queries name are there too, each under both halves of the pattern.
    assert re.search(r'^nv_inference_request_success{.*model="postprocess"', metrics, re.MULTILINE)
    for step in ("preprocess", "network"):
        assert re.search(rf'^nv_inference_queue_duration_us{{.*model="\w+_{step}"', metrics, re.MULTILINE)
