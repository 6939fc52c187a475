"""What kustomize and Helm make of the manifests, checked against the schemas of every kind; no cluster is needed.

The first run installs the tools into an environment of its own (some 440 MB).
"""

import functools
import hashlib
import http.server
import io
import json
import os
import re
import subprocess
import tarfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.grafana.dashboards import dashboards
from deploy.prometheus.manifest import MANIFEST, rule_manifest
from midas_server.launch.ports import free_ports
from tests.deploy import tools
from tests.networks import ROOT

pytestmark = pytest.mark.long

KUBERNETES = ROOT / "deploy" / "kubernetes"
CHART = ROOT / "deploy" / "helm" / "midas"
VERSIONS = [f"1.{minor}" for minor in range(33, 38)]
OVERLAYS = sorted(folder.name for folder in (KUBERNETES / "overlays").iterdir())
COMPONENTS = sorted(folder.name for folder in (KUBERNETES / "components").iterdir())
EVERYTHING = ["autoscaling.with=keda", "monitoring=true", "triton.gpu=nvidia.com/gpu", "images.pullSecrets={registry}"]

Manifest = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    tools.install()


def kustomized(folder: Path) -> str:
    return tools.run([tools.KUBECTL, "kustomize", folder])


def with_component(overlay: str, component: str, folder: Path) -> str:
    """What a user's own kustomization of an overlay and a component gives."""
    here = Path(os.path.relpath(KUBERNETES, folder.resolve()))
    own = {"resources": [f"{here}/overlays/{overlay}"], "components": [f"{here}/components/{component}"]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(own))
    return kustomized(folder)


def helm(*values: str, release: str = "midas") -> str:
    settings = [word for value in values for word in ("--set", value)]
    return tools.run([tools.HELM, "template", release, CHART, "--namespace", "depth", *settings])


def by_name(rendered: str) -> dict[tuple[str, str], Manifest]:
    documents = [document for document in yaml.safe_load_all(rendered) if document]
    found = {(document["kind"], document["metadata"]["name"]): document for document in documents}
    assert len(found) == len(documents), "two of one name"
    return found


def complaints(rendered: str, versions: list[str] = VERSIONS) -> str:
    return tools.run([tools.PYTHON, Path(__file__).with_name("strict.py"), *versions], given=rendered)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_is_valid(overlay: str) -> None:
    rendered = kustomized(KUBERNETES / "overlays" / overlay)
    assert complaints(rendered) == ""
    assert {kind for kind, _ in by_name(rendered)} == {
        "ConfigMap", "Deployment", "Namespace", "NetworkPolicy", "PodDisruptionBudget", "Service",
    }  # fmt: skip


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_is_valid(component: str, tmp_path: Path) -> None:
    rendered = with_component("canary", component, tmp_path)
    assert complaints(rendered) == ""
    found = by_name(rendered)
    for name in ("triton", "triton-canary"):
        deployment = found["Deployment", name]
        assert ("replicas" in deployment["spec"]) == (name == "triton-canary" or component not in ("hpa", "keda"))
        assert ("initContainers" in deployment["spec"]["template"]["spec"]) == component.startswith("models-")


def test_kserve_s_are_valid() -> None:
    rendered = kustomized(KUBERNETES / "kserve")
    assert complaints(rendered, VERSIONS[-1:]) == ""
    assert {kind for kind, _ in by_name(rendered)} == {"ServingRuntime", "InferenceService"}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("unhealthyPodEvictionPolicy:", "unhealthyPod:"),
        ("apiVersion: autoscaling/v2\n", "apiVersion: autoscaling/v2beta2\n"),
        ("metricType:", "metricsType:"),
        ("protocolVersions:", "protocolVersion:"),
        ("canaryTrafficPercent:", "canaryPercent:"),
        ("    relabelings:\n", "    relabeling:\n"),
        ("    - alert:", "    - alarm:"),
    ],
)
def test_a_mistake_is_found(right: str, wrong: str, tmp_path: Path) -> None:
    folders = []
    for component in ("hpa", "keda", "monitoring"):
        (tmp_path / component).mkdir()
        folders.append(with_component("cpu", component, tmp_path / component))
    rendered = "\n---\n".join([*folders, kustomized(KUBERNETES / "kserve")])
    assert right in rendered
    assert complaints(rendered.replace(right, wrong), ["1.37"]) != ""


def test_the_config_of_envoy_is_the_one_file() -> None:
    text = (ROOT / "deploy" / "envoy" / "envoy.yaml").read_text()
    found = by_name(kustomized(KUBERNETES / "overlays" / "cpu"))
    (name,) = (name for kind, name in found if kind == "ConfigMap")
    assert found["ConfigMap", name]["data"] == {"envoy.yaml": text}
    volumes = found["Deployment", "envoy"]["spec"]["template"]["spec"]["volumes"]
    assert volumes == [{"name": "config", "configMap": {"name": name}}]
    assert by_name(helm())["ConfigMap", "envoy-config"]["data"] == {"envoy.yaml": text}


def test_rules_and_dashboards_are_those_of_their_files(tmp_path: Path) -> None:
    """`python deploy/prometheus/manifest.py` writes the manifest of the rules."""
    assert MANIFEST.read_text() == rule_manifest()
    files = [ROOT / "deploy" / "prometheus" / name for name in ("rules.yml", "alerts.yml")]
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    for rendered in (with_component("cpu", "monitoring", tmp_path), helm("monitoring=true")):
        found = by_name(rendered)
        assert found["PrometheusRule", "midas"]["spec"]["groups"] == groups
        config = found["ConfigMap", "midas-dashboards"]
        assert config["metadata"]["labels"] == {"grafana_dashboard": "1"}
        assert config["data"] == dashboards()
        monitors = [monitor for (kind, _), monitor in found.items() if kind == "ServiceMonitor"]
        ends = [end for monitor in monitors for end in monitor["spec"]["endpoints"]]
        jobs = {rule["replacement"] for end in ends for rule in end["relabelings"]}
        there = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
        assert jobs == {job["job_name"] for job in there}


def test_each_overlay_asks_for_its_kind_of_gpu() -> None:
    asked = {}
    for overlay in OVERLAYS:
        spec = by_name(kustomized(KUBERNETES / "overlays" / overlay))["Deployment", "triton"]["spec"]["template"][
            "spec"
        ]
        (container,) = spec["containers"]
        assert container["resources"]["requests"] == container["resources"]["limits"]
        asked[overlay] = [name for name in container["resources"]["limits"] if "nvidia" in name]
        assert ({"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"} in container["env"]) == (not asked[overlay])
    assert asked == {"cpu": [], "canary": [], "gpu": ["nvidia.com/gpu"], "gpu-mig": ["nvidia.com/mig-1g.10gb"]}


def test_the_canary_shares_no_pod_with_the_others() -> None:
    found = by_name(kustomized(KUBERNETES / "overlays" / "canary"))
    for kind, selector in (("Service", ["selector"]), ("PodDisruptionBudget", ["selector", "matchLabels"])):
        for name, instance in (("triton", "stable"), ("triton-canary", "canary")):
            selected = functools.reduce(lambda value, key: value[key], selector, found[kind, name]["spec"])
            labels = found["Deployment", name]["spec"]["template"]["metadata"]["labels"]
            assert selected == labels
            assert labels["app.kubernetes.io/instance"] == instance


@pytest.mark.parametrize("values", [[], EVERYTHING, ["autoscaling.with=hpa", "gateway.enabled=false"]])
def test_the_chart_is_valid(values: list[str]) -> None:
    assert complaints(helm(*values)) == ""
    assert "0 chart(s) failed" in tools.run([tools.HELM, "lint", CHART, "--strict"])


def test_the_chart_gives_what_the_cpu_overlay_gives() -> None:
    """With its default values, but for the namespace and the ConfigMap's name."""
    overlay = by_name(kustomized(KUBERNETES / "overlays" / "cpu"))
    chart = by_name(helm())
    del overlay["Namespace", "midas"]
    assert {name for name in chart if name[0] != "ConfigMap"} == {name for name in overlay if name[0] != "ConfigMap"}
    for name, manifest in chart.items():
        if name[0] == "ConfigMap":
            continue
        expected = overlay[name]
        expected["metadata"]["namespace"] = manifest["metadata"]["namespace"]
        if name == ("Deployment", "envoy"):
            del manifest["spec"]["template"]["metadata"]["annotations"]
            expected["spec"]["template"]["spec"]["volumes"][0]["configMap"]["name"] = "envoy-config"
        assert manifest == expected


def test_values_reach_their_places() -> None:
    found = by_name(
        helm(*EVERYTHING, "models=a b", "triton.options={--network-threads=2}", "autoscaling.maxReplicas=5")
    )
    triton = found["Deployment", "triton"]["spec"]
    (container,) = triton["template"]["spec"]["containers"]
    assert container["env"] == [{"name": "MODELS", "value": "a b"}]
    assert container["args"][-1] == "--network-threads=2"
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert triton["template"]["spec"]["imagePullSecrets"] == [{"name": "registry"}]
    scaled = found["ScaledObject", "triton"]["spec"]
    assert scaled["maxReplicaCount"] == 5
    assert all('namespace="depth"' in trigger["metadata"]["query"] for trigger in scaled["triggers"])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("triton.cpu=1500m", "/triton/cpu"),
        ("triton.gpus=1", "additional properties 'gpus' not allowed"),
        ("autoscaling.with=v2beta2", "/autoscaling/with"),
        ("images.envoy=envoyproxy/envoy:distroless-v1.40.0", "/images/envoy"),
    ],
)
def test_a_wrong_value_is_refused(value: str, message: str) -> None:
    done = subprocess.run(
        [tools.HELM, "template", "midas", CHART, "--set", value], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert message in done.stderr


def test_a_packaged_chart_holds_what_it_links_to(tmp_path: Path) -> None:
    tools.run([tools.HELM, "package", CHART, "--destination", tmp_path])
    (package,) = tmp_path.glob("*.tgz")
    packed = tools.run([tools.HELM, "template", "midas", package, "--namespace", "depth"])
    assert by_name(packed) == by_name(helm())


def archive(folder: Path, name: str = "midas_tiny_256/config.pbtxt") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        member = tarfile.TarInfo(name)
        member.size = 4
        packed.addfile(member, io.BytesIO(b"name"))
    (folder / "models.tar.gz").write_bytes(buffer.getvalue())
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "right", "error"),
    [
        ("midas_tiny_256/config.pbtxt", True, None),
        ("midas_tiny_256/config.pbtxt", False, "correct the one or the other"),
        ("../outside", True, "outside the destination"),
    ],
)
def test_models_from_a_bucket_are_checked(name: str, right: bool, error: str | None, tmp_path: Path) -> None:
    """The init container's own program, with a folder in the place of its volume."""
    (served := tmp_path / "served").mkdir()
    (volume := tmp_path / "volume").mkdir()
    packed = archive(served, name)
    digest = hashlib.sha256(packed).hexdigest() if right else "0" * 64
    (container,) = yaml.safe_load((KUBERNETES / "components" / "models-bucket" / "triton.yaml").read_text())["spec"][
        "template"
    ]["spec"]["initContainers"]
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(served))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/models.tar.gz"
        done = subprocess.run(
            [tools.PYTHON, "-c", container["args"][0].replace("/models/", f"{volume}/")],
            env={"URL": url, "SHA256": digest},
            capture_output=True,
            text=True,
            check=False,
        )
        server.shutdown()
    assert (done.returncode == 0) == (error is None), done.stderr
    assert (error or "") in done.stderr
    expected = [] if error else ["repository/midas_tiny_256/config.pbtxt"]
    assert [str(file.relative_to(volume)) for file in volume.glob("repository/**/*") if file.is_file()] == expected
    assert not (tmp_path / "outside").exists()


def asked(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return str(answer.read().decode())


def until(port: int, path: str, wanted: str) -> None:
    """Ask until the answer has these words."""
    last: object = None
    for _ in range(300):
        try:
            last = asked(port, path)
        except OSError as error:
            last = error
        if wanted in str(last):
            return
        time.sleep(0.1)
    raise AssertionError(f"{path} never said {wanted}: {last}")


@contextmanager
def running_envoy(folder: Path, args: list[str]) -> Iterator[int]:
    """Envoy with its one file, with free ports on loopback in the place of its own; yields the admin port."""
    config = yaml.safe_load((ROOT / "deploy" / "envoy" / "envoy.yaml").read_text())
    (admin,) = free_ports(1)
    config["admin"]["address"]["socket_address"]["port_value"] = admin
    for listener in config["static_resources"]["listeners"]:
        listener["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": 0}
    (folder / "envoy.yaml").write_text(json.dumps(config))
    command = [str(tools.ENVOY), "--config-path", str(folder / "envoy.yaml"), "--use-dynamic-base-id", *args]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as envoy:
        try:
            until(admin, "/ready", "LIVE")
            yield admin
        finally:
            envoy.terminate()


def envoy_container(overlay: str) -> Manifest:
    spec = by_name(kustomized(KUBERNETES / "overlays" / overlay))["Deployment", "envoy"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    return dict(container)


def test_the_canary_s_share_follows_its_configmap(tmp_path: Path) -> None:
    """In a real Envoy. The kubelet puts a ConfigMap's files into a folder and swaps a link to it, `..data`."""
    args = envoy_container("canary")["args"]
    layers = args[args.index("--config-yaml") + 1].replace("/etc/canary", str(tmp_path))
    for name, percent in (("..first", "10"), ("..second", "0")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "canary_percent").write_text(percent)
    (tmp_path / "..data").symlink_to("..first")
    with running_envoy(tmp_path, ["--config-yaml", layers]) as admin:
        until(admin, "/runtime", '"final_value": "10"')
        (tmp_path / "..next").symlink_to("..second")
        (tmp_path / "..next").rename(tmp_path / "..data")
        until(admin, "/runtime", '"final_value": "0"')


def test_a_stop_of_envoy_begins_with_a_drain(tmp_path: Path) -> None:
    """The preStop command, in a real Envoy; without its pause at the end."""
    container = envoy_container("cpu")
    program, option, script = container["lifecycle"]["preStop"]["exec"]["command"]
    drain = int(container["args"][container["args"].index("--drain-time-s") + 1])
    pause = int(re.findall(r"sleep (\d+)$", script)[0])
    assert drain + 30 <= pause
    with running_envoy(tmp_path, ["--drain-time-s", "1"]) as admin:
        script = script.replace("/9901 ", f"/{admin} ").replace(f"sleep {pause}", "true")
        answer = tools.run([program, option, script])
        assert answer.startswith("HTTP/1.1 200 OK\n")
        # It drains, and goes on listening until it is ended: a caller may not have heard of it yet.
        assert asked(admin, "/listeners").count("\n") == 4
