"""What is compared: this project's service and the peers, each of which can be started and asked for the same thing."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import tritonclient.http as triton
from numpy.typing import NDArray

from benchmarks.environment import ROOT, environment
from benchmarks.errors import BenchmarkError
from benchmarks.load.http_clients import Request, answer_of
from benchmarks.peers.catalogue import PROGRAMS, Peer, PeerSettings
from benchmarks.peers.running import Running, cpu_seconds
from export.repository.manifest import read_manifest
from export.variants import variant_named
from export.weights.checkpoints import find_local
from midas_server.imaging.network_size import network_size
from midas_server.launch import Triton
from midas_server.launch.ports import free_ports
from midas_server.repository import MANIFEST_FILE, ONNX_FILE, version_folder

OURS = "midas on triton"

Depth = NDArray[np.float32]


@dataclass(frozen=True)
class Started:
    """A service that runs: what to send, what it answered first, and what its processes have taken, in seconds."""

    request: Request
    depth: Depth
    cpu_seconds: Callable[[], float]


@dataclass(frozen=True)
class Service:
    """One column of the comparison; `start` gives it running, in a `with` statement."""

    name: str
    build: str
    start: Callable[[], AbstractContextManager[Started]]

    @property
    def label(self) -> str:
        """Name and build."""
        return f"{self.name}, {self.build}"


@dataclass(frozen=True)
class ComparedNetwork:
    """The network that all serve: its row of the table, its ONNX file, and its weights for PyTorch.

    Attributes:
        variant: name of the variant.
        onnx_file: as this project serves it, in float32.
        state_dict: the same weights as a file for `torch.load`.
    """

    variant: str
    onnx_file: Path
    state_dict: Path

    def variables(self) -> dict[str, str]:
        """Return what the peers' programs read."""
        row = variant_named(self.variant)
        return {
            "VARIANT": row.name,
            "NETWORK_SIDE": str(row.resolution),
            "RESIZE_RULE": row.default_rule,
            "MEAN": " ".join(map(str, row.mean)),
            "STD": " ".join(map(str, row.std)),
            "ONNX_FILE": str(self.onnx_file.resolve()),
            "STATE_DICT": str(self.state_dict.resolve()),
        }


@contextmanager
def network_of(variant: str, repository: Path) -> Iterator[ComparedNetwork]:
    """Find the ONNX file of `variant` in `repository`, and write the weights that it was made from to a file.

    Raises:
        BenchmarkError: it is not there, not in float32, or the checkpoint that it was made from is gone.
    """
    folder = version_folder(repository, variant)
    manifest = read_manifest(folder / MANIFEST_FILE)
    onnx_file = folder / ONNX_FILE
    if manifest is None or manifest.target != "onnx" or manifest.precision != "fp32" or not onnx_file.is_file():
        raise BenchmarkError(
            f"there is no {variant} as ONNX in float32 in {repository}, which the peers serve: "
            f"python -m export {variant} --repository {repository}"
        )
    with tempfile.TemporaryDirectory(prefix="peers-") as temporary:
        file = Path(temporary) / "weights.pt"
        _write_state_dict(variant, manifest.checkpoint_sha256, file)
        yield ComparedNetwork(variant, onnx_file, file)


def ours(variant: str, build: str, repository: Path, photo: bytes, shape: tuple[int, int]) -> Service:
    """Return this project's service over HTTP, as `make serve` starts it.

    Args:
        variant: the ensemble.
        build: the network's target and precision, for instance "onnx fp32".
        repository: where it is in that build.
        photo: what is sent.
        shape: (height, width) of the depth that is expected.
    """

    @contextmanager
    def start() -> Iterator[Started]:
        with Triton(repository, [variant], http_port=0, grpc_port=0, metrics_port=0, exit_timeout=2) as server:
            host, port = server.http_url.rsplit(":", 1)
            body, json_length = _infer_request(photo)
            headers = {"Inference-Header-Content-Length": str(json_length), "Content-Type": "application/octet-stream"}
            least = 4 * shape[0] * shape[1]
            request = Request(host, int(port), f"/v2/models/{variant}/infer", body, headers, least)
            yield Started(request, _triton_depth(request, shape), partial(cpu_seconds, server.pid))

    return Service(OURS, build, start)


def served_by(
    peer: Peer, settings: PeerSettings, network: ComparedNetwork, photo: bytes, shape: tuple[int, int]
) -> Service:
    """Return a peer with some settings, which is started when the service is.

    Args:
        peer: which.
        settings: its workers, threads and batches.
        network: what it serves.
        photo: a JPEG.
        shape: (height, width) of the depth that is expected.
    """

    @contextmanager
    def start() -> Iterator[Started]:
        place = environment_of(peer)
        (port,) = free_ports(1)
        request = Request("127.0.0.1", port, "/depth", photo, {"Content-Type": "image/jpeg"}, 4 * shape[0] * shape[1])
        variables = {
            **network.variables(),
            **settings.variables,
            "PORT": str(port),
            "PYTHONPATH": f"{PROGRAMS}:{ROOT.parent}:{ROOT.parent / 'server'}",
            # What computes in threads of its own accord, beside the libraries that are told.
            "OMP_NUM_THREADS": str(settings.threads),
            "PYTHONDONTWRITEBYTECODE": "1",
            "BENTOML_DO_NOT_TRACK": "true",
            "DO_NOT_TRACK": "1",
        }
        with tempfile.TemporaryDirectory(prefix="peer-") as home:
            variables["BENTOML_HOME"] = home
            command = peer.started_by(place, settings, port)
            with Running(peer.name, command, variables, request, str(PROGRAMS)) as running:
                if len(running.answer) != request.answer_bytes:
                    raise BenchmarkError(
                        f"{peer.name} answers with {len(running.answer)} bytes, expected are {request.answer_bytes}: "
                        "its preprocessing is another"
                    )
                depth = np.frombuffer(running.answer, np.float32).reshape(shape)
                yield Started(request, depth, running.cpu_seconds)

    return Service(peer.name, peer.build, start)


def environment_of(peer: Peer) -> Path:
    """Return the peer's virtual environment, made on the first call.

    PyTorch is not installed once more, it is 200 MB and more: where a peer needs it, the environment's path ends with
    the packages of the running Python, in which it finds what it has not itself.
    """
    folder = environment(peer.program, peer.requirements())
    if peer.runtime == "pytorch":
        import torch  # noqa: PLC0415  (it takes seconds)

        packages = next(folder.glob("lib/python*/site-packages"))
        (packages / "torch_of_the_project.pth").write_text(f"{Path(torch.__file__).parent.parent}\n")
    return folder


def depth_shape(variant: str, photo_size: tuple[int, int]) -> tuple[int, int]:
    """Return (height, width) of the depth at the network's size, of a photo of (width, height)."""
    row = variant_named(variant)
    width, height = network_size(*photo_size, row.resolution, row.default_rule)
    return height, width


def difference(depth: Depth, reference: Depth) -> float:
    """Return the mean absolute difference over the reference's range; infinite where the shapes differ."""
    if depth.shape != reference.shape:
        return float("inf")
    return float(np.abs(depth - reference).mean() / max(float(np.ptp(reference)), 1e-12))


def _write_state_dict(variant: str, sha256: str | None, file: Path) -> None:
    import torch  # noqa: PLC0415  (it takes seconds)

    from export.networks import build  # noqa: PLC0415
    from export.weights.load import load_checkpoint  # noqa: PLC0415
    from export.weights.untrained import fill_untrained  # noqa: PLC0415

    row = variant_named(variant)
    network = build(variant)
    if sha256 is None:
        fill_untrained(network, row.untrained_gain, row.untrained_last)
    else:
        checkpoint = find_local(row)
        if checkpoint is None or checkpoint.sha256 != sha256:
            raise BenchmarkError(
                f"the checkpoint that {variant} was exported from is not on this machine any more, and PyTorch has to "
                f"serve the same weights: python -m export {variant}"
            )
        load_checkpoint(network, row, checkpoint.path)
    torch.save(network.state_dict(), file)


def _infer_request(photo: bytes) -> tuple[bytes, int]:
    """Return the body of a request for depth at the network's size, and the length of the JSON that it begins with."""
    image = triton.InferInput("IMAGE", [1, 1], "BYTES")
    image.set_data_from_numpy(np.array([[photo]], dtype=np.object_))
    body, length = triton.InferenceServerClient.generate_request_body(
        [image],
        outputs=[triton.InferRequestedOutput("DEPTH", binary_data=True)],
        parameters={"output_size": "network"},
    )
    return bytes(body), int(length)


def _triton_depth(request: Request, shape: tuple[int, int]) -> Depth:
    status, answer = answer_of(request, timeout=120)
    if status != 200 or len(answer) < request.answer_bytes:
        said = answer[:200].decode(errors="replace") or "no answer"
        raise BenchmarkError(f"our own service does not answer the photo with its depth: {said}")
    # JSON, then the depth.
    return np.frombuffer(answer[-request.answer_bytes :], np.float32).reshape(shape)
