"""The `openvino` backend of a bare machine: a real Triton serves an exported network with it."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import tritonclient.http as triton_http

from export.graph.parity import Depth, Pixels, noise
from export.repository.scheduling import ONE_BY_ONE
from export.targets.openvino import openvino_runner
from midas_server.launch import StartFailed
from tests.export.small_graph import save_small_graph
from tests.networks import ROOT
from tests.own_server import own_server


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the network `net`, as a user exports it."""
    folder = tmp_path_factory.mktemp("openvino")
    subprocess.run(
        [
            *(sys.executable, "-m", "export", "net", "--from-onnx", str(save_small_graph(folder)), "--size", "128"),
            *("--target", "openvino", "--repository", str(folder / "repository")),
        ],
        cwd=ROOT,
        check=True,
    )
    return folder / "repository"


def computed(files: Mapping[str, bytes], photos: Sequence[Pixels]) -> list[Depth]:
    """What OpenVINO gives for each photo; for a process of its own."""
    run = openvino_runner(files, "fp32")
    return [run(pixels) for pixels in photos]


def infer(client: triton_http.InferenceServerClient, pixels: Pixels) -> Depth:
    tensor = triton_http.InferInput("PIXELS", list(pixels.shape), "UINT8")
    tensor.set_data_from_numpy(pixels)
    return np.asarray(client.infer("net_network", [tensor]).as_numpy("INVERSE_DEPTH"), np.float32)


def test_a_network_is_served_and_gives_what_openvino_gives(exported: Path, photo: bytes) -> None:
    version = exported / "net_network" / "1"
    files = {name: (version / name).read_bytes() for name in ("model.xml", "model.bin")}
    photos = [noise((1, 128, 160)), noise((1, 96, 128))]
    with ProcessPoolExecutor(1, get_context("spawn")) as apart:  # no threads of OpenVINO where servers are started
        expected = apart.submit(computed, files, photos).result()
    with own_server(exported, ["net"]) as server, triton_http.InferenceServerClient(server.http_url) as client:
        for pixels, depth in zip(photos, expected, strict=True):
            np.testing.assert_allclose(infer(client, pixels), depth, rtol=1e-5, atol=1e-6)
        # several in one execution, each computed alone; the batch is bounded
        several = noise((ONE_BY_ONE, 128, 128))
        alone = np.concatenate([infer(client, several[row : row + 1]) for row in range(ONE_BY_ONE)])
        np.testing.assert_array_equal(infer(client, several), alone)
        with pytest.raises(triton_http.InferenceServerException, match="batch"):
            infer(client, noise((ONE_BY_ONE + 1, 128, 128)))
        image = triton_http.InferInput("IMAGE", [1, 1], "BYTES")
        image.set_data_from_numpy(np.array([[photo]], np.object_))
        assert client.infer("net", [image]).as_numpy("DEPTH").shape == (1, 427, 640)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"LATENCY"', '"FASTEST"', "parameter PERFORMANCE_HINT is 'FASTEST': allowed are LATENCY"),
        ('key: "INFERENCE_PRECISION_HINT" value { string_value: "f32"', 'key: "HINT_BF16" value { string_value: "NO"',
         "parameter HINT_BF16 is 'NO': allowed are YES"),
        ("TYPE_FP32", "TYPE_FP16", "the config says TYPE_FP16, the model file TYPE_FP32"),
    ],
)  # fmt: skip
def test_a_config_that_does_not_fit_is_refused(
    exported: Path, tmp_path: Path, before: str, after: str, message: str
) -> None:
    folder = tmp_path / "net_network"
    (folder / "1").mkdir(parents=True)
    for name in ("config.pbtxt", "1/model.xml", "1/model.bin"):
        (folder / name).write_bytes((exported / "net_network" / name).read_bytes())
    config = folder / "config.pbtxt"
    assert before in config.read_text()
    config.write_text(config.read_text().replace(before, after))
    with pytest.raises(StartFailed) as raised, own_server(tmp_path, ["net_network"]):
        pass
    assert message in str(raised.value)


def test_with_padding_any_batch_is_computed(exported: Path, tmp_path: Path) -> None:
    folder = tmp_path / "net_network"
    (folder / "1").mkdir(parents=True)
    for name in ("config.pbtxt", "1/model.xml", "1/model.bin"):
        (folder / name).write_bytes((exported / "net_network" / name).read_bytes())
    config = folder / "config.pbtxt"
    padding = 'parameters { key: "ENABLE_BATCH_PADDING" value { string_value: "YES" } }\n'
    config.write_text(config.read_text().replace("max_batch_size: 1", "max_batch_size: 4") + padding)
    with own_server(tmp_path, ["net_network"]) as server, triton_http.InferenceServerClient(server.http_url) as client:
        together = infer(client, noise((3, 64, 64)))
        alone = [infer(client, noise((3, 64, 64))[row : row + 1]) for row in range(3)]
        np.testing.assert_allclose(together, np.concatenate(alone), rtol=1e-4, atol=1e-5)
