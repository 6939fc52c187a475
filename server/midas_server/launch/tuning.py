"""Instances and threads for this machine, put over the configs that export wrote for any machine.

The configs in the repository stay as they are: each step is loaded again with its own config, changed, before the
server counts as started. docs/serving.md has the rule for how many.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from midas_server.backends.threads_by_load import share_of_cores
from midas_server.cores import fewer_cores

# What each backend calls the number of threads of one instance; TensorRT has none.
THREADS_PARAMETER = {"onnxruntime": "intra_op_thread_count", "openvino": "INFERENCE_NUM_THREADS"}


@dataclass(frozen=True)
class Tuning:
    """What to change; None leaves a number to the configs.

    Attributes:
        step_instances: processes of each preprocess step and of postprocess.
        network_instances: instances of each network; each holds the weights once more.
        network_threads: threads of each network instance, on a processor.

    Raises:
        ValueError: a number is below 1.
    """

    step_instances: int | None = None
    network_instances: int | None = None
    network_threads: int | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and value < 1:
                raise ValueError(f"{name.replace('_', ' ')}: {value} is not allowed, the least is 1")

    def changed(self, config: Mapping[str, Any], *, shared_out: bool = False) -> dict[str, Any] | None:
        """A model's config with these numbers; None where they change nothing, as for an ensemble.

        Args:
            config: what the model runs with.
            shared_out: whether each instance of an ONNX Runtime network gets its share of the cores where
                `network_threads` is None. Our own backend does so by itself while others are at work; Triton's gives
                each instance a thread for every core, and they spin. An OpenVINO instance gets the cores that this
                process may use, where the machine has more.
        """
        if "ensemble_scheduling" in config:
            return None
        tuned: dict[str, Any] = {**config, "parameters": dict(config.get("parameters", {}))}
        backend = config.get("backend", "")
        instances = self.step_instances if backend == "python" else self.network_instances
        if instances is not None:
            tuned["instance_group"] = [{**group, "count": instances} for group in config["instance_group"]]
        threads = self.network_threads
        if threads is None and shared_out and backend in THREADS_PARAMETER:
            threads = share_of_cores(tuned, THREADS_PARAMETER[backend])
            if backend == "openvino" and threads is not None:
                threads = fewer_cores()
        if threads is not None and backend in THREADS_PARAMETER:
            tuned["parameters"][THREADS_PARAMETER[backend]] = {"string_value": str(threads)}
        return None if tuned == {"parameters": {}, **config} else tuned
