"""One step of training: photos in, gradients back, weights a little better."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from export.graph.trace import FromPixels
from export.networks import build, load_official
from export.variants.row import Variant
from training.average import Average
from training.batches import Batch
from training.errors import TrainingError
from training.losses import Place, depth_loss
from training.precision import Name, keep_depthwise_in_float32, mixed

BETAS = (0.9, 0.99)
LARGEST_GRADIENT = 1.0  # norm over all weights


@dataclass(frozen=True, kw_only=True)
class Rates:
    """How fast to learn, and what.

    Attributes:
        decoder: learning rate of the decoder at its peak.
        encoder: the same of the encoder.
        weight_decay: of convolutions and matrices; never of biases and norms.
        trim: share of worst pixels that the loss leaves out.
        gradient: weight of the loss's gradient term.
        place: where the loss holds the network's output.
        average: decay of the moving average of the weights.
        fixed_statistics: leave the batch normalisation's means and variances as they are, for few photos.
    """

    decoder: float
    encoder: float
    weight_decay: float
    trim: float
    gradient: float
    place: Place
    average: float
    fixed_statistics: bool = False


@dataclass(frozen=True)
class Losses:
    """What a step's batch cost before the step; see `training.losses.Loss`.

    Attributes:
        total: what is minimised.
        ssi: the scale- and shift-invariant part.
        gradient: the part of the gradients, before its weight.
    """

    total: float
    ssi: float
    gradient: float


class Optimisation:
    """A network and what changes it."""

    def __init__(
        self, network: nn.Module, variant: Variant, rates: Rates, device: torch.device, precision: Name
    ) -> None:
        self.network = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.variant, self.rates, self.device, self.precision = variant, rates, device, precision
        if device.type == "cpu" and precision != "float32":
            keep_depthwise_in_float32(self.network)
        self._pixels = FromPixels(self.network, variant.mean, variant.std).to(device)
        self.optimizer = torch.optim.AdamW(list(self._groups()), betas=BETAS, fused=True)
        self.scaler = torch.amp.GradScaler(device.type, enabled=precision == "float16")
        self.average = Average(self.network, rates.average)

    def step(self, batch: Batch, rate: float) -> Losses:
        """Learn from one batch at `rate` (0..1) of the learning rates.

        Raises:
            TrainingError: the loss is not a number any more.
        """
        self._training_mode()
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * rate
        photos = batch.photos.to(self.device, non_blocking=True)
        truths = batch.truths.to(self.device, non_blocking=True)
        with mixed(self.precision, self.device):
            prediction = self._pixels(photos)
        rates = self.rates
        loss = depth_loss(prediction.float(), truths, trim=rates.trim, gradient=rates.gradient, place=rates.place)
        losses = Losses(*torch.stack([loss.total, loss.ssi, loss.gradient]).detach().tolist())
        if not losses.total < float("inf"):
            raise TrainingError("the loss is not a number any more: go on from a checkpoint with a smaller --lr")
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss.total).backward()  # type: ignore[no-untyped-call]
        self.scaler.unscale_(self.optimizer)
        nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_GRADIENT)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.average.update()
        return losses

    def averaged(self) -> nn.Module:
        """A network of its own with the moving average of the weights, in evaluation mode."""
        network = build(self.variant.name).to(self.device)
        load_official(network, self.average.state_dict())
        return network

    def state(self) -> dict[str, object]:
        """Everything that the next step depends on, but the batch."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "average_updates": self.average.updates,
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.network.load_state_dict(state["network"])
        self.average.load(state["average"], state["average_updates"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])

    def _groups(self) -> Iterator[dict[str, object]]:
        encoder, decoder = self.rates.encoder, self.rates.decoder
        for peak, belongs in ((encoder, True), (decoder, False)):
            parameters = [
                parameter
                for name, parameter in self.network.named_parameters()
                if name.startswith("pretrained.") == belongs
            ]
            for decay, matrices in ((self.rates.weight_decay, True), (0.0, False)):
                chosen = [parameter for parameter in parameters if (parameter.ndim > 1) == matrices]
                yield {"params": chosen, "peak": peak, "lr": peak, "weight_decay": decay}

    def _training_mode(self) -> None:
        self.network.train()
        if self.rates.fixed_statistics:
            for module in self.network.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
