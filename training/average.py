"""A moving average of a network's weights and statistics, which is steadier than the weights themselves."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Average:
    """Exponential moving average (Polyak averaging, in the form that is usual for deep networks).

    Over the first steps the average reaches less far back than `decay` says, since what it would reach back to is
    random: after `n` updates the decay is at most (1 + n) / (10 + n), as in TensorFlow's ExponentialMovingAverage.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self._live = dict(network.state_dict())
        self._kept = {name: tensor.detach().clone() for name, tensor in self._live.items()}
        self._floats = [name for name, tensor in self._live.items() if tensor.is_floating_point()]

    @torch.no_grad()
    def update(self) -> None:
        """Take the network's present weights in."""
        share = 1 - min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        torch._foreach_lerp_([self._kept[n] for n in self._floats], [self._live[n] for n in self._floats], share)

    def state_dict(self) -> dict[str, Tensor]:
        """The averaged tensors under the network's names; counters are left out."""
        return {name: self._kept[name] for name in self._floats}

    def load(self, tensors: Mapping[str, Tensor], updates: int) -> None:
        """Go on from what `state_dict` gave, after as many updates."""
        for name in self._floats:
            self._kept[name].copy_(tensors[name])
        self.updates = updates
