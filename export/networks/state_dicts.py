"""From what a checkpoint holds to the tensors of one network, where there is only one way to read it.

    content of the file -> the state dict in it -> under our names -> without gaps that do not matter

What is left to doubt is refused with a sentence; `load_official` then stays strict.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from export.errors import StateDictError

Tensors = Mapping[str, object]

_DEPTH = 4  # of dicts in dicts and of prefixes: more than any trainer makes
_NO_WEIGHTS = re.compile(r"optim|sched|scaler", re.IGNORECASE)  # a trainer's own state, which may use the same names
_NAMED_IN_ERROR = 3


@dataclass(frozen=True)
class _Candidate:
    """What may be the state dict of a checkpoint.

    Attributes:
        where: the keys and prefixes that lead to it, as `model.module.`; empty for the content itself.
        tensors: its entries.
        fitting: how many of them have names that the network wants.
    """

    where: str
    tensors: Tensors
    fitting: int


def unwrapped(content: Mapping[Any, object], wanted: Tensors) -> tuple[Tensors, str]:
    """Find the one state dict in the content of a checkpoint, under whatever keys and prefixes.

    Args:
        content: a state dict, or what a trainer saves: `{"model": ..., "epoch": ...}`, prefixes such as `module.`.
        wanted: the network's tensors by name.

    Returns:
        The entries, and where they were.

    Raises:
        StateDictError: there is more than one that may be meant.
    """
    found = list(_candidates(content, wanted, "", _DEPTH))
    best = max(found, key=lambda each: (each.fitting, len(each.tensors)), default=_Candidate("", {}, 0))
    rivals = [each for each in found if each.fitting > best.fitting / 2]
    if len(rivals) > 1:
        names = " and ".join(f"'{each.where.rstrip('.') or 'the file itself'}'" for each in rivals)
        raise StateDictError(
            f"the file holds {len(rivals)} sets of this network's weights, {names}: keep the one you mean, "
            'as torch.save(torch.load(FILE, weights_only=True)["KEY"], NEW_FILE)'
        )
    return best.tensors, best.where


def _candidates(content: Mapping[Any, object], wanted: Tensors, where: str, depth: int) -> Iterator[_Candidate]:
    named = {key: value for key, value in content.items() if isinstance(key, str)}
    entries = {key: value for key, value in named.items() if isinstance(value, Tensor) or key in wanted}
    if entries:
        yield _Candidate(where, entries, sum(name in wanted for name in entries))
    if depth == 0:
        return
    heads = {name.partition(".")[0] for name in wanted}
    groups: dict[str, dict[str, object]] = {}
    for name, value in entries.items():
        head, _, rest = name.partition(".")
        if rest and head not in heads:
            groups.setdefault(head, {})[rest] = value
    inner = {key: value for key, value in named.items() if isinstance(value, Mapping)}
    for key, value in (*inner.items(), *groups.items()):
        if not _NO_WEIGHTS.search(key):
            yield from _candidates(value, wanted, f"{where}{key}.", depth - 1)


def under_our_names(given: Tensors, wanted: Tensors) -> tuple[Tensors, str]:
    """Rename the tensors of a checkpoint that was saved with a newer timm, whose trunks have other names.

    Returns:
        The tensors, and what layout was recognised; empty where the names are ours.

    Raises:
        StateDictError: the tensors are the network's by their shapes, and their names do not tell which is which.
    """
    missing, unexpected = _difference(given, wanted)
    if not missing or not unexpected:
        return given, ""
    # Swin: what leads from one stage to the next belongs to the later stage there, and the classifier's name is longer.
    shifted = {_as_in_old_swin(name): tensor for name, tensor in given.items()}
    if len(shifted) == len(given) and not _difference(shifted, wanted)[1]:
        return shifted, "a newer timm's Swin"
    new_names = all(name.startswith("pretrained.model.") for name in unexpected) and any(
        ".stages." in name for name in unexpected
    )
    if not new_names or Counter(_shape(wanted[name]) for name in missing) != Counter(
        _shape(given[name]) for name in unexpected
    ):
        return given, ""
    # LeViT and Next-ViT: the same tensors in the same order under other names.
    same_order = _counts_up(unexpected) and all(
        _shape(wanted[ours]) == _shape(given[theirs]) and ours.rpartition(".")[2] == theirs.rpartition(".")[2]
        for ours, theirs in zip(missing, unexpected, strict=True)
    )
    if not same_order:
        raise StateDictError(
            f"the file has this network's tensors as a newer timm names them, such as {unexpected[0]}, in an order "
            "that does not tell which is which: save it again with torch.save, without sorting, or with timm 0.6.12"
        )
    ours_of = dict(zip(unexpected, missing, strict=True))
    return {ours_of.get(name, name): tensor for name, tensor in given.items()}, "a newer timm's names"


def _as_in_old_swin(name: str) -> str:
    name = re.sub(r"\.head\.fc\.", ".head.", name)
    return re.sub(r"(\.layers\.)(\d+)(\.downsample\.)", lambda found: f"{found[1]}{int(found[2]) - 1}{found[3]}", name)


def _counts_up(names: Sequence[str]) -> bool:
    """Whether stages and blocks come in their order: in names that were sorted as text, 10 comes before 2."""
    places = [re.search(r"\.stages\.(\d+)\.(?:blocks\.(\d+))?", name) for name in names]
    numbers = [(int(place[1]), int(place[2] or -1)) for place in places if place]
    return all(a <= b for a, b in pairwise(numbers))


def _difference(given: Tensors, wanted: Tensors) -> tuple[list[str], list[str]]:
    """Names that are missing, and those that nobody wants, each in their own order."""
    return [name for name in wanted if name not in given], [name for name in given if name not in wanted]


def completed(given: Tensors, wanted: Tensors, network: nn.Module, side: int) -> Tensors:
    """Fill gaps that do not matter: tensors that take no part in the depth, such as a classifier's.

    Args:
        given: the checkpoint's tensors under our names; one that takes no part may also have another shape.
        wanted: the network's own, which fill the gaps.
        network: tells which of them take part.
        side: of an input that the network takes.
    """
    gaps = [name for name, tensor in wanted.items() if _shape(given.get(name)) != _shape(tensor)]
    idle = _idle(network, side) if gaps else set()
    return {**given, **{name: wanted[name] for name in gaps if name in idle}}


def _idle(network: nn.Module, side: int) -> set[str]:
    """The tensors that the depth does not depend on: those without a gradient, found on shapes without memory."""
    with torch.device("meta"):
        shapes = {name: torch.empty_like(tensor, device="meta") for name, tensor in network.state_dict().items()}
        leaves = {name: shapes[name].requires_grad_() for name, _ in network.named_parameters()}
        buffers = {name: torch.empty_like(buffer, device="meta") for name, buffer in network.named_buffers()}
        depth = torch.func.functional_call(network, {**buffers, **leaves}, (torch.zeros(1, 3, side, side),))
        depth.sum().backward()
    idle = {name for name, leaf in leaves.items() if leaf.grad is None}
    # A norm's statistics go with its weights.
    return idle | {name for name in shapes if f"{name.rpartition('.')[0]}.weight" in idle}


def refuse_unusable(given: Tensors) -> None:
    """Refuse weights that are no numbers.

    Raises:
        StateDictError: names the first tensors with NaN, infinity, or of a type that is no floating point.
    """
    broken = [
        name
        for name, tensor in given.items()
        if isinstance(tensor, Tensor) and tensor.is_floating_point() and not bool(torch.isfinite(tensor.float()).all())
    ]
    if broken:
        more = f" and {len(broken) - _NAMED_IN_ERROR} more" if len(broken) > _NAMED_IN_ERROR else ""
        raise StateDictError(
            f"{len(broken)} of {len(given)} tensors have values that are not finite (NaN or infinity): "
            f"{', '.join(broken[:_NAMED_IN_ERROR])}{more}. A training that went wrong leaves such a file: "
            "give an earlier checkpoint of it"
        )


def _shape(tensor: object) -> tuple[int, ...] | None:
    return tuple(tensor.shape) if isinstance(tensor, Tensor) else None
