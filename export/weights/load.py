"""The one road from a checkpoint file into a network, for every command that reads one."""

from pathlib import Path

from torch import nn

from export.errors import StateDictError
from export.networks import load_official, without_constants
from export.networks.state_dicts import completed, refuse_unusable, under_our_names, unwrapped
from export.variants.row import Variant
from export.weights.checkpoints import read_state_dict


def load_checkpoint(network: nn.Module, variant: Variant, path: Path) -> str:
    """Copy the weights in `path` into `network`, which is untouched unless everything fits.

    Args:
        network: of `variant`.
        variant: its row of the table.
        path: a state dict or a trainer's checkpoint, from PyTorch or safetensors.

    Returns:
        What was done to the file's content, for the user; empty for a state dict of the official names.

    Raises:
        CheckpointError: no checkpoint, or not this network's; the message begins with the path.
    """
    content = read_state_dict(path)
    wanted = without_constants(network.state_dict())
    try:
        found, where = unwrapped(content, wanted)
        named, layout = under_our_names(without_constants(found), wanted)
        refuse_unusable(named)
        load_official(network, completed(named, wanted, network, variant.resolution))
    except StateDictError as error:
        raise StateDictError(f"{path}: {error}") from error
    done = [f"taken from '{where}'"] if where else []
    done += [f"renamed from {layout}"] if layout else []
    return ", ".join(done)
