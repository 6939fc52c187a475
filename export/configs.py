"""The text of Triton's config.pbtxt for each step of a network's ensemble.

It depends on the table's row alone, never on weights. Every tensor is declared in full, since a server in strict mode
(`--disable-auto-complete-config`) fills in nothing. No model may have a response cache: its key leaves out the
request's parameters, so it would answer one request with another's result.
"""

from export.variants import ServedNetwork

STEP_BATCH = 8  # photos that one execution of preprocess or postprocess takes; it runs them one after the other


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
      model_name: "{network.name}_preprocess"
      model_version: -1
      input_map {{ key: "IMAGE" value: "IMAGE" }}
      output_map {{ key: "PIXELS" value: "PIXELS" }}
      output_map {{ key: "REQUEST" value: "REQUEST" }}
    }},
    {{
      model_name: "{network.name}_network"
      model_version: -1
      input_map {{ key: "PIXELS" value: "PIXELS" }}
      output_map {{ key: "INVERSE_DEPTH" value: "INVERSE_DEPTH" }}
    }},
    {{
      model_name: "postprocess"
      model_version: -1
      input_map {{ key: "INVERSE_DEPTH" value: "INVERSE_DEPTH" }}
      input_map {{ key: "REQUEST" value: "REQUEST" }}
      output_map {{ key: "DEPTH" value: "DEPTH" }}
      output_map {{ key: "ENCODED" value: "ENCODED" }}
      output_map {{ key: "INFO" value: "INFO" }}
    }}
  ]
}}
"""


def preprocess_config(network: ServedNetwork) -> str:
    """Photo bytes to pixels at network size; the parameters are all that the server knows of the network."""
    return f"""\
name: "{network.name}_preprocess"
backend: "python"
max_batch_size: {STEP_BATCH}
input [ {{ name: "IMAGE" data_type: TYPE_STRING dims: [ 1 ] }} ]
output [
  {{ name: "PIXELS" data_type: TYPE_UINT8 dims: [ -1, -1, 3 ] }},
  {{ name: "REQUEST" data_type: TYPE_STRING dims: [ 1 ] }}
]
instance_group [ {{ kind: KIND_CPU count: 1 }} ]
dynamic_batching {{ }}
parameters {{ key: "variant" value {{ string_value: "{network.name}" }} }}
parameters {{ key: "resolution" value {{ string_value: "{network.resolution}" }} }}
parameters {{ key: "resize" value {{ string_value: "{network.resize}" }} }}
parameters {{ key: "max_area" value {{ string_value: "{network.max_area}" }} }}
"""


def network_config(network: ServedNetwork) -> str:
    """Pixels to inverse depth. Without an instance kind it runs on a GPU where the server has one, else on the CPU.

    The count is said because Triton would start two instances on a CPU, each with a thread for every core.
    """
    sides = f"{network.resolution}, {network.resolution}" if network.fixed_size else "-1, -1"
    return f"""\
name: "{network.name}_network"
backend: "onnxruntime"
max_batch_size: {network.max_batch_size}
input [ {{ name: "PIXELS" data_type: TYPE_UINT8 dims: [ {sides}, 3 ] }} ]
output [ {{ name: "INVERSE_DEPTH" data_type: TYPE_FP32 dims: [ {sides} ] }} ]
instance_group [ {{ count: 1 }} ]
dynamic_batching {{ }}
"""


def postprocess_config() -> str:
    """Inverse depth to what the request asked for; shared by all networks."""
    return f"""\
name: "postprocess"
backend: "python"
max_batch_size: {STEP_BATCH}
input [
  {{ name: "INVERSE_DEPTH" data_type: TYPE_FP32 dims: [ -1, -1 ] }},
  {{ name: "REQUEST" data_type: TYPE_STRING dims: [ 1 ] }}
]
output [
  {{ name: "DEPTH" data_type: TYPE_FP32 dims: [ -1, -1 ] }},
  {{ name: "ENCODED" data_type: TYPE_STRING dims: [ 1 ] }},
  {{ name: "INFO" data_type: TYPE_STRING dims: [ 1 ] }}
]
instance_group [ {{ kind: KIND_CPU count: 1 }} ]
dynamic_batching {{ }}
"""


def step_model(step: str) -> str:
    """The model.py of a Python step ("preprocess" or "postprocess"): the class is the server package's."""
    return f'''\
"""Step of an ensemble; the code is in the server package."""

from midas_server.steps.{step} import TritonPythonModel  # noqa: F401
'''
