"""Holds a model's config against its file, and refuses what the container's backends would refuse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ANY = -1


@dataclass(frozen=True)
class TensorInfo:
    """A tensor as the model file declares it.

    Attributes:
        data_type: as in a config, `TYPE_FP32`.
        dims: the whole shape with its batch dimension, -1 where it is dynamic.
    """

    data_type: str
    dims: tuple[int, ...]


def check_tensors(config: Mapping[str, Any], kind: str, model: Mapping[str, TensorInfo]) -> None:
    """Check names, types and dimensions of a config's inputs or outputs against the model file.

    Follows the rules of Triton's C++ ONNX Runtime backend: every input must be in the config, outputs may be left
    out; with `max_batch_size` above 0 the file's first dimension must be dynamic and is not in the config's dims;
    a dynamic dimension of an input takes any dimension of the config, one of an output must be -1 there too.

    Args:
        config: the model config, parsed from JSON.
        kind: `input` or `output`.
        model: the tensors of that kind in the file, by name.

    Raises:
        ValueError: they do not fit; the text names the tensor and both sides.
    """
    name, batched, tensors = config["name"], config["max_batch_size"] > 0, config[kind]
    if kind == "input" and len(tensors) != len(model):
        raise ValueError(
            f"model '{name}': the config has {len(tensors)} inputs, the model file has {len(model)}: {_names(model)}"
        )
    for tensor in tensors:
        where = f"model '{name}', {kind} '{tensor['name']}'"
        if tensor["name"] not in model:
            raise ValueError(f"{where}: the model file has no such {kind}, it has {_names(model)}")
        info = model[tensor["name"]]
        if tensor["data_type"] != info.data_type:
            raise ValueError(f"{where}: the config says {tensor['data_type']}, the model file {info.data_type}")
        if batched and (not info.dims or info.dims[0] != ANY):
            raise ValueError(
                f"{where}: max_batch_size {config['max_batch_size']} needs a dynamic first dimension, "
                f"but the model file's shape is {list(info.dims)}"
            )
        dims = [int(d) for d in tensor.get("reshape", {}).get("shape", tensor["dims"])]
        expected = [ANY, *dims] if batched else dims
        if not _fit(expected, info.dims, exact=kind == "output"):
            raise ValueError(
                f"{where}: the config's shape is {expected}{' with its batch dimension' if batched else ''}, "
                f"the model file's {list(info.dims)}"
            )


def _fit(config: Sequence[int], model: Sequence[int], exact: bool) -> bool:
    return len(config) == len(model) and all(
        c == m or (m == ANY and not exact) for c, m in zip(config, model, strict=True)
    )


def _names(model: Mapping[str, TensorInfo]) -> str:
    return ", ".join(f"'{name}'" for name in model)
