"""The part that all exports share: from a float32 ONNX graph to the model repository.

    float32 graph -> precision -> files of the target -> verdict -> model repository

`variant` and `onnx_file` beside this make the graph.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import assert_never

from export.commands.progress import step
from export.commands.request import ExportRequest
from export.repository.manifest import Manifest, Provenance
from export.repository.write import write_network
from export.targets.builds import Build
from export.variants.row import ServedNetwork
from midas_server.repository import ONNX_FILE

if TYPE_CHECKING:
    from onnx import ModelProto

    from export.graph.parity import Depth, Pixels
    from export.precision.photos import Photos
    from export.targets.verdict import Runner


@dataclass(frozen=True)
class Exported:
    """What an export left behind.

    Attributes:
        network: what the configs were written from.
        manifest: what was told about the network.
        written: folders that were replaced; empty if the export was not needed.
    """

    network: ServedNetwork
    manifest: Manifest
    written: list[Path]


@dataclass(frozen=True)
class Float32Graph:
    """What all exports begin with.

    Attributes:
        network: what the configs are written from.
        onnx: the graph, PIXELS to INVERSE_DEPTH, as bytes.
        source: where it came from.
    """

    network: ServedNetwork
    onnx: bytes
    source: Provenance


@dataclass(frozen=True)
class Reference:
    """What a build is judged by.

    Attributes:
        photos: those that judge, and those that calibrate.
        expected: what the network gives in float32 for each photo that judges, float32 (1, H, W).
    """

    photos: "Photos"
    expected: "list[Depth]"


def reference_for(network: ServedNetwork, run: "Runner", request: ExportRequest) -> Reference | None:
    """What `run`, the network in float32, gives for photos; None where the float32 graph itself is what is served.

    Raises:
        PhotosError: there are no photos.
    """
    if request.build == Build() and request.auto is None:
        return None
    from export.precision.photos import photos_for  # noqa: PLC0415  (slow to import)

    photos = photos_for(network, request.calibration)
    return Reference(photos, [run(photo) for photo in photos.judging])


@dataclass(frozen=True)
class _Files:
    """The model files of a target by their names in the version's folder, and what runs them here."""

    contents: Mapping[str, bytes]
    run: "Runner"


def finish(graph: Float32Graph, reference: Reference | None, request: ExportRequest) -> Exported:
    """From the float32 graph to the repository. Without a reference it is exported as it is.

    Raises:
        AutoError: the build was to be chosen by measuring, and none could be.
        PrecisionError: a trained network loses more in this build than it may.
        NoRuntimeError, TensorRTError, RepositoryWriteError: see there. The repository is as it was in all cases.
    """
    if request.auto is not None and reference is not None:
        from export.auto.choose import choose  # noqa: PLC0415  (it comes back here for every build that it tries)

        return choose(graph, reference, request)
    if reference is None:
        digest, against = hashlib.sha256(graph.onnx).hexdigest(), None
        contents: Mapping[str, bytes] = {ONNX_FILE: graph.onnx}
    else:
        model, digest = _in_precision(graph, reference, request)
        files = _for_target(graph, model, request)
        against = _verdict(graph, model, files, reference, request)
        contents = files.contents
    chosen = None if request.target is None and request.precision is None else "asked"
    manifest = replace(_manifest(graph, contents, digest, against, request.build), chosen=chosen)
    with step(request.say) as done:
        written = write_network(request.repository, graph.network, contents, manifest)
        done(f"written: {', '.join(folder.name for folder in written)}")
    return Exported(graph.network, manifest, written)


def _in_precision(graph: Float32Graph, reference: Reference, request: ExportRequest) -> "tuple[ModelProto, str]":
    """The graph that computes in the build's precision, and its digest."""
    import onnx  # noqa: PLC0415  (slow to import, and an export that is not needed does without)

    from export.graph.contract import serialized  # noqa: PLC0415

    with step(request.say) as done:
        model = onnx.load_model_from_string(graph.onnx)
        model = _converted(model, graph.network, reference.photos.calibrating, request.build)
        digest = hashlib.sha256(serialized(model)).hexdigest()
        done(f"graph in {request.build.precision}")
    return model, digest


def _converted(model: "ModelProto", network: ServedNetwork, photos: "list[Pixels]", build: Build) -> "ModelProto":
    """`model`, which may be changed, in the build's precision."""
    match build.precision:
        case "fp16" if build.target == "openvino":
            return model  # its runtime and its file's compression do it
        case "fp16":
            from export.precision.half import in_half_precision  # noqa: PLC0415

            return in_half_precision(model, network.float32_islands, photos)
        case "int8":
            from export.precision.int8 import quantized  # noqa: PLC0415

            return quantized(model, network.float32_in_int8, photos)
        case "fp32" | "bf16":
            return model  # bf16 is the runtime's affair
        case _:
            assert_never(build.precision)


def _for_target(graph: Float32Graph, model: "ModelProto", request: ExportRequest) -> _Files:
    """`model` as the files of the build's target."""
    from export.graph.contract import serialized  # noqa: PLC0415

    build = request.build
    with step(request.say) as done:
        match build.target:
            case "onnx":
                from export.graph.parity import onnx_runner  # noqa: PLC0415

                data = serialized(model)
                files = _Files({ONNX_FILE: data}, onnx_runner(data))
            case "openvino":
                from export.targets.openvino import openvino_runner, to_openvino  # noqa: PLC0415

                contents = to_openvino(model, build.precision)
                files = _Files(contents, openvino_runner(contents, build.precision))
            case "tensorrt":
                from export.targets.tensorrt.plans import plans_for  # noqa: PLC0415

                plans = plans_for(
                    graph.network,
                    serialized(model),
                    request.toolkit,
                    request.repository,
                    precision=build.precision,
                    checkpoint_sha256=graph.source.checkpoint_sha256,
                    say=lambda line: request.say(f"  {line}"),
                )
                files = _Files(*plans)
            case _:
                assert_never(build.target)
        done(f"files for {build.target}: {', '.join(files.contents)}")
    return files


def _verdict(
    graph: Float32Graph, model: "ModelProto", files: _Files, reference: Reference, request: ExportRequest
) -> Mapping[str, float]:
    """What the build costs and gains against float32, for the manifest.

    Raises:
        PrecisionError: a trained network loses more than it may.
    """
    from export.graph.contract import serialized  # noqa: PLC0415
    from export.graph.parity import onnx_runner  # noqa: PLC0415
    from export.precision.rounding import rounding_as_half  # noqa: PLC0415
    from export.targets.tensorrt.run import PlanRunner  # noqa: PLC0415
    from export.targets.verdict import described, error_on, milliseconds, refuse_beyond_bound  # noqa: PLC0415

    build, photos, judged = request.build, reference.photos.judging, files.run
    with step(request.say) as done:
        if build == Build("onnx", "fp16"):  # ONNX Runtime would not round it on a processor
            judged = onnx_runner(serialized(rounding_as_half(model)))
        # OpenVINO is served one photo at a time, and of plans every slot was compared when they were built
        slots = graph.network.max_batch_size if build.target == "onnx" else 1
        error = error_on(photos, judged, reference.expected, slots)
        fp32 = onnx_runner(graph.onnx)
        if isinstance(files.run, PlanRunner):  # in a process for each photo: trtexec itself has to take the time
            mine, theirs = files.run.milliseconds(photos[0]), milliseconds(fp32, fp32, photos[0])[0]
        else:
            mine, theirs = milliseconds(files.run, fp32, photos[0])
        against = {
            "photos": len(photos),
            "error": float(f"{error:.2e}"),
            "size": sum(map(len, files.contents.values())),
            "size_fp32": len(graph.onnx),
            "milliseconds": round(mine, 2),
            "milliseconds_fp32": round(theirs, 2),
        }
        done(f"{build} against fp32: {described(against)}")
    if graph.source.weights != "untrained":
        refuse_beyond_bound(graph.network.name, build.precision, against["error"])
    return against


def _manifest(
    graph: Float32Graph,
    contents: Mapping[str, bytes],
    digest: str,
    against: Mapping[str, float] | None,
    build: Build,
) -> Manifest:
    source = graph.source
    if build.target == "openvino":
        source = replace(source, tools={**source.tools, "openvino": version("openvino")})
    return Manifest(
        **vars(source),
        variant=graph.network.name,
        target=build.target,
        precision=build.precision,
        files={file: hashlib.sha256(content).hexdigest() for file, content in contents.items()},
        size=sum(map(len, contents.values())),
        onnx_sha256=digest,
        against_fp32=against,
    )
