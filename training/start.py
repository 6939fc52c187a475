"""What a training starts from: fresh weights, an encoder from ImageNet, or a checkpoint."""

from pathlib import Path

import torch
from torch import nn

from export.errors import ExportError
from export.networks import build
from export.variants.row import Variant
from export.weights.load import load_checkpoint
from training.encoder import imagenet_file, load_imagenet
from training.errors import TrainingError
from training.losses import CENTRE


def fresh(variant: str, *, encoder: str, seed: int) -> nn.Module:
    """The network of `variant`, ready to be trained, the same for the same seed.

    The decoder's last bias is where the loss holds the output's middle: the ReLU after it clips nothing at first, and
    every pixel has a gradient.

    Args:
        variant: a network of the small MiDaS manner, whose head is `scratch.output_conv`.
        encoder: "imagenet" or "none".
        seed: of the random weights.

    Raises:
        TrainingError: the pretrained encoder is not there, or is not this network's.
    """
    torch.manual_seed(seed)
    network = build(variant)
    if encoder == "none":
        for module in network.get_submodule("pretrained").modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out" if module.groups == 1 else "fan_in")
    # The decoder keeps torch's small initial weights: it has no normalisation, and with larger ones the first steps
    # throw the output below zero everywhere, where the last ReLU has no gradient.
    last = network.get_submodule("scratch.output_conv.4")
    if isinstance(last, nn.Conv2d) and last.bias is not None:
        nn.init.constant_(last.bias, CENTRE)
    if encoder == "imagenet":
        load_imagenet(network.get_submodule("pretrained"), imagenet_file())
    return network


def load(network: nn.Module, variant: Variant, path: Path) -> None:
    """Copy a checkpoint into the variant's network; raises TrainingError where it does not fit."""
    try:
        load_checkpoint(network, variant, path)
    except ExportError as error:
        raise TrainingError(str(error)) from error
    except OSError as error:
        raise TrainingError(f"{path}: {error.strerror or error}") from error
