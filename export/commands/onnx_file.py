"""From an ONNX file of the user's own to the model repository: file -> wrapped graph -> what all exports share."""

import math
import re
from functools import partial
from importlib.metadata import version
from pathlib import Path

from export.commands.pipeline import Exported, finish, tensorrt_for
from export.commands.progress import Say, silent, step
from export.commands.up_to_date import as_json, same_file
from export.errors import ForeignNetworkError, ForeignOptionError
from export.graph.proved_sizes import check_side
from export.repository.manifest import Manifest, describe_weights
from export.repository.write import DEFAULT_REPOSITORY, refuse_unwritable
from export.targets.builds import Build, Precision, Target
from export.variants import VARIANTS, Aspect, Layout, Resize, ServedNetwork
from export.weights.digest import sha256_of
from midas_server.repository import POSTPROCESS, STEP_ENDINGS
from midas_server.served_names import RESERVED

FOREIGN_MAX_AREA = 1280 * 1280  # of a file that is taken as it is, without trying what it takes
FOREIGN_MAX_BATCH = 8
COMMANDS = ("list", "report", "all", "default")  # of `python -m export`; no network may be called so


def export_onnx_file(
    name: str,
    file: Path,
    repository: Path = DEFAULT_REPOSITORY,
    *,
    layout: Layout = "nchw",
    value_range: float = 1.0,
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0),
    std: tuple[float, float, float] = (1.0, 1.0, 1.0),
    side: int | None = None,
    resize: Resize | None = None,
    multiple: int | None = None,
    aspect: Aspect | None = None,
    output: str | None = None,
    precision: Precision | None = None,
    target: Target | None = None,
    calibration: Path | None = None,
    if_needed: bool = False,
    say: Say = silent,
    warn: Say = silent,
) -> Exported:
    """Export an ONNX depth network of the user's own into `repository` as the ensemble `name`.

    Args:
        name: of the ensemble: lower-case letters, digits and underscores, not a variant's.
        file: the ONNX file. It takes RGB and gives relative inverse depth, larger is nearer, at the size of its input.
        repository: the model repository; created if needed.
        layout: "nchw" or "nhwc".
        value_range: 1 if it takes pixels in 0..1 (before mean and std), 255 if in 0..255.
        mean, std: RGB, in the same unit: (value - mean) / std.
        side: default side in pixels, from 128 to 1280 on the network's grid; about 256, or the network's own where that
            is fixed.
        resize: "minimal", "upper_bound", "lower_bound" or "square"; "minimal", or "square" where the network's size is
            fixed.
        multiple: the network's grid; 32 or 14, whichever works, where it is None.
        aspect: "keep" or "square", what a request gets that says nothing; "keep" for a network that takes both.
        output: name of the depth output, needed only where there are several.
        precision, target, calibration: as for a variant.
        if_needed: do nothing if the same file with the same options is there, in the precision and target where they
            are given.
        say, warn: take one line each, about a step and about what the user should know.

    Raises:
        ForeignNetworkError, BuildError, PhotosError, RepositoryWriteError: see there; the repository is as it was.
        ParityError: the wrapped graph and the file disagree, or the precision costs more than it may; the repository is
            as it was.
    """
    form = Build(target or "onnx", precision or "fp32")
    _check_foreign_name(name)
    if value_range not in (1, 255) or layout not in ("nchw", "nhwc"):
        raise ForeignOptionError(f"layout={layout!r}, range={value_range!r}: allowed are nchw or nhwc, and 1 or 255")
    if 0 in std:
        raise ForeignOptionError("--std must not be 0: the pixels are divided by it")
    check_side(side, multiple)
    if aspect == "keep" and resize == "square":
        raise ForeignOptionError("--aspect keep and --resize square contradict each other")
    if not file.is_file():
        raise ForeignNetworkError(f"there is no file {file}: check the path given with --from-onnx")
    asked = {
        "layout": layout,
        "value_range": value_range,
        "mean": list(mean),
        "std": list(std),
        "side": side,
        "resize": resize,
        "multiple": multiple,
        "aspect": aspect,
        "output": output,
    }
    digest = sha256_of(file)
    if if_needed:
        there = same_file(name, repository, digest, asked, precision, target)
        if there is not None:
            say(f"{name} is up to date in {repository} ({describe_weights(there.manifest)})")
            return there
    refuse_unwritable(repository)
    toolkit = tensorrt_for(form)

    say(f"{name} -> {repository}")
    with step(say) as done:
        from export.graph.contract import serialized  # noqa: PLC0415
        from export.graph.foreign import InputFormat, opset_of, read_onnx, wrap  # noqa: PLC0415  (as above)
        from export.graph.parity import onnx_runner  # noqa: PLC0415
        from export.precision.photos import photos_for  # noqa: PLC0415

        source = read_onnx(file)
        done(f"read {file}")
    with step(say) as done:
        taken = InputFormat(layout, value_range, mean, std)
        wrapped = wrap(source, taken, side=side, resize=resize, multiple=multiple, output=output)
        sizes = wrapped.sizes
        done(f"wrapped: relative error {wrapped.error:.1e} against the file itself; {sizes}")
    if not wrapped.batched:
        warn(f"{name} computes one photo at a time: its graph has no batch dimension that works")
    network = ServedNetwork(
        name=name,
        resolution=sizes.side,
        resize=wrapped.resize,
        max_area=sizes.max_area,
        max_batch_size=FOREIGN_MAX_BATCH if wrapped.batched else 1,
        weight_count=sum(math.prod(tensor.dims) for tensor in wrapped.model.graph.initializer),
        fixed_size=sizes.one_size,
        multiple=sizes.multiple,
        max_side=sizes.max_side,
        aspect=aspect or "keep",
    )
    facts = partial(
        Manifest,
        variant=name,
        weights=f"sha256:{digest}",
        checkpoint=file.name,
        checkpoint_sha256=digest,
        opset=opset_of(wrapped.model),
        parity=None,
        options={"asked": asked, "served": as_json(network)},
        tools={"onnx": version("onnx"), "onnxruntime": version("onnxruntime")},
    )
    photos = None if form == Build() else photos_for(network, calibration)
    float32 = serialized(wrapped.model)
    reference = onnx_runner(float32)
    expected = [reference(photo) for photo in photos.judging] if photos else []
    return finish(network, float32, photos, expected, form, facts, repository, toolkit, say)


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
