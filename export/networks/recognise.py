"""Tell from the names and shapes of its tensors which variant a checkpoint belongs to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from export.variants import VARIANTS

Shapes = Mapping[str, str]  # by tensor name, as "64x3x7x7"

# Below this share of fitting tensors a likeness says nothing: the decoders of all variants have names in common.
_LIKE = 0.5


@dataclass(frozen=True)
class Likeness:
    """How well a checkpoint fits a variant.

    Attributes:
        variant: the row of the table that fits best.
        fitting: how many tensors have both the name and the shape that this row's network wants.
        wanted: how many tensors that network has.
    """

    variant: str
    fitting: int
    wanted: int

    def __str__(self) -> str:
        return f"{self.variant} ({self.fitting} of {self.wanted} tensors fit)"


def recognise(given: Shapes, shapes_of: Callable[[str], Shapes]) -> Likeness | None:
    """Return the variant whose network is most like a checkpoint, or None where none is much like it.

    The networks are built on PyTorch's meta device, as shapes without memory.

    Args:
        given: the checkpoint's tensors.
        shapes_of: builds the network of a variant and returns its tensors.
    """
    best, best_share = None, 0.0
    for name in VARIANTS:
        with torch.device("meta"):
            wanted = shapes_of(name)
        fitting = fitting_tensors(given, wanted)
        share = fitting / max(len(given), len(wanted), 1)
        if share > best_share:
            best, best_share = Likeness(name, fitting, len(wanted)), share
        if share == 1:
            break
    return best if best_share >= _LIKE else None


def fitting_tensors(given: Shapes, wanted: Shapes) -> int:
    """How many tensors of `wanted` are in `given` with the same shape."""
    return sum(given.get(tensor) == shape for tensor, shape in wanted.items())
