"""The text of Triton's config.pbtxt for a network that TensorRT runs.

Field names: triton-inference-server/common, protobuf/model_config.proto.
"""

from collections.abc import Sequence

from export.repository.scheduling import dynamic_batching, network_warmup
from export.targets.common_sizes import common_sizes
from export.targets.tensorrt.manifest import plan_file
from export.variants.row import ServedNetwork
from midas_server.repository import network_model


def plan_config(network: ServedNetwork, capabilities: Sequence[str]) -> str:
    """Pixels to inverse depth by TensorRT, with the plan of whatever GPU the server has.

    There is no default file name: on a GPU that has no plan Triton must fail, not try another GPU's. Photos of common
    shapes run as CUDA graphs, captured for exactly these shapes, and the first photo finds everything warm.

    Args:
        network: whose plans.
        capabilities: compute capabilities that have a plan, such as "8.6".
    """
    sides = f"{network.resolution}, {network.resolution}" if network.fixed_size else "-1, -1"
    plans = "\n".join(
        f'cc_model_filenames {{ key: "{capability}" value: "{plan_file(capability)}" }}' for capability in capabilities
    )
    sizes = common_sizes(network)
    shapes = _graph_shapes(network)
    graphs = "\n".join(
        f'    graph_spec {{ batch_size: {batch} input {{ key: "PIXELS" value {{ dim: [ {height}, {width}, 3 ] }} }} }}'
        for batch, height, width in shapes
    )
    return f"""\
name: "{network_model(network.name)}"
platform: "tensorrt_plan"
max_batch_size: {network.max_batch_size}
input [ {{ name: "PIXELS" data_type: TYPE_UINT8 dims: [ {sides}, 3 ] }} ]
output [ {{ name: "INVERSE_DEPTH" data_type: TYPE_FP32 dims: [ {sides} ] }} ]
instance_group [ {{ kind: KIND_GPU count: 1 }} ]
{dynamic_batching()}
{plans}
optimization {{
  cuda {{
    graphs: true
{graphs}
  }}
}}
{network_warmup((batch, *sizes[0]) for batch in (1, network.max_batch_size))}
"""


def _graph_shapes(network: ServedNetwork) -> list[tuple[int, int, int]]:
    """(batch, height, width) of the CUDA graphs: a lone photo of each common shape, and squares in every batch."""
    sizes = common_sizes(network)
    batches = range(1, network.max_batch_size + 1) if len(sizes) == 1 else (1, network.max_batch_size)
    shapes = [(batch, height, width) for batch in batches for height, width in sizes]
    return list(dict.fromkeys(shapes))
