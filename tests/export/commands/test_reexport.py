"""A real Triton loads a network again and again while it is being exported again and again."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import requests

from export.repository.manifest import Manifest
from export.repository.write import write_network
from export.targets.openvino import to_openvino
from export.variants.row import ServedNetwork
from midas_server.launch.distribution import find_distribution
from midas_server.launch.ports import free_ports
from midas_server.launch.shared_memory import region_prefix, remove_regions

ROOT = Path(__file__).resolve().parents[3]
NET = ServedNetwork(name="net", resolution=128, resize="square", max_area=128 * 128, max_batch_size=2, fixed_size=True)
LOADS = 5


def write(repository: Path, gain: int, target: str) -> None:
    """Export a network whose depth is `gain` times the mean of the channels, by weights that must all be of one
    export, with some megabytes that nothing uses.
    """
    text = """<ir_version: 8, opset_import: ["": 17]>
        g (uint8[b, 128, 128, 3] PIXELS) => (float[b, 128, 128] INVERSE_DEPTH)
        {
            x = Cast <to = 1> (PIXELS)
            mean = ReduceMean <axes = [3], keepdims = 0> (x)
            INVERSE_DEPTH = Mul (mean, gain)
        }"""
    graph = onnx.parser.parse_model(text)
    weights = {"gain": np.full((128, 128), gain, np.float32), "ballast": np.full(1_000_000, gain, np.float32)}
    graph.graph.initializer.extend(onnx.numpy_helper.from_array(array, name) for name, array in weights.items())
    onnx_bytes = graph.SerializeToString()
    files = {"model.onnx": onnx_bytes} if target == "onnx" else to_openvino(graph, "fp32")
    manifest = Manifest(
        variant="net",
        weights="untrained",
        checkpoint=None,
        checkpoint_sha256=None,
        target=target,
        precision="fp32",
        files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        size=sum(map(len, files.values())),
        onnx_sha256=hashlib.sha256(onnx_bytes).hexdigest(),
        opset=17,
        parity=None,
        against_fp32=None,
        options=None,
        tools={},
    )
    write_network(repository, NET, files, manifest)


@pytest.fixture(params=["onnx", "openvino"])
def target(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(tmp_path: Path, target: str) -> Iterator[str]:
    """The address of a Triton that loads what it is told to, and has loaded the network once."""
    write(tmp_path / "repository", gain=1, target=target)
    prefix = region_prefix()
    with find_distribution() as distribution:
        command = [
            str(distribution.binary),
            f"--model-repository={tmp_path / 'repository'}",
            f"--backend-directory={distribution.backend_directory}",
            f"--backend-config=python,shm-region-prefix-name={prefix}",
            *("--model-control-mode=explicit", "--load-model=net_network", "--disable-auto-complete-config"),
            *("--http-address=127.0.0.1", "--http-port=0", "--allow-grpc=false", "--allow-metrics=false"),
            *("--allow-gpu-metrics=false", "--pinned-memory-pool-byte-size=0", "--exit-timeout-secs=2"),
        ]
        (port,) = free_ports(1)
        command[command.index("--http-port=0")] = f"--http-port={port}"
        with (tmp_path / "log").open("w") as log:
            process = subprocess.Popen(
                command, env={**os.environ, **distribution.environment}, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            url = f"http://127.0.0.1:{port}/v2"
            wait_until_ready(url, process, tmp_path / "log")
            yield url
        finally:
            process.terminate()
            process.wait()
            remove_regions(prefix)


def wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if requests.get(f"{url}/models/net_network/ready", timeout=5).ok:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def gain_of(url: str) -> float:
    """Which network answers."""
    body = {
        "inputs": [
            {
                "name": "PIXELS",
                "datatype": "UINT8",
                "shape": [1, 128, 128, 3],
                "data": [2] * (128 * 128 * 3),
            }
        ]
    }
    answer = requests.post(f"{url}/models/net_network/infer", data=json.dumps(body), timeout=60)
    assert answer.ok, answer.text
    values = set(answer.json()["outputs"][0]["data"])
    assert len(values) == 1
    return float(values.pop()) / 2


def test_every_load_finds_a_whole_network(server: str, target: str, tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_reexport import write
print("ready", flush=True)
for number in range(10**9):
    write(Path({str(tmp_path / "repository")!r}), gain=2 + number % 50, target={target!r})
"""
    assert gain_of(server) == 1
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
            gains: list[float] = []
            deadline = time.monotonic() + 120
            # On until it has seen other exports, too: how soon the first of them is there is the machine's affair.
            while len(gains) < LOADS or len(set(gains)) == 1:
                assert time.monotonic() < deadline, f"no load saw another export: {gains}"
                answer = requests.post(f"{server}/repository/models/net_network/load", timeout=120)
                assert answer.ok, f"{answer.text}\n{(tmp_path / 'log').read_text()}"
                gains.append(gain_of(server))
            assert writer.poll() is None
        finally:
            writer.kill()
    assert set(gains) <= {float(gain) for gain in range(1, 52)}
    assert len(set(gains)) > 1
