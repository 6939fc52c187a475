"""The requests of one `execute` as one batch: merged, computed at once, and taken apart again.

Batching, instances and queues are Triton's own affair: what it hands over together has equal shapes.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

from midas_server.backends.pieces import Arrays, Compute
from midas_server.metrics import Restarts
from midas_server.progress import BatchCounters
from midas_server.request_names import request_names

# What ONNX Runtime and OpenVINO say, on a processor and on a GPU.
_NO_MEMORY = ("bad_alloc", "bad allocation", "failed to allocate", "out of memory", "can't allocate", "cannot allocate")
_TOLD = 500  # characters of a runtime's message that the caller gets


class BatchedModel:
    """What every backend does with a model, whichever runtime computes it.

    Args:
        config: the model config, parsed from JSON.
        runtime: name of the runtime, for messages.
        compute: arrays by input name to arrays by output name.
    """

    def __init__(self, config: Mapping[str, Any], runtime: str, compute: Compute) -> None:
        self.name, self.runtime, self.compute = config["name"], runtime, compute
        self.inputs = [tensor["name"] for tensor in config["input"]]
        self.outputs = [tensor["name"] for tensor in config["output"]]
        self.batched = config["max_batch_size"] > 0
        self.restarts = Restarts(config)
        self.progress = BatchCounters()

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answer each request with its rows, or all of them with the runtime's error."""
        with self.progress:
            if not self.batched:
                return [self._run([request])[0] for request in requests]
            return self._run(requests)

    def _run(self, requests: Sequence[Any]) -> list[Any]:
        try:
            results = self.compute({name: _merged([_array(r, name) for r in requests]) for name in self.inputs})
            ends = np.cumsum([len(_array(request, self.inputs[0])) for request in requests])
            if self.batched:
                _check_rows(results, int(ends[-1]))
        except Exception as error:  # noqa: BLE001  (runtimes raise many kinds; each request must be answered)
            failure = pb_utils.TritonError(self._told(error, requests), pb_utils.TritonError.INTERNAL)
            return [pb_utils.InferenceResponse(output_tensors=[], error=failure) for _ in requests]
        if not self.batched:
            return [self._response(results)]
        starts = [0, *ends[:-1]]
        return [
            self._response({name: result[start:end] for name, result in results.items()})
            for start, end in zip(starts, ends, strict=True)
        ]

    def _told(self, error: Exception, requests: Sequence[Any]) -> str:
        """What failed and what to do, for the caller; the runtime's own words, which may be long, go to the log."""
        pb_utils.Logger.log_error(f"{request_names(requests)}{self.name}: {self.runtime} failed: {error}")
        if any(word in str(error).lower() for word in _NO_MEMORY) or isinstance(error, MemoryError):
            return f"{self.name}: {self.runtime} ran out of memory: ask for a smaller resolution, or try again later"
        return f"{self.name}: {self.runtime} failed: {str(error).strip()[:_TOLD]}"

    def _response(self, arrays: Arrays) -> Any:
        return pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor(name, arrays[name]) for name in self.outputs])


def model_file(args: Mapping[str, str], config: Mapping[str, Any], default: str) -> Path:
    """The model's file; raises FileNotFoundError where it is missing."""
    name = config.get("default_model_filename") or default
    file = Path(args["model_repository"]) / args["model_version"] / name
    if not file.is_file():
        raise FileNotFoundError(f"model '{config['name']}': there is no {file}: export the variant again")
    return file


def _array(request: Any, name: str) -> Any:
    return pb_utils.get_input_tensor_by_name(request, name).as_numpy()


def _check_rows(results: Arrays, rows: int) -> None:
    for name, result in results.items():
        if len(result) != rows:
            raise ValueError(f"output '{name}' has {len(result)} rows for a batch of {rows}: set max_batch_size to 1")


def _merged(arrays: Sequence[Any]) -> Any:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
