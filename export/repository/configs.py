"""The text of Triton's config.pbtxt for each step of a network's ensemble.

It depends on the table's row and, for the network, on its build; never on weights. Every tensor is declared in full,
since a server in strict mode (`--disable-auto-complete-config`) fills in nothing. No model may have a response cache:
its key leaves out the request's parameters, so it would answer one request with another's result.
"""

from collections.abc import Iterable

from typing_extensions import assert_never

from export.repository.plan_config import plan_config
from export.repository.scheduling import (
    INSTANCES,
    ONE_BY_ONE,
    POSTPROCESS_WARMUP,
    PREPROCESS_WARMUP,
    dynamic_batching,
    network_warmup,
)
from export.targets.builds import Build
from export.targets.common_sizes import common_sizes
from export.targets.tensorrt.manifest import capabilities_of
from export.targets.tensorrt.profile import largest_side
from export.variants.row import ServedNetwork
from midas_server.repository import CONFIG_FILE, PYTHON_BACKEND_CONFIG, network_model, preprocess_model

_ONNX = Build()
LARGEST_SMALL = 60_000_000  # weights up to which a network counts as small: 240 MB in float32
MOST_TO_WARM = 4_000_000_000_000  # weights times pixels of its square up to which a network warms up at many sizes
METRES = "# INVERSE_DEPTH, the name that all networks share, holds depth in metres here: larger is farther.\n"
POSTPROCESS_BATCH = 8  # photos that one execution takes; it runs them one after the other
PREPROCESS_BATCH = 2  # fewer: a photo waits for all of its batch, and beside a busy network preprocess is slow


def ensemble_config(network: ServedNetwork) -> str:
    """Photo bytes in, depth out, through the three steps."""
    return f"""\
name: "{network.name}"
platform: "ensemble"
max_batch_size: 1
input [ {{ name: "IMAGE" data_type: TYPE_STRING dims: [ 1 ] }} ]
output [
  {{ name: "DEPTH" data_type: TYPE_FP32 dims: [ -1, -1 ] }},
  {{ name: "ENCODED" data_type: TYPE_STRING dims: [ 1 ] }},
  {{ name: "INFO" data_type: TYPE_STRING dims: [ 1 ] }}
]
ensemble_scheduling {{
  step [
    {{
      model_name: "{preprocess_model(network.name)}"
      model_version: -1
      input_map {{ key: "IMAGE" value: "IMAGE" }}
      output_map {{ key: "PIXELS" value: "PIXELS" }}
      output_map {{ key: "GUIDE" value: "GUIDE" }}
      output_map {{ key: "REQUEST" value: "REQUEST" }}
    }},
    {{
      model_name: "{network_model(network.name)}"
      model_version: -1
      input_map {{ key: "PIXELS" value: "PIXELS" }}
      output_map {{ key: "INVERSE_DEPTH" value: "INVERSE_DEPTH" }}
    }},
    {{
      model_name: "postprocess"
      model_version: -1
      input_map {{ key: "INVERSE_DEPTH" value: "INVERSE_DEPTH" }}
      input_map {{ key: "GUIDE" value: "GUIDE" }}
      input_map {{ key: "REQUEST" value: "REQUEST" }}
      output_map {{ key: "DEPTH" value: "DEPTH" }}
      output_map {{ key: "ENCODED" value: "ENCODED" }}
      output_map {{ key: "INFO" value: "INFO" }}
    }}
  ]
}}
"""


def preprocess_config(network: ServedNetwork, build: Build = _ONNX) -> str:
    """Photo bytes to pixels at network size; the parameters are all that the server knows of the network."""
    # A plan's shapes are a box, the row bounds an area: a long photo may fit into the area and not into the box.
    boxed = build.target == "tensorrt" and network.any_aspect
    max_side = largest_side(network) if boxed else network.max_side
    more = {} if max_side is None else {"max_side": str(max_side)}
    if network.aspect != "keep" and network.any_aspect:
        more["aspect"] = network.aspect
    more["kind"] = network.kind
    if network.max_depth is not None:
        more["max_depth"] = f"{network.max_depth:g}"
    if network.upsampling != "bicubic":
        more["upsampling"] = network.upsampling
    if network.licence is not None:
        more["licence"] = network.licence
    parameters = "".join(_parameter(key, value) + "\n" for key, value in more.items())
    return f"""\
name: "{preprocess_model(network.name)}"
backend: "python"
max_batch_size: {PREPROCESS_BATCH}
input [ {{ name: "IMAGE" data_type: TYPE_STRING dims: [ 1 ] }} ]
output [
  {{ name: "PIXELS" data_type: TYPE_UINT8 dims: [ -1, -1, 3 ] }},
  {{ name: "GUIDE" data_type: TYPE_UINT8 dims: [ -1, -1, 3 ] }},
  {{ name: "REQUEST" data_type: TYPE_STRING dims: [ 1 ] }}
]
instance_group [ {{ kind: KIND_CPU count: {INSTANCES} }} ]
{dynamic_batching()}
{PREPROCESS_WARMUP}
parameters {{ key: "variant" value {{ string_value: "{network.name}" }} }}
parameters {{ key: "resolution" value {{ string_value: "{network.resolution}" }} }}
parameters {{ key: "resize" value {{ string_value: "{network.resize}" }} }}
parameters {{ key: "max_area" value {{ string_value: "{network.max_area}" }} }}
parameters {{ key: "multiple" value {{ string_value: "{network.multiple}" }} }}
{parameters}"""


def network_configs(network: ServedNetwork, build: Build = _ONNX, files: Iterable[str] = ()) -> dict[str, str]:
    """Pixels to depth, by the backend of the build's target, and by our own where that wants another config.

    Args:
        network: the row.
        build: what it is served as.
        files: names of the build's model files.

    Returns:
        Configs by the name of their file.
    """
    match build.target:
        case "tensorrt":
            configs = {CONFIG_FILE: plan_config(network, capabilities_of(files))}
        case "openvino":
            configs = {
                CONFIG_FILE: _openvino(network, build, batch=1, instances=_instances(network)),
                PYTHON_BACKEND_CONFIG: _openvino(network, build, batch=ONE_BY_ONE, instances=network.instances or 1),
            }
        case "onnx":
            configs = {CONFIG_FILE: _onnxruntime(network)}
        case _:
            assert_never(build.target)
    heading = "" if network.max_depth is None else METRES
    return {file: f"{heading}{config}" for file, config in configs.items()}


def network_config(network: ServedNetwork, build: Build = _ONNX, files: Iterable[str] = ()) -> str:
    """The one of `network_configs` for Triton's own backends; ours takes it too where it has none of its own."""
    return network_configs(network, build, files)[CONFIG_FILE]


def small(network: ServedNetwork) -> bool:
    """Whether its weights may lie in memory twice."""
    return network.weight_count <= LARGEST_SMALL


def _instances(network: ServedNetwork) -> int:
    """A large network, whose weights lie in memory once for each instance, has one, and the waits that come with it."""
    return network.instances or (INSTANCES if small(network) else 1)


def _onnxruntime(network: ServedNetwork) -> str:
    """Without an instance kind it runs on a GPU where the server has one, else on the CPU.

    ONNX Runtime plans its memory anew for every shape, so a small network sees photos of all common shapes and a full
    batch before the first request. A slow one sees a single photo: the rest would hold up the start for many seconds.
    """
    sizes = common_sizes(network)
    warm = [(1, *sizes[0])]
    if network.weight_count * network.resolution**2 <= MOST_TO_WARM:
        warm = [*((1, *size) for size in sizes), (network.max_batch_size, *sizes[0])]
    return f"""\
name: "{network_model(network.name)}"
backend: "onnxruntime"
max_batch_size: {network.max_batch_size}
{_network_tensors(network)}
instance_group [ {{ count: {_instances(network)} }} ]
{dynamic_batching()}
{network_warmup(warm)}
"""


def _openvino(network: ServedNetwork, build: Build, *, batch: int, instances: int) -> str:
    """The official backend takes one photo at a time: it runs every batch at `max_batch_size`, and pads it.

    Ours takes several, and computes them one after the other; see `ONE_BY_ONE`. The official one also takes no instance
    kind but the CPU. The latency hint gives one request all cores; more instances, not more streams, are what a machine
    with many cores wants.

    Of the two precision parameters the official backend knows HINT_BF16 only, and computes in bfloat16 without it too
    where the processor can: OpenVINO's own default. The backend for a machine without the container obeys both.
    """
    parameters = [_parameter("PERFORMANCE_HINT", "LATENCY")]
    if build.precision == "bf16":
        parameters.append(_parameter("HINT_BF16", "YES"))
    else:
        parameters.append(_parameter("INFERENCE_PRECISION_HINT", "f32"))
    if batch > 1:
        parameters.append(_parameter("ONE_BY_ONE", "YES"))
    lines = "\n".join(parameters)
    return f"""\
name: "{network_model(network.name)}"
backend: "openvino"
max_batch_size: {batch}
{_network_tensors(network)}
instance_group [ {{ kind: KIND_CPU count: {instances} }} ]
{dynamic_batching()}
{network_warmup([(1, *common_sizes(network)[0])])}
{lines}
"""


def _network_tensors(network: ServedNetwork) -> str:
    sides = f"{network.resolution}, {network.resolution}" if network.fixed_size else "-1, -1"
    return f"""\
input [ {{ name: "PIXELS" data_type: TYPE_UINT8 dims: [ {sides}, 3 ] }} ]
output [ {{ name: "INVERSE_DEPTH" data_type: TYPE_FP32 dims: [ {sides} ] }} ]"""


def _parameter(key: str, value: str) -> str:
    return f'parameters {{ key: "{key}" value {{ string_value: "{value}" }} }}'


def postprocess_config() -> str:
    """The network's output to what the request asked for; shared by all networks."""
    return f"""\
name: "postprocess"
backend: "python"
max_batch_size: {POSTPROCESS_BATCH}
input [
  {{ name: "INVERSE_DEPTH" data_type: TYPE_FP32 dims: [ -1, -1 ] }},
  {{ name: "GUIDE" data_type: TYPE_UINT8 dims: [ -1, -1, 3 ] }},
  {{ name: "REQUEST" data_type: TYPE_STRING dims: [ 1 ] }}
]
output [
  {{ name: "DEPTH" data_type: TYPE_FP32 dims: [ -1, -1 ] }},
  {{ name: "ENCODED" data_type: TYPE_STRING dims: [ 1 ] }},
  {{ name: "INFO" data_type: TYPE_STRING dims: [ 1 ] }}
]
instance_group [ {{ kind: KIND_CPU count: {INSTANCES} }} ]
{dynamic_batching()}
{POSTPROCESS_WARMUP}
"""


def step_model(step: str) -> str:
    """The model.py of a Python step ("preprocess" or "postprocess"): the class is the server package's."""
    return f'''\
"""Step of an ensemble; the code is in the server package."""

from midas_server.steps.{step} import TritonPythonModel  # noqa: F401
'''
