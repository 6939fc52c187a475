"""The parts of a step's config that decide how requests wait, merge and find the step warm.

Field names: triton-inference-server/common, protobuf/model_config.proto. Figures and reasons: docs/serving.md.
"""

import base64
import struct
from collections.abc import Iterable

QUEUE = 32
"""Requests that wait before one step. Four of the largest batches: enough that thirty-two clients wait for their
answers and none is refused, few enough that all that may wait fits into the memory budget. All steps have the same: a
later one that is tighter refuses photos on which the earlier ones have worked."""

INSTANCES = 2
"""Of a step. Triton 24.10 wakes its batcher when an instance has done its work, and counts the instance as free only a
moment later. A batcher that looks in between sees none that is free, and sleeps until the next request comes, or
another instance is done, or half a second has passed. So where N instances are busy, one of them often waits. Two also
overlap the copies around the work."""

ONE_BY_ONE = 4
"""Photos that an instance of our own OpenVINO backend takes at a time, to compute one after the other. What waits for
an instance that the batcher has missed waits once for so many photos. So one instance is enough: it has all cores, and
the weights are in memory once."""

LONGEST_WAIT = 60_000_000
"""Microseconds after which a waiting request is refused where the client gave no deadline. Triton lets a client ask for
less than this, never for more."""


def dynamic_batching() -> str:
    """The batcher of a step: it takes what waits when an instance is free, and never waits for more.

    A request beyond the queue is refused at once, and one whose deadline passes in the queue is refused then, both with
    UNAVAILABLE. Without a default timeout above zero Triton would ignore the client's.
    """
    return f"""\
dynamic_batching {{
  default_queue_policy {{
    timeout_action: REJECT
    default_timeout_microseconds: {LONGEST_WAIT}
    allow_timeout_override: true
    max_queue_size: {QUEUE}
  }}
}}"""


_GREY_JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4z"
    "NDL/wAALCAAQABABAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AAP/Z"
)

PREPROCESS_WARMUP_FILE = "warmup/photo"
PREPROCESS_WARMUP_PHOTO = struct.pack("<I", len(_GREY_JPEG)) + _GREY_JPEG
"""A grey photo of 16 x 16 pixels, as Triton keeps a BYTES element in a file: its length, then its bytes."""

PREPROCESS_WARMUP = """\
model_warmup [
  {
    name: "a photo"
    batch_size: 1
    inputs { key: "IMAGE" value { data_type: TYPE_STRING dims: [ 1 ] input_data_file: "photo" } }
  }
]"""

# postprocess knows an empty REQUEST as its warm-up
POSTPROCESS_WARMUP = """\
model_warmup [
  {
    name: "nothing to do"
    batch_size: 1
    inputs { key: "INVERSE_DEPTH" value { data_type: TYPE_FP32 dims: [ 256, 256 ] zero_data: true } }
    inputs { key: "GUIDE" value { data_type: TYPE_UINT8 dims: [ 1, 1, 3 ] zero_data: true } }
    inputs { key: "REQUEST" value { data_type: TYPE_STRING dims: [ 1 ] zero_data: true } }
  }
]"""


def network_warmup(shapes: Iterable[tuple[int, int, int]]) -> str:
    """Black photos of each (batch, height, width) that Triton runs through a network before it calls it ready."""
    samples = ",\n".join(
        f'  {{ name: "{batch} of {height}x{width}" batch_size: {batch} inputs {{ key: "PIXELS" value '
        f"{{ data_type: TYPE_UINT8 dims: [ {height}, {width}, 3 ] zero_data: true }} }} }}"
        for batch, height, width in dict.fromkeys(shapes)
    )
    return f"model_warmup [\n{samples}\n]"
