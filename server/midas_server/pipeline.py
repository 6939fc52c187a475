"""The whole way of a photo but for the network: `prepare` comes before it, `finish` after it.

    prepared = prepare(photo, {"format": "png16"}, rules)
    depth = network(prepared.pixels)
    result = finish(depth, prepared.guide, prepared.task)

The server's steps call these two functions, and so does everything that runs a network without a server. With OpenCV
on one thread (`cv2.setNumThreads(1)`), as in the steps, the answers are the server's bit for bit; more threads change
the last bits of the filter `crf`.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from midas_server.imaging.network_input import network_input
from midas_server.imaging.probe import Limits, probe
from midas_server.network_output import Kind, Upsampling
from midas_server.options import ResolvedOptions, VariantRules, resolve, sizes
from midas_server.result import Result, check_depth, make_result

DEFAULT_LIMITS = Limits()

Size = tuple[int, int]
Refusal = Literal["option", "header", "size", "damaged", "format"]
"""What was wrong with a request that got status 400; the server counts them by these names."""


@dataclass(frozen=True)
class Task:
    """What is to be made of one photo. Sizes are (width, height).

    Attributes:
        variant: the network that answers.
        photo: the upright photo.
        network: the network's input and output.
        output: the result that was asked for.
        options: all options, resolved.
        kind, max_depth, upsampling: the network's; see `VariantRules`.
    """

    variant: str
    photo: Size
    network: Size
    output: Size
    options: ResolvedOptions
    kind: Kind = "relative_inverse_depth"
    max_depth: float | None = None
    upsampling: Upsampling = "bicubic"


@dataclass(frozen=True)
class Prepared:
    """What the network and the last step need of a photo.

    Attributes:
        task: what is to be made of the photo.
        pixels: the network's input, uint8 RGB `[h, w, 3]`.
        guide: the photo at the result's size, uint8 RGB `[H, W, 3]`; None unless a filter looks at it.
    """

    task: Task
    pixels: NDArray[np.uint8]
    guide: NDArray[np.uint8] | None


def prepare(
    photo: bytes,
    parameters: Mapping[str, object],
    rules: VariantRules,
    limits: Limits = DEFAULT_LIMITS,
    refusing: Callable[[Refusal], AbstractContextManager[None]] = lambda reason: nullcontext(),
) -> Prepared:
    """Check the options and the photo, and bring the photo to the network's size; nothing is decoded in vain.

    Args:
        photo: a whole JPEG, PNG or WebP file.
        parameters: the options of the request; what is left out is the variant's.
        rules: the variant's.
        limits: what a photo may measure.
        refusing: gives the context in which a check runs, for a caller that counts refusals by their reason.

    Raises:
        InvalidRequest: an option, the photo, or both together are not acceptable.
    """
    with refusing("option"):
        options = resolve(parameters, rules)
    with refusing("header"):
        header = probe(photo, limits)
    with refusing("size"):
        network, output = sizes(header.width, header.height, options, rules)
    with refusing("damaged"):
        pixels, guide = network_input(photo, header, network, output if options.needs_guide else None)
    photo_size = (header.width, header.height)
    task = Task(rules.variant, photo_size, network, output, options, rules.kind, rules.max_depth, rules.upsampling)
    return Prepared(task, pixels, guide)


def finish(depth: NDArray[np.float32], guide: NDArray[np.uint8] | None, task: Task) -> Result:
    """Check the network's output, and make the result that was asked for.

    Args:
        depth: float32 `[h, w]`.
        guide: the one that `prepare` gave.
        task: likewise.

    Raises:
        NetworkFault: the depth has another size than the input, or values that are not finite.
        InvalidRequest: the values do not fit into the format that was asked for.
    """
    check_depth(depth, task.network, task.variant)
    return make_result(depth, guide, task.output, task.options, task.kind, task.upsampling)
