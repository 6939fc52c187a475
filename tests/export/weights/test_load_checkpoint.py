"""Weights are found in whatever a trainer saved, if there is one way to read it; what is left to doubt is refused."""

import io
import pickle
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from export.errors import CheckpointError, StateDictError
from export.networks import build, load_official, without_constants
from export.networks.state_dicts import under_our_names, unwrapped
from export.variants import VARIANTS
from export.weights.checkpoints import find_local, read_state_dict
from export.weights.load import load_checkpoint
from export.weights.untrained import fill_untrained

TINY = VARIANTS["midas_tiny_256"]
State = dict[str, Tensor]


@pytest.fixture(scope="module")
def state() -> State:
    network = build(TINY.name)
    fill_untrained(network)
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


@pytest.fixture(scope="module")
def network() -> nn.Module:
    return build(TINY.name)


def loaded(network: nn.Module, content: object, tmp_path: Path) -> str:
    path = tmp_path / "checkpoint.pt"
    torch.save(content, path)
    with torch.no_grad():
        for tensor in network.parameters():
            tensor.zero_()
    return load_checkpoint(network, TINY, path)


def assert_holds(network: nn.Module, state: Mapping[str, Tensor], tolerance: float = 0) -> None:
    own = without_constants(network.state_dict())
    for name, tensor in own.items():
        assert isinstance(tensor, Tensor)
        assert torch.allclose(tensor, state[name].float(), rtol=tolerance, atol=tolerance), name


def prefixed(prefix: str, state: State) -> State:
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


OPTIMIZER = {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 0.1}]}


@pytest.mark.parametrize(
    ("wrap", "where"),
    [
        pytest.param(lambda s: s, "", id="as it is"),
        pytest.param(lambda s: {"state_dict": s}, "state_dict.", id="state_dict"),
        pytest.param(lambda s: {"model": s, "epoch": 7, "loss": 0.5}, "model.", id="model and epoch"),
        pytest.param(
            lambda s: {"model_state_dict": s, "optimizer_state_dict": OPTIMIZER}, "model_state_dict.", id="both"
        ),
        pytest.param(lambda s: {"model": s, "optimizer": {"momentum": s}}, "model.", id="momentum of the same names"),
        pytest.param(lambda s: {"epoch": 3, "state_dict_ema": s}, "state_dict_ema.", id="averaged alone"),
        pytest.param(lambda s: prefixed("module.", s), "module.", id="DataParallel"),
        pytest.param(lambda s: prefixed("_orig_mod.", s), "_orig_mod.", id="torch.compile"),
        pytest.param(lambda s: prefixed("module._orig_mod.", s), "module._orig_mod.", id="both of them"),
        pytest.param(
            lambda s: {
                "state_dict": {**prefixed("model.", s), "criterion.weight": torch.ones(1)},
                "hyper": {"lr": 1.0},
            },
            "state_dict.model.",
            id="Lightning, with a loss of its own",
        ),
        pytest.param(
            lambda s: {"n_averaged": torch.tensor(4), **prefixed("module.", s)}, "module.", id="torch's AveragedModel"
        ),
        pytest.param(lambda s: {**s, "epoch": 3}, "", id="a number beside the tensors"),
    ],
)
def test_what_trainers_save_is_read(
    wrap: Callable[[State], object], where: str, state: State, network: nn.Module, tmp_path: Path
) -> None:
    said = loaded(network, wrap(state), tmp_path)
    assert said == (f"taken from '{where}'" if where else "")
    assert_holds(network, state)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions(kind: torch.dtype, state: State, network: nn.Module, tmp_path: Path) -> None:
    rounded = {name: tensor.to(kind) if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    loaded(network, rounded, tmp_path)
    assert_holds(network, rounded)


def test_two_sets_of_weights_are_not_guessed_between(state: State, network: nn.Module, tmp_path: Path) -> None:
    with pytest.raises(StateDictError, match=r"holds 2 sets of this network's weights, 'model' and 'model_ema': keep"):
        loaded(network, {"model": state, "model_ema": state}, tmp_path)
    assert not any(tensor.any() for tensor in network.parameters())


def test_another_networks_weights_are_unwrapped_too_so_that_they_can_be_recognised(network: nn.Module) -> None:
    other = build("midas_v21_small_256").state_dict()
    found, where = unwrapped({"state_dict": prefixed("module.", other)}, network.state_dict())
    assert (list(found), where) == (list(other), "state_dict.module.")


def newer_swin(name: str) -> str:
    return re.sub(r"layers\.(\d+)\.downsample", lambda found: f"layers.{int(found[1]) + 1}.downsample", name)


def newer_levit(name: str) -> str:
    """Names as in timm 1.0 for what is enough of LeViT: the first convolution, and the blocks of the three stages."""
    if not name.startswith("pretrained.model."):
        return name
    name = name.replace("patch_embed.0.", "stem.conv1.").replace(".c.", ".linear.")
    found = re.search(r"model\.blocks\.(\d+)\.m", name)
    if found:
        stage, block = divmod(int(found[1]), 10)
        name = name.replace(found[0], f"model.stages.{stage}.blocks.{block}.m")
    return name


def on_meta(variant: str) -> State:
    with torch.device("meta"):
        tensors = without_constants(build(variant).state_dict())
    return {name: tensor for name, tensor in tensors.items() if isinstance(tensor, Tensor)}


@pytest.mark.parametrize(
    ("variant", "newer", "layout"),
    [
        ("dpt_swin2_tiny_256", newer_swin, "a newer timm's Swin"),
        ("dpt_levit_224", newer_levit, "a newer timm's names"),
    ],
)
def test_a_newer_timms_names(variant: str, newer: Callable[[str], str], layout: str) -> None:
    wanted = on_meta(variant)
    given = {newer(name): tensor for name, tensor in wanted.items()}
    assert set(given) != set(wanted)
    renamed, said = under_our_names(given, wanted)
    assert said == layout
    assert all(renamed[name] is tensor for name, tensor in wanted.items())
    if variant == "dpt_levit_224":
        with pytest.raises(StateDictError, match=r"as a newer timm names them.* in an order that does not tell which"):
            under_our_names(dict(sorted(given.items())), wanted)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_named(value: float, state: State, network: nn.Module, tmp_path: Path) -> None:
    broken = {name: tensor.clone() for name, tensor in state.items()}
    name = "scratch.output_conv.4.bias"
    broken[name][0] = value
    with pytest.raises(StateDictError, match=rf"1 of \d+ tensors have values that are not finite .*: {name}\. A"):
        loaded(network, broken, tmp_path)
    assert not any(tensor.any() for tensor in network.parameters())


def test_a_tensor_that_takes_no_part_may_be_missing_or_of_another_shape(tmp_path: Path) -> None:
    row = VARIANTS["midas_v21_small_256"]
    network = build(row.name)
    given = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    idle = "scratch.refinenet4.resConfUnit1.conv1.weight"
    path = tmp_path / "x.pt"
    torch.save({name: tensor for name, tensor in given.items() if name != idle}, path)
    load_checkpoint(network, row, path)
    torch.save({**given, idle: torch.zeros(3)}, path)
    load_checkpoint(network, row, path)
    needed = "scratch.refinenet4.resConfUnit2.conv1.weight"
    torch.save({name: tensor for name, tensor in given.items() if name not in (idle, needed)}, path)
    with pytest.raises(StateDictError, match=rf"missing \(1 of \d+\): {needed}"):
        load_checkpoint(network, row, path)
    with pytest.raises(StateDictError, match=r"missing \(2 of"):  # stays strict
        load_official(network, read_state_dict(path))


def test_safetensors(state: State, network: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "midas_tiny_256.safetensors"
    save_file(prefixed("module.", state), path)
    load_checkpoint(network, TINY, path)
    assert_holds(network, state)
    monkeypatch.setenv("MIDAS_WEIGHTS", str(tmp_path))
    found = find_local(TINY)
    assert found is not None
    assert found.path == path
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"safetensors is truncated or damaged: download it again"):
        read_state_dict(path)


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return buffer.getvalue()


def scripted() -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch wants other formats by now, and files of this one are about
        torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)), buffer)  # type: ignore[no-untyped-call]
    return buffer.getvalue()


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 85761505\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(lambda: LFS, r"is a Git LFS pointer, not the file itself: run `git lfs pull`", id="LFS"),
        pytest.param(lambda: b"\xef\xbb\xbf<html>", r"is a web page, not a checkpoint", id="web page"),
        pytest.param(lambda: b'<?xml version="1.0"?><net name="x">', r"is a network of OpenVINO", id="OpenVINO"),
        pytest.param(scripted, r"is a TorchScript archive, which is a program: it is not run", id="TorchScript"),
        pytest.param(lambda: b"\x08\x07\x12\x07pytorch", r"is an ONNX file.*--from-onnx", id="ONNX"),
        pytest.param(lambda: b"\x89HDF\r\n\x1a\n" + bytes(90), r"is an HDF5 file, as Keras", id="HDF5"),
        pytest.param(lambda: zipped("config.json", "model.weights.h5"), r"is a Keras \(TensorFlow\) file", id="keras"),
        pytest.param(lambda: b"\x08\x01\x12\x90\x01", r"is a saved model of TensorFlow", id="saved model"),
        pytest.param(lambda: b"\x1c\0\0\0TFL3", r"is a network of TensorFlow Lite", id="tflite"),
        pytest.param(lambda: zipped("a/model.pt"), r"is a zip archive without a checkpoint", id="zip"),
        pytest.param(lambda: zipped("a/data.pkl")[:-9], r"is truncated or damaged", id="cut zip"),
        pytest.param(lambda: b"\x1f\x8b\x08", r"is a gzip archive", id="gzip"),
    ],
)
def test_other_files_are_named(content: Callable[[], bytes], message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(content())
    with pytest.raises(CheckpointError, match=message):
        read_state_dict(path)


class Settings:
    """Stands for what trainers save beside the tensors."""


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickle_with_code_is_named_and_torch_is_silent(protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(pickle.dumps({"args": Settings()}, protocol=protocol))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(CheckpointError, match=r"more than tensors|is not a PyTorch checkpoint"):
            read_state_dict(path)
    torch.save({"args": Settings(), "model": {}}, path)
    with pytest.raises(CheckpointError, match=r"holds more than tensors \([\w.]*Settings\): loading it would run code"):
        read_state_dict(path)
