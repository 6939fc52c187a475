"""From a run to the file of weights that ships with the project."""

import io
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from export.errors import ExportError
from export.graph.parity import noise, relative_error
from export.graph.trace import FromPixels
from export.networks import build, load_official
from export.variants import variant_named
from export.variants.row import Variant
from export.weights.checkpoints import SHIPPED_FOLDER, read_state_dict
from training.errors import TrainingError
from training.run import CHECKPOINT, write_whole


def export_weights(run: Path, variant: str, out: Path | None = None) -> tuple[Path, float]:
    """Write the averaged weights of a run, in half precision and under the variant's tensor names.

    Args:
        run: its folder.
        variant: the row of the table that it trained.
        out: the file; by default the one that ships with the project.

    Returns:
        The file, and the relative error that half precision makes in the network's output.

    Raises:
        TrainingError: there is no checkpoint, it is another network's, or a weight does not fit half precision.
    """
    row = variant_named(variant)
    try:
        average = read_state_dict(run / CHECKPOINT)["average"]
        whole = build(variant)
        load_official(whole, average if isinstance(average, dict) else {})
        halved = {name: _half(name, tensor) for name, tensor in whole.state_dict().items()}
        half = build(variant)
        load_official(half, halved)
    except (ExportError, OSError, KeyError) as error:
        raise TrainingError(f"{run} is no run of {variant} with a checkpoint: {error}") from error
    buffer = io.BytesIO()
    torch.save(halved, buffer)
    path = out or SHIPPED_FOLDER / row.source.file
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, buffer.getvalue())
    return path, _difference(half, whole, row)


def _half(name: str, tensor: Tensor) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    halved = tensor.half().contiguous()
    if not bool(torch.isfinite(halved).all()):
        raise TrainingError(f"{name} has values that half precision cannot hold: train with a smaller --lr")
    return halved


def _difference(network: nn.Module, reference: nn.Module, variant: Variant) -> float:
    pixels = torch.from_numpy(noise((1, variant.resolution, variant.resolution)))
    with torch.inference_mode():
        outputs = [
            np.asarray(FromPixels(each, variant.mean, variant.std).eval()(pixels).numpy(), np.float32)
            for each in (network, reference)
        ]
    return relative_error(*outputs)
