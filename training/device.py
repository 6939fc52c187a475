"""What a network is trained on."""

import torch

from training.errors import TrainingError

CHOICES = ("auto", "cpu", "cuda")


def choose_device(name: str) -> torch.device:
    """The GPU where there is one and `name` is "auto"; else what is named.

    Raises:
        TrainingError: "cuda" without a GPU that PyTorch can use.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise TrainingError("--device cuda: this PyTorch finds no GPU; take --device cpu, or install a CUDA build")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")
