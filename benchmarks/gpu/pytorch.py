"""How fast a network is in PyTorch: eager and compiled, one image at a time, and in the batch that gives the most."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import torch
from torch import nn

from benchmarks.gpu.device import Seen, Watch
from export.networks import build
from export.networks.dino_v2 import Positions
from export.variants import VARIANTS

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}

_WARM_UP = 3
_FEWEST = 5
_GAIN = 1.03
"""How many times as many images a second a batch of twice the size has to give, for a still larger one to be tried."""


@dataclass(frozen=True)
class Timing:
    """One batch size: median milliseconds of an execution, the most memory in MB, the GPU meanwhile."""

    batch: int
    ms: float
    memory_mb: float | None
    seen: Seen

    @property
    def images_per_second(self) -> float:
        """Images a second."""
        return 1000 * self.batch / self.ms


def batches(largest: int) -> list[int]:
    """1, 2, 4 and so on, up to `largest`."""
    return [2**power for power in range(largest.bit_length()) if 2**power <= largest]


def time_network(
    name: str,
    *,
    compiled: bool,
    precision: str,
    device: str,
    tried: Sequence[int],
    seconds: float,
    watch: Watch,
    keep: Callable[[Timing], None],
) -> None:
    """Time a network with arbitrary weights; hand each batch size to `keep` as soon as it is measured.

    Batches grow until they give hardly more images a second, or the memory is full. Input: normalised (B, 3, H, W),
    square, at the network's default resolution.

    Args:
        name: a variant.
        compiled: with torch.compile, else eager.
        precision: of weights and activations.
        device: "cuda" or "cpu".
        tried: the batch sizes, ascending.
        seconds: of one measurement.
        watch: reads the GPU meanwhile.
        keep: takes each timing.
    """
    side = VARIANTS[name].resolution
    network: nn.Module = in_precision(name, DTYPES[precision], device)
    if compiled:
        # On a GPU with CUDA graphs: a small network alone spends most of its time starting kernels otherwise.
        torch._dynamo.reset()
        network = torch.compile(network, mode="reduce-overhead" if device == "cuda" else "default", dynamic=False)  # type: ignore[assignment]
    best = 0.0
    try:
        for batch in tried:
            images = torch.rand(batch, 3, side, side, device=device, dtype=DTYPES[precision])
            try:
                timing = _time(network, images, seconds, watch)
            except torch.OutOfMemoryError:
                return
            keep(timing)
            if timing.images_per_second < _GAIN * best:
                return
            best = max(best, timing.images_per_second)
    finally:
        del network
        if device == "cuda":
            torch.cuda.empty_cache()


def in_precision(name: str, dtype: torch.dtype, device: str) -> nn.Module:
    """A network with arbitrary weights. Depth Anything's positions stay in float32, as in the exported builds."""
    with torch.device(device):
        network = build(name).to(device=device, dtype=dtype)
    for module in network.modules():
        if isinstance(module, Positions):
            module.register_forward_pre_hook(lambda _, given: (given[0].float(), *given[1:]))
            module.register_forward_hook(lambda _, __, positions: positions.to(dtype))
    return network


def _time(network: nn.Module, images: torch.Tensor, seconds: float, watch: Watch) -> Timing:
    gpu = images.device.type == "cuda"

    def once() -> float:
        started = time.perf_counter()
        with torch.inference_mode():
            network(images)
        if gpu:
            torch.cuda.synchronize()
        return 1000 * (time.perf_counter() - started)

    if gpu:
        torch.cuda.reset_peak_memory_stats()
    for _ in range(_WARM_UP):
        once()
    with watch.watching() as seen:
        times: list[float] = []
        end = time.perf_counter() + seconds
        while len(times) < _FEWEST or time.perf_counter() < end:
            times.append(once())
    memory = torch.cuda.max_memory_allocated() / 1e6 if gpu else None
    return Timing(len(images), median(times), memory, seen)
