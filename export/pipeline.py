"""The steps of an export in their order, for a variant of the table and for an ONNX file of the user's own.

    network -> ONNX graph -> precision -> files of the target -> verdict -> model repository

The first two steps differ between the two; the rest is `_finish`.
"""

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from export import checkpoints
from export.digest import sha256_of
from export.errors import ForeignNetworkError, StateDictError
from export.formats import Format, Precision, Target
from export.manifest import Manifest, read_manifest
from export.repository import DEFAULT_REPOSITORY, POSTPROCESS, exported, refuse_unwritable, write_network
from export.variants import VARIANTS, Layout, Resize, ServedNetwork, Variant, variant_named

if TYPE_CHECKING:
    from onnx import ModelProto

    from export.onnx_graph import FromPixels
    from export.parity import Depth, Pixels
    from export.photos import Photos
    from export.tensorrt.run import PlanRunner
    from export.tensorrt.toolkit import Toolkit
    from export.verdict import Runner

Say = Callable[[str], None]

FOREIGN_MAX_AREA = 1280 * 1280
FOREIGN_MAX_BATCH = 8
SIDES = range(128, 1281, 32)
COMMANDS = ("list", "report", "all")  # of `python -m export`; no network may be called so


@dataclass(frozen=True)
class Exported:
    """Attributes:
    network: what the configs were written from.
    manifest: what was told about the network.
    written: folders that were replaced; empty if the export was not needed.
    """

    network: ServedNetwork
    manifest: Manifest
    written: list[Path]


def _silent(_: str) -> None:
    return


def export_variant(
    name: str,
    repository: Path = DEFAULT_REPOSITORY,
    *,
    weights: Path | None = None,
    untrained: bool = False,
    precision: Precision | None = None,
    target: Target | None = None,
    calibration: Path | None = None,
    if_needed: bool = False,
    say: Say = _silent,
    warn: Say = _silent,
) -> Exported:
    """Export a variant into `repository`.

    Args:
        name: a row of the table.
        repository: the model repository; created if needed.
        weights: checkpoint to use; else it is looked for and downloaded, and without one the network is exported
            untrained.
        untrained: do not look for a checkpoint.
        precision, target: the format, "fp32" and "onnx" by default. It replaces any other format of the variant.
        calibration: folder of photos that int8 calibrates with and every format is judged on; else scikit-image's.
        if_needed: do nothing if the variant is there and no checkpoint on this machine is another than the one it was
            made from. Nothing is downloaded then. A precision or target that is None accepts any that is there.
        say, warn: take one line each, about a step and about what the user should know.

    Raises:
        UnknownVariantError, CheckpointError, FormatError, PhotosError, RepositoryError: see there; the repository is as
            it was.
        ParityError: the runtime and PyTorch disagree, in float32 or (weights that are trained) by more than the
            precision may; the repository is as it was.
    """
    variant = variant_named(name)
    form = Format(target or "onnx", precision or "fp32")
    if if_needed:
        manifest = _still_good(variant, repository, weights, untrained, precision, target)
        if manifest is not None:
            say(f"{name} is up to date in {repository} ({describe_weights(manifest)})")
            return Exported(variant, manifest, [])
    refuse_unwritable(repository)
    toolkit = _tensorrt(form)
    checkpoint = None if untrained else checkpoints.find(variant, weights, warn)

    say(f"{name} -> {repository}")
    with _step(say) as done:
        import torch  # noqa: PLC0415  (it takes seconds, which an export that is not needed does not have to wait for)

        from export.graph_contract import serialized  # noqa: PLC0415
        from export.networks import build, load_official  # noqa: PLC0415
        from export.onnx_graph import OPSET, FromPixels, to_onnx  # noqa: PLC0415
        from export.untrained import fill_untrained  # noqa: PLC0415

        network = build(name)
        if checkpoint is None:
            fill_untrained(network, variant.untrained_gain)
        else:
            try:
                load_official(network, checkpoints.read_state_dict(checkpoint.path))
            except StateDictError as error:
                raise StateDictError(f"{checkpoint.path}: {error}") from error
        done(f"network with {checkpoint.path if checkpoint else 'untrained weights'}")
    with _step(say) as done:
        pixels_network = FromPixels(network, variant.mean, variant.std).eval()
        # as bytes from here on: of the largest network, each further copy in another form is 1.4 GB
        float32 = serialized(to_onnx(pixels_network, side=variant.resolution, fixed_size=variant.fixed_size))
        done(f"ONNX graph, opset {OPSET}")

    reference = _torch_runner(pixels_network)
    with _step(say) as done:
        from export.parity import compare, onnx_runner, sizes_to_compare  # noqa: PLC0415

        sizes = sizes_to_compare(variant.resolution, any_aspect=variant.any_aspect)
        parity = compare(onnx_runner(float32), reference, sizes)
        done(f"parity with PyTorch: relative error {parity:.1e}")
    facts = partial(
        Manifest,
        variant=name,
        weights=checkpoint.weights if checkpoint else "untrained",
        checkpoint=checkpoint.path.name if checkpoint else None,
        checkpoint_sha256=checkpoint.sha256 if checkpoint else None,
        opset=OPSET,
        parity=float(f"{parity:.2e}"),
        options=None,
        tools={"torch": torch.__version__, "onnx": version("onnx"), "onnxruntime": version("onnxruntime")},
    )
    photos = None if form == Format() else _photos(variant, calibration)
    expected = [reference(photo) for photo in photos.judging] if photos else []
    del network, pixels_network, reference  # as large as the graph, and a conversion needs room for several graphs
    return _finish(variant, float32, photos, expected, form, facts, repository, toolkit, say)


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
    output: str | None = None,
    precision: Precision | None = None,
    target: Target | None = None,
    calibration: Path | None = None,
    if_needed: bool = False,
    say: Say = _silent,
    warn: Say = _silent,
) -> Exported:
    """Export an ONNX depth network of the user's own into `repository` as the ensemble `name`.

    Args:
        name: of the ensemble: lower-case letters, digits and underscores, not a variant's.
        file: the ONNX file. It takes RGB and gives relative inverse depth, larger is nearer, at the size of its input.
        repository: the model repository; created if needed.
        layout: "nchw" or "nhwc".
        value_range: 1 if it takes pixels in 0..1 (before mean and std), 255 if in 0..255.
        mean, std: RGB, in the same unit: (value - mean) / std.
        side: default side in pixels, a multiple of 32 from 128 to 1280; 256, or the network's own where that is fixed.
        resize: "minimal", "upper_bound" or "square"; "minimal", or "square" where the network's size is fixed.
        output: name of the depth output, needed only where there are several.
        precision, target, calibration: as for a variant.
        if_needed: do nothing if the same file with the same options is there, in the precision and target where they
            are given.
        say, warn: take one line each, about a step and about what the user should know.

    Raises:
        ForeignNetworkError, FormatError, PhotosError, RepositoryError: see there; the repository is as it was.
        ParityError: the wrapped graph and the file disagree, or the precision costs more than it may; the repository is
            as it was.
    """
    form = Format(target or "onnx", precision or "fp32")
    _check_foreign_name(name)
    if value_range not in (1, 255) or layout not in ("nchw", "nhwc"):
        raise ForeignNetworkError(f"layout={layout!r}, range={value_range!r}: allowed are nchw or nhwc, and 1 or 255")
    if 0 in std:
        raise ForeignNetworkError("--std must not be 0: the pixels are divided by it")
    if side is not None and side not in SIDES:
        raise ForeignNetworkError(f"--size {side}: allowed are {SIDES[0]} to {SIDES[-1]} in steps of {SIDES.step}")
    if not file.is_file():
        raise ForeignNetworkError(f"there is no file {file}: check the path given with --from-onnx")
    asked = {
        "layout": layout,
        "value_range": value_range,
        "mean": list(mean),
        "std": list(std),
        "side": side,
        "resize": resize,
        "output": output,
    }
    digest = sha256_of(file)
    if if_needed:
        there = _same_file(name, repository, digest, asked)
        if there is not None and not _fits(there.manifest, repository, precision, target):
            there = None
        if there is not None:
            say(f"{name} is up to date in {repository} ({describe_weights(there.manifest)})")
            return there
    refuse_unwritable(repository)
    toolkit = _tensorrt(form)

    say(f"{name} -> {repository}")
    with _step(say) as done:
        from export.foreign_network import InputFormat, opset_of, read_onnx, wrap  # noqa: PLC0415  (as above)
        from export.graph_contract import serialized  # noqa: PLC0415
        from export.parity import onnx_runner  # noqa: PLC0415

        source = read_onnx(file)
        done(f"read {file}")
    with _step(say) as done:
        wrapped = wrap(source, InputFormat(layout, value_range, mean, std), side=side, resize=resize, output=output)
        done(f"wrapped: relative error {wrapped.error:.1e} against the file itself")
    if not wrapped.batched:
        warn(f"{name} computes one photo at a time: its graph has no batch dimension that works")
    network = ServedNetwork(
        name=name,
        resolution=wrapped.side,
        resize=wrapped.resize,
        max_area=wrapped.side**2 if wrapped.fixed_size else FOREIGN_MAX_AREA,
        max_batch_size=FOREIGN_MAX_BATCH if wrapped.batched else 1,
        fixed_size=wrapped.fixed_size,
    )
    facts = partial(
        Manifest,
        variant=name,
        weights=f"sha256:{digest}",
        checkpoint=file.name,
        checkpoint_sha256=digest,
        opset=opset_of(wrapped.model),
        parity=None,
        options={"asked": asked, "served": _as_json(network)},
        tools={"onnx": version("onnx"), "onnxruntime": version("onnxruntime")},
    )
    photos = None if form == Format() else _photos(network, calibration)
    float32 = serialized(wrapped.model)
    reference = onnx_runner(float32)
    expected = [reference(photo) for photo in photos.judging] if photos else []
    return _finish(network, float32, photos, expected, form, facts, repository, toolkit, say)


def _finish(
    network: ServedNetwork,
    float32: bytes,
    photos: "Photos | None",
    expected: "list[Depth]",
    form: Format,
    facts: "partial[Manifest]",
    repository: Path,
    toolkit: "Toolkit | None",
    say: Say,
) -> Exported:
    """From the float32 graph to the repository. `facts` is a manifest that lacks what depends on the format.

    `float32` is the graph's bytes, and `expected` what it is to give for the photos that judge; without photos the
    graph is exported as it is.
    """
    if photos is None:
        files, digest, against = {"model.onnx": float32}, hashlib.sha256(float32).hexdigest(), None
    else:
        import onnx  # noqa: PLC0415  (as above)

        from export.graph_contract import serialized  # noqa: PLC0415
        from export.half_rounding import rounding_as_half  # noqa: PLC0415
        from export.parity import onnx_runner  # noqa: PLC0415
        from export.verdict import described, error_on, milliseconds, refuse_beyond_bound  # noqa: PLC0415

        with _step(say) as done:
            model = _in_precision(network, onnx.load_model_from_string(float32), form, photos)
            digest = hashlib.sha256(serialized(model)).hexdigest()
            done(f"graph in {form.precision}")
        with _step(say) as done:
            plan: PlanRunner | None = None
            if toolkit is not None:
                files, plan = _plans(network, model, form, facts, repository, toolkit, say)
                run: Runner = plan
            else:
                files, run = _for_target(model, form)
            done(f"files for {form.target}: {', '.join(files)}")
        with _step(say) as done:
            judged = run
            if form == Format("onnx", "fp16"):  # ONNX Runtime would not round it on a processor
                judged = onnx_runner(serialized(rounding_as_half(model)))
            error = error_on(photos.judging, judged, expected)
            fp32 = onnx_runner(float32)
            if plan is not None:  # it runs in a process for each photo: trtexec itself has to take the time
                mine, theirs = plan.milliseconds(photos.judging[0]), milliseconds(fp32, fp32, photos.judging[0])[0]
            else:
                mine, theirs = milliseconds(run, fp32, photos.judging[0])
            against = {
                "photos": len(expected),
                "error": float(f"{error:.2e}"),
                "size": sum(map(len, files.values())),
                "size_fp32": len(float32),
                "milliseconds": round(mine, 2),
                "milliseconds_fp32": round(theirs, 2),
            }
            done(f"{form} against fp32: {described(against)}")
    manifest = facts(
        format=form.target,
        precision=form.precision,
        files={file: hashlib.sha256(content).hexdigest() for file, content in files.items()},
        size=sum(map(len, files.values())),
        onnx_sha256=digest,
        against_fp32=against,
    )
    if form.target == "openvino":
        manifest = replace(manifest, tools={**manifest.tools, "openvino": version("openvino")})
    if against is not None and manifest.weights != "untrained":
        refuse_beyond_bound(network.name, form.precision, against["error"])
    with _step(say) as done:
        written = write_network(repository, network, files, manifest)
        done(f"written: {', '.join(folder.name for folder in written)}")
    return Exported(network, manifest, written)


def _torch_runner(network: "FromPixels") -> "Runner":
    import torch  # noqa: PLC0415  (as above)

    def run(pixels: "Pixels") -> "Depth":
        with torch.inference_mode():
            depth: Depth = network(torch.from_numpy(pixels)).numpy()
            return depth

    return run


def _photos(network: ServedNetwork, calibration: Path | None) -> "Photos":
    from export.photos import photos_for  # noqa: PLC0415  (as above)

    return photos_for(network, calibration)


def _in_precision(network: ServedNetwork, model: "ModelProto", form: Format, photos: "Photos") -> "ModelProto":
    """The graph that computes in the format's precision; `model` itself may be changed."""
    match form.precision:
        case "fp16" if form.target != "openvino":
            from export.half_precision import in_half_precision  # noqa: PLC0415

            return in_half_precision(model, network.float32_islands, photos.calibrating)
        case "int8":
            from export.int8 import quantized  # noqa: PLC0415

            return quantized(model, network.float32_in_int8, photos.calibrating)
        case _:
            return model  # what is left is the runtime's affair


def _for_target(model: "ModelProto", form: Format) -> tuple[dict[str, bytes], "Runner"]:
    """The model files of the target by name, and what runs them here."""
    match form.target:
        case "openvino":
            from export.openvino import openvino_runner, to_openvino  # noqa: PLC0415

            files = to_openvino(model, form.precision)
            return files, openvino_runner(files, form.precision)
        case _:
            from export.graph_contract import serialized  # noqa: PLC0415
            from export.parity import onnx_runner  # noqa: PLC0415

            data = serialized(model)
            return {"model.onnx": data}, onnx_runner(data)


def _tensorrt(form: Format) -> "Toolkit | None":
    """TensorRT on this machine where the format needs it: without it the long way to an ONNX graph is not worth it."""
    if form.target != "tensorrt":
        return None
    from export.tensorrt.toolkit import find_toolkit  # noqa: PLC0415

    return find_toolkit()


def _plans(
    network: ServedNetwork,
    model: "ModelProto",
    form: Format,
    facts: "partial[Manifest]",
    repository: Path,
    toolkit: "Toolkit",
    say: Say,
) -> tuple[dict[str, bytes], "PlanRunner"]:
    """The plans of this machine's GPUs and what other machines left, and what runs one of them here."""
    from export.graph_contract import serialized  # noqa: PLC0415
    from export.tensorrt.target import plans_for  # noqa: PLC0415

    return plans_for(
        network,
        serialized(model),
        toolkit,
        repository,
        precision=form.precision,
        checkpoint_sha256=facts.keywords["checkpoint_sha256"],
        say=lambda line: say(f"  {line}"),
    )


def describe_weights(manifest: Manifest) -> str:
    """The weights in a few words, for a person."""
    if manifest.weights == "untrained":
        return "untrained weights"
    if manifest.weights == "official":
        return f"official weights, {manifest.checkpoint}"
    if manifest.weights == "default":
        return f"the weights that ship with the project, {manifest.checkpoint}"
    return f"weights from {manifest.checkpoint}, SHA-256 {(manifest.checkpoint_sha256 or '')[:8]}"


def _still_good(
    variant: Variant,
    repository: Path,
    weights: Path | None,
    untrained: bool,
    precision: Precision | None,
    target: Target | None,
) -> Manifest | None:
    """The manifest of an export that need not be repeated."""
    manifest = exported(repository, variant)
    if manifest is None or not _fits(manifest, repository, precision, target):
        return None
    if untrained:
        return manifest if manifest.weights == "untrained" else None
    local = checkpoints.find_local(variant, weights)
    return manifest if local is None or local.sha256 == manifest.checkpoint_sha256 else None


def _fits(manifest: Manifest, repository: Path, precision: Precision | None, target: Target | None) -> bool:
    """Whether the export has the format that is asked for; None asks for nothing."""
    if precision not in (None, manifest.precision) or target not in (None, manifest.format):
        return False
    if target != "tensorrt":
        return True
    from export.tensorrt.target import built_for  # noqa: PLC0415
    from export.tensorrt.toolkit import find_toolkit  # noqa: PLC0415

    return built_for(find_toolkit(), repository / f"{manifest.variant}_network" / "1")


def _same_file(name: str, repository: Path, digest: str, asked: Mapping[str, object]) -> Exported | None:
    """The earlier export of the same file with the same options."""
    manifest = read_manifest(repository / f"{name}_network" / "1" / "manifest.json")
    if manifest is None or manifest.checkpoint_sha256 != digest or not manifest.options:
        return None
    served = manifest.options.get("served")
    if manifest.options.get("asked") != asked or not isinstance(served, dict):
        return None
    network = _from_json(served)
    return Exported(network, manifest, []) if exported(repository, network) == manifest else None


def _as_json(network: ServedNetwork) -> dict[str, object]:
    """The fields as they come back from a file: with lists for tuples."""
    fields: dict[str, object] = json.loads(json.dumps(asdict(network)))
    return fields


def _from_json(fields: Mapping[str, Any]) -> ServedNetwork:
    kept: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
    return ServedNetwork(**kept)


def _check_foreign_name(name: str) -> None:
    if not re.fullmatch(r"[a-z0-9_]{1,64}", name):
        raise ForeignNetworkError(f"'{name}' cannot be a model's name: use lower-case letters, digits and underscores")
    if name in VARIANTS:
        raise ForeignNetworkError(f"'{name}' is a variant of the table: choose another name for a network of your own")
    if name in COMMANDS:
        raise ForeignNetworkError(f"'{name}' is a command of `python -m export`: choose another name")
    if name == POSTPROCESS or name.endswith(("_preprocess", "_network")):
        raise ForeignNetworkError(f"'{name}' is the name of a step in the repository: choose another")


@contextmanager
def _step(say: Say) -> Iterator[Say]:
    """Time the block; the line that it hands to what it is given is said with the seconds that it took."""
    started = time.monotonic()
    yield lambda line: say(f"  {line} ({time.monotonic() - started:.1f} s)")
