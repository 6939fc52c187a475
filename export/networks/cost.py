"""What a variant's network costs: parameters, and arithmetic for one image."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from export.networks import build
from export.variants.row import Variant


def parameters_and_gflops(variant: Variant) -> tuple[int, float]:
    """Return the number of parameters, and 10^9 floating-point operations for one image of resolution x resolution.

    PyTorch counts convolutions and matrix products, a multiplication and an addition as two operations. The network is
    built and run on the meta device, which computes shapes and nothing else, so that the largest takes no memory.
    """
    with torch.device("meta"):
        # PyTorch's counter asks where each input of a module comes from, if gradients flow to it.
        network = build(variant.name).requires_grad_(False)
        image = torch.empty(1, 3, variant.resolution, variant.resolution)
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter:
        network(image)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return parameters, counter.get_total_flops() / 1e9
