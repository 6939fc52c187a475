"""The project's own network: small, any aspect, exported like the official ones, with the weights that ship."""

import io
from pathlib import Path

import pytest
import torch
from torch import nn

from export.__main__ import main
from export.errors import DownloadError
from export.graph.contract import serialized
from export.graph.parity import compare, onnx_runner
from export.graph.trace import FromPixels, to_onnx
from export.networks import build, load_official
from export.repository.manifest import read_manifest
from export.variants import VARIANTS
from export.weights import checkpoints
from export.weights.checkpoints import download, find, find_local
from export.weights.untrained import fill_untrained

TINY = "midas_tiny_256"
ROW = VARIANTS[TINY]

MOST_PARAMETERS = 5_000_000
MOST_BYTES = 10_000_000


@pytest.fixture(scope="module")
def network() -> nn.Module:
    network = build(TINY)
    fill_untrained(network)
    return network


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """The folders that are searched, empty."""
    folders = {name: tmp_path / name for name in ("weights", "shipped")}
    for folder in folders.values():
        folder.mkdir()
    monkeypatch.setattr(checkpoints, "WEIGHTS_FOLDER", folders["weights"])
    monkeypatch.setattr(checkpoints, "SHIPPED_FOLDER", folders["shipped"])
    monkeypatch.delenv("MIDAS_WEIGHTS", raising=False)
    return folders


def half(network: nn.Module) -> bytes:
    """A state dict as it ships: in half precision."""
    state = {
        name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in network.state_dict().items()
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def test_it_is_small(network: nn.Module) -> None:
    assert sum(parameter.numel() for parameter in network.parameters()) <= MOST_PARAMETERS
    assert len(half(network)) <= MOST_BYTES


@pytest.mark.parametrize(("height", "width"), [(256, 256), (192, 256), (256, 352), (32, 32), (224, 96)])
def test_any_multiple_of_32(network: nn.Module, height: int, width: int) -> None:
    with torch.inference_mode():
        depth = network(torch.zeros(2, 3, height, width))
    assert depth.shape == (2, height, width)
    assert depth.dtype == torch.float32
    assert float(depth.min()) >= 0


def test_every_weight_is_used(network: nn.Module) -> None:
    trained = build(TINY).train()
    trained(torch.rand(1, 3, 64, 64)).sum().backward()
    assert [name for name, parameter in trained.named_parameters() if parameter.grad is None] == []


def test_the_graph_computes_the_same(network: nn.Module) -> None:
    pixels_network = FromPixels(network, ROW.mean, ROW.std).eval()
    model = serialized(to_onnx(pixels_network, side=ROW.resolution))
    with torch.inference_mode():
        error = compare(
            onnx_runner(model),
            lambda pixels: pixels_network(torch.from_numpy(pixels)).numpy(),
            [(1, 256, 256), (3, 192, 256), (1, 256, 352)],
        )
    assert error < 1e-5


def test_what_ships_is_used_after_the_users_own(network: nn.Module, places: dict[str, Path]) -> None:
    assert find_local(ROW) is None
    (places["shipped"] / ROW.source.file).write_bytes(half(network))
    shipped = find_local(ROW)
    assert shipped is not None
    assert shipped.weights == "default"
    (places["weights"] / ROW.source.file).write_bytes(half(network))
    own = find_local(ROW)
    assert own is not None
    assert own.weights == f"sha256:{own.sha256}"


def test_nothing_is_downloaded(places: dict[str, Path]) -> None:
    warnings: list[str] = []
    assert ROW.source.url is None
    assert find(ROW, None, warnings.append) is None
    assert warnings == []
    with pytest.raises(DownloadError, match=r"midas_tiny_256 has no official checkpoint to download"):
        download(ROW, places["weights"])


def test_the_official_networks_still_have_an_address() -> None:
    assert VARIANTS["dpt_large_384"].source.url == (
        "https://github.com/isl-org/MiDaS/releases/download/v3/dpt_large_384.pt"
    )


def test_export_with_and_without_shipped_weights(
    network: nn.Module, places: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = tmp_path / "repository"
    command = [TINY, "--repository", str(repository)]
    assert main(command) == 0
    printed = capsys.readouterr()
    assert "UNTRAINED" in printed.err
    assert "`python -m training` makes one" in printed.err
    assert "None" not in printed.err

    (places["shipped"] / ROW.source.file).write_bytes(half(network))
    assert main([*command, "--if-needed"]) == 0
    printed = capsys.readouterr()
    assert "the weights that ship with the project, midas_tiny_256.pt" in printed.out
    assert printed.err == ""
    manifest = read_manifest(repository / f"{TINY}_network" / "1" / "manifest.json")
    assert manifest is not None
    assert manifest.weights == "default"

    assert main([*command, "--if-needed"]) == 0
    assert "is up to date" in capsys.readouterr().out


def test_the_weights_that_ship_load() -> None:
    path = checkpoints.SHIPPED_FOLDER / ROW.source.file
    assert path.stat().st_size <= MOST_BYTES
    load_official(build(TINY), checkpoints.read_state_dict(path))
