"""Opens model.onnx as a model config says; nothing here knows Triton, so that a program without one can do the same."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnxruntime as ort

from midas_server.backends.pieces import Arrays, Opened
from midas_server.cores import cores

# The config's `optimization.graph.level`, as the C++ backend reads it; all optimisations where it is not set.
OPTIMIZATION_LEVELS = {
    -1: ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    0: ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
    1: ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    2: ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
}

THREADS_PARAMETER = "intra_op_thread_count"


def open_session(file: Path, config: Mapping[str, Any], gpu: int | None = None, threads: int | None = None) -> Any:
    """Open a network.

    Args:
        file: the model.onnx.
        config: the model config, parsed from JSON.
        gpu: the GPU to run on, where the package was built for one (onnxruntime-gpu); None, and otherwise, the
            processor.
        threads: of a computation on the processor, whatever the config says.

    Returns:
        An `onnxruntime.InferenceSession`.

    Raises:
        ValueError: a parameter of the config has a value that is not allowed.
    """
    options = _session_options(config)
    if threads is not None:
        options.intra_op_num_threads = threads
    return ort.InferenceSession(file, options, providers=_providers(gpu))


def computed_by(session: Any, config: Mapping[str, Any]) -> Opened:
    """What computes with a session of `open_session`, in pieces where the network takes batches.

    Args:
        session: it.
        config: the model config that it was opened with.
    """
    outputs = [tensor["name"] for tensor in config["output"]]
    threads = session.get_session_options().intra_op_num_threads
    photos = threads if threads > 0 else cores()  # it takes anything below one as its own choice, too

    def compute(feeds: Arrays) -> Arrays:
        return dict(zip(outputs, session.run(outputs, feeds), strict=True))

    return Opened(compute, photos if config["max_batch_size"] > 0 else None)


def _session_options(config: Mapping[str, Any]) -> Any:
    parameters = {key: value["string_value"] for key, value in config.get("parameters", {}).items()}
    options = ort.SessionOptions()
    level = int(config.get("optimization", {}).get("graph", {}).get("level", 0))
    options.graph_optimization_level = OPTIMIZATION_LEVELS.get(level, ort.GraphOptimizationLevel.ORT_ENABLE_ALL)
    execution_mode = parameters.get("execution_mode", "0")
    if execution_mode not in ("0", "1"):
        raise ValueError(f"parameter execution_mode is {execution_mode!r}: allowed are 0 (sequential) and 1 (parallel)")
    options.execution_mode = (
        ort.ExecutionMode.ORT_PARALLEL if execution_mode == "1" else ort.ExecutionMode.ORT_SEQUENTIAL
    )
    # 0 leaves the choice to ONNX Runtime: one thread a core
    options.intra_op_num_threads = int(parameters.get(THREADS_PARAMETER, "0"))
    options.inter_op_num_threads = int(parameters.get("inter_op_thread_count", "0"))
    # Threads that spin while they wait take the cores from the steps around the network, and where anything else runs
    # they wait for each other: eight photos at once took 681 to 1420 ms so, 407 to 529 ms without, on two busy cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = _flag(parameters, "enable_mem_arena")
    if options.enable_cpu_mem_arena:
        _share_arena()
        options.add_session_config_entry("session.use_env_allocators", "1")
    options.enable_mem_pattern = _flag(parameters, "enable_mem_pattern")
    return options


@functools.cache
def _share_arena() -> None:
    """Let all sessions of this process work in one arena.

    Only one of an instance's two computes at a time (see `threads_by_load`), and an arena never gives memory back: two
    took 1774 MB after batches of eight of midas_v21_small_256, computed whole, and one that they share 1046 MB.
    """
    memory = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    ort.create_and_register_allocator(memory, None)


def _flag(parameters: Mapping[str, str], name: str) -> bool:
    value = parameters.get(name, "1").lower()
    if value not in ("0", "1", "false", "true"):
        raise ValueError(f"parameter {name} is {value!r}: allowed are 0 and 1")
    return value in ("1", "true")


def has_cuda() -> bool:
    """Whether the package was built for GPUs."""
    return "CUDAExecutionProvider" in ort.get_available_providers()


def _providers(gpu: int | None) -> list[Any]:
    providers: list[Any] = ["CPUExecutionProvider"]
    if gpu is not None and has_cuda():
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": gpu}))
    return providers
