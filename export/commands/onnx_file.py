"""From an ONNX file of the user's own to the model repository: file -> wrapped graph -> what all exports share."""

import math
import re
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from export.commands.pipeline import Exported, Float32Graph, finish, reference_for
from export.commands.progress import step
from export.commands.request import ExportRequest
from export.commands.up_to_date import as_json, same_file
from export.errors import ForeignNetworkError, ForeignOptionError
from export.graph.proved_sizes import check_side
from export.repository.manifest import Provenance
from export.variants import VARIANTS
from export.variants.row import RGB, Aspect, Layout, Resize, ServedNetwork
from export.weights.digest import sha256_of
from midas_server.repository import POSTPROCESS, STEP_ENDINGS
from midas_server.served_names import RESERVED

if TYPE_CHECKING:
    from export.graph.foreign import WrappedNetwork

FOREIGN_MAX_AREA = 1280 * 1280  # of a file that is taken as it is, without trying what it takes
FOREIGN_MAX_BATCH = 8
COMMANDS = ("list", "report", "all", "default")  # of `python -m export`; no network may be called so


@dataclass(frozen=True, kw_only=True)
class ForeignOptions:
    """What a user says of a network of his own.

    Attributes:
        layout: "nchw" or "nhwc".
        value_range: 1 if it takes pixels in 0..1 (before mean and std), 255 if in 0..255.
        mean: RGB, in the same unit: (value - mean) / std.
        std: as `mean`; not 0.
        side: default side in pixels, from 128 to 1280 on the network's grid; about 256, or the network's own where that
            is fixed.
        resize: "minimal", "upper_bound", "lower_bound" or "square"; "minimal", or "square" where the network's size is
            fixed.
        multiple: the network's grid; 32 or 14, whichever works, where it is None.
        aspect: "keep" or "square", what a request gets that says nothing; "keep" for a network that takes both.
        output: name of the depth output, needed only where there are several.
    """

    layout: Layout = "nchw"
    value_range: float = 1.0
    mean: RGB = (0.0, 0.0, 0.0)
    std: RGB = (1.0, 1.0, 1.0)
    side: int | None = None
    resize: Resize | None = None
    multiple: int | None = None
    aspect: Aspect | None = None
    output: str | None = None

    def check(self) -> None:
        """Raises ForeignOptionError where no network could have them."""
        if self.value_range not in (1, 255) or self.layout not in ("nchw", "nhwc"):
            raise ForeignOptionError(
                f"layout={self.layout!r}, range={self.value_range!r}: allowed are nchw or nhwc, and 1 or 255"
            )
        if 0 in self.std:
            raise ForeignOptionError("--std must not be 0: the pixels are divided by it")
        check_side(self.side, self.multiple)
        if self.aspect == "keep" and self.resize == "square":
            raise ForeignOptionError("--aspect keep and --resize square contradict each other")


def export_onnx_file(
    name: str, file: Path, request: ExportRequest, options: ForeignOptions = ForeignOptions()
) -> Exported:
    """Export an ONNX depth network of the user's own as the ensemble `name`.

    Args:
        name: of the ensemble: lower-case letters, digits and underscores, not a variant's.
        file: the ONNX file. It takes RGB and gives relative inverse depth, larger is nearer, at the size of its input.
        request: what is asked of any export.
        options: what is said of the network.

    Raises:
        ForeignNetworkError, BuildError, PhotosError, RepositoryWriteError: see there; the repository is as it was.
        ParityError: the wrapped graph and the file disagree, or the precision costs more than it may; the repository is
            as it was.
    """
    _check_foreign_name(name)
    options.check()
    if not file.is_file():
        raise ForeignNetworkError(f"there is no file {file}: check the path given with --from-onnx")
    asked, digest = as_json(options), sha256_of(file)
    if request.if_needed:
        there = same_file(name, digest, asked, request)
        if there is not None:
            return there
    request.check()
    from export.graph.contract import serialized  # noqa: PLC0415  (slow to import)
    from export.graph.foreign import opset_of  # noqa: PLC0415
    from export.graph.parity import onnx_runner  # noqa: PLC0415

    request.say(f"{name} -> {request.repository}")
    wrapped = _wrapped(file, options, request)
    if not wrapped.batched:
        request.warn(f"{name} computes one photo at a time: its graph has no batch dimension that works")
    network = _served(name, wrapped, options)
    source = Provenance(
        weights=f"sha256:{digest}",
        checkpoint=file.name,
        checkpoint_sha256=digest,
        opset=opset_of(wrapped.model),
        parity=None,
        options={"asked": asked, "served": as_json(network)},
        tools={tool: version(tool) for tool in ("onnx", "onnxruntime")},
    )
    float32 = serialized(wrapped.model)
    reference = reference_for(network, onnx_runner(float32), request)
    return finish(Float32Graph(network, float32, source), reference, request)


def _wrapped(file: Path, options: ForeignOptions, request: ExportRequest) -> "WrappedNetwork":
    """The network of the file behind the input and output that are served."""
    with step(request.say) as done:
        from export.graph.foreign import InputConvention, read_onnx, wrap  # noqa: PLC0415  (slow to import)

        network = read_onnx(file)
        done(f"read {file}")
    with step(request.say) as done:
        taken = InputConvention(options.layout, options.value_range, options.mean, options.std)
        wrapped = wrap(
            network,
            taken,
            side=options.side,
            resize=options.resize,
            multiple=options.multiple,
            output=options.output,
        )
        done(f"wrapped: relative error {wrapped.error:.1e} against the file itself; {wrapped.sizes}")
    return wrapped


def _served(name: str, wrapped: "WrappedNetwork", options: ForeignOptions) -> ServedNetwork:
    """What the configs of the network depend on."""
    sizes = wrapped.sizes
    return ServedNetwork(
        name=name,
        resolution=sizes.side,
        resize=wrapped.resize,
        max_area=sizes.max_area,
        max_batch_size=FOREIGN_MAX_BATCH if wrapped.batched else 1,
        weight_count=sum(math.prod(tensor.dims) for tensor in wrapped.model.graph.initializer),
        fixed_size=sizes.one_size,
        multiple=sizes.multiple,
        max_side=sizes.max_side,
        aspect=options.aspect or "keep",
    )


def _check_foreign_name(name: str) -> None:
    if not re.fullmatch(r"[a-z0-9_]{1,64}", name):
        raise ForeignOptionError(f"'{name}' cannot be a model's name: use lower-case letters, digits and underscores")
    if name in VARIANTS:
        raise ForeignOptionError(f"'{name}' is a variant of the table: choose another name for a network of your own")
    if name in RESERVED:
        raise ForeignOptionError(f"'{name}' is another name of a network that is served: choose another name")
    if name in COMMANDS:
        raise ForeignOptionError(f"'{name}' is a command of `python -m export`: choose another name")
    if name == POSTPROCESS or name.endswith(STEP_ENDINGS):
        raise ForeignNetworkError(f"'{name}' is the name of a step in the repository: choose another")
