"""The part that all exports share: from a float32 ONNX graph to the model repository.

    float32 graph -> precision -> files of the target -> verdict -> model repository

`variant_export` and `onnx_file_export` make the graph.
"""

import hashlib
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import assert_never

from export.commands.progress import Say, step
from export.repository.manifest import Manifest
from export.repository.write import write_network
from export.targets.builds import Build
from export.variants import ServedNetwork
from midas_server.repository import ONNX_FILE

if TYPE_CHECKING:
    from onnx import ModelProto

    from export.graph.parity import Depth
    from export.precision.photos import Photos
    from export.targets.tensorrt.run import PlanRunner
    from export.targets.tensorrt.toolkit import Toolkit
    from export.targets.verdict import Runner


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


def finish(
    network: ServedNetwork,
    float32: bytes,
    photos: "Photos | None",
    expected: "list[Depth]",
    form: Build,
    facts: "partial[Manifest]",
    repository: Path,
    toolkit: "Toolkit | None",
    say: Say,
) -> Exported:
    """From the float32 graph to the repository. `facts` is a manifest that lacks what depends on the build.

    `float32` is the graph's bytes, and `expected` what it is to give for the photos that judge; without photos the
    graph is exported as it is.
    """
    if photos is None:
        files, digest, against = {ONNX_FILE: float32}, hashlib.sha256(float32).hexdigest(), None
    else:
        import onnx  # noqa: PLC0415  (slow to import, and an export that is not needed does without)

        from export.graph.contract import serialized  # noqa: PLC0415
        from export.graph.parity import onnx_runner  # noqa: PLC0415
        from export.precision.rounding import rounding_as_half  # noqa: PLC0415
        from export.targets.verdict import described, error_on, milliseconds, refuse_beyond_bound  # noqa: PLC0415

        with step(say) as done:
            model = _in_precision(network, onnx.load_model_from_string(float32), form, photos)
            digest = hashlib.sha256(serialized(model)).hexdigest()
            done(f"graph in {form.precision}")
        with step(say) as done:
            plan: PlanRunner | None = None
            if toolkit is not None:
                files, plan = _plans(network, model, form, facts, repository, toolkit, say)
                run: Runner = plan
            else:
                files, run = _for_target(model, form)
            done(f"files for {form.target}: {', '.join(files)}")
        with step(say) as done:
            judged = run
            if form == Build("onnx", "fp16"):  # ONNX Runtime would not round it on a processor
                judged = onnx_runner(serialized(rounding_as_half(model)))
            # OpenVINO is served one photo at a time, and of plans every slot was compared when they were built
            slots = network.max_batch_size if form.target == "onnx" else 1
            error = error_on(photos.judging, judged, expected, slots)
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
        build=form.target,
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
    with step(say) as done:
        written = write_network(repository, network, files, manifest)
        done(f"written: {', '.join(folder.name for folder in written)}")
    return Exported(network, manifest, written)


def _in_precision(network: ServedNetwork, model: "ModelProto", form: Build, photos: "Photos") -> "ModelProto":
    """The graph that computes in the build's precision; `model` itself may be changed."""
    match form.precision:
        case "fp16" if form.target == "openvino":
            return model  # its runtime and its file's compression do it
        case "fp16":
            from export.precision.half import in_half_precision  # noqa: PLC0415

            return in_half_precision(model, network.float32_islands, photos.calibrating)
        case "int8":
            from export.precision.int8 import quantized  # noqa: PLC0415

            return quantized(model, network.float32_in_int8, photos.calibrating)
        case "fp32" | "bf16":
            return model  # bf16 is the runtime's affair
        case _:
            assert_never(form.precision)


def _for_target(model: "ModelProto", form: Build) -> tuple[dict[str, bytes], "Runner"]:
    """The model files of the target by name, and what runs them here."""
    match form.target:
        case "openvino":
            from export.targets.openvino import openvino_runner, to_openvino  # noqa: PLC0415

            files = to_openvino(model, form.precision)
            return files, openvino_runner(files, form.precision)
        case "onnx":
            from export.graph.contract import serialized  # noqa: PLC0415
            from export.graph.parity import onnx_runner  # noqa: PLC0415

            data = serialized(model)
            return {ONNX_FILE: data}, onnx_runner(data)
        case "tensorrt":
            raise ValueError("plans are built from the graph by a toolkit, not here")
        case _:
            assert_never(form.target)


def tensorrt_for(form: Build) -> "Toolkit | None":
    """TensorRT on this machine where the build needs it: without it the long way to an ONNX graph is not worth it."""
    if form.target != "tensorrt":
        return None
    from export.targets.tensorrt.toolkit import find_toolkit  # noqa: PLC0415

    return find_toolkit()


def _plans(
    network: ServedNetwork,
    model: "ModelProto",
    form: Build,
    facts: "partial[Manifest]",
    repository: Path,
    toolkit: "Toolkit",
    say: Say,
) -> tuple[dict[str, bytes], "PlanRunner"]:
    """The plans of this machine's GPUs and what other machines left, and what runs one of them here."""
    from export.graph.contract import serialized  # noqa: PLC0415
    from export.targets.tensorrt.plans import plans_for  # noqa: PLC0415

    return plans_for(
        network,
        serialized(model),
        toolkit,
        repository,
        precision=form.precision,
        checkpoint_sha256=facts.keywords["checkpoint_sha256"],
        say=lambda line: say(f"  {line}"),
    )
