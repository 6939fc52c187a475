"""Run trtexec: one ONNX graph in, one plan for each kind of GPU in this machine out."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from export.errors import TensorRTError
from export.graph.contract import INPUT
from export.targets.tensorrt.manifest import PlanManifest, plan_file
from export.targets.tensorrt.profile import Profile, Shape, profile_of
from export.targets.tensorrt.toolkit import PlanGpu, Toolkit
from export.targets.tensorrt.trtexec import last_of, run_trtexec
from export.variants.row import ServedNetwork

TIMING_CACHES = Path(__file__).resolve().parents[3] / ".tensorrt_timings"


def precision_flags(major: int, precision: str) -> list[str]:
    """What trtexec of TensorRT `major` needs so that the plan computes in the types that the ONNX graph has.

    TensorRT 11 knows strongly typed networks only: the types of the graph hold, and `--fp16` is gone. TensorRT 10 is
    told so. Its own `--fp16` would be free to compute the float32 islands of the graph (softmax, norms, all that
    overflows in Swin) in half too, and the error that was measured on the graph would not be the plan's.
    A float32 plan does not use TF32, whose 10-bit mantissa costs three digits.
    """
    typed = ["--stronglyTyped"] if major == 10 else []
    return typed + (["--noTF32"] if precision == "fp32" else [])


def build_command(
    toolkit: Toolkit, gpu: PlanGpu, profile: Profile, *, onnx: Path, plan: Path, timings: Path, precision: str
) -> list[str]:
    """Return the trtexec command that builds `plan` for `gpu`."""
    return [
        str(toolkit.trtexec),
        f"--onnx={onnx}",
        f"--saveEngine={plan}",
        f"--minShapes={_spec(profile.minimum)}",
        f"--optShapes={_spec(profile.optimum)}",
        f"--maxShapes={_spec(profile.maximum)}",
        f"--timingCacheFile={timings}",
        f"--device={gpu.index}",
        "--skipInference",
        *precision_flags(toolkit.major, precision),
    ]


def build_plans(
    toolkit: Toolkit,
    network: ServedNetwork,
    model: bytes,
    *,
    precision: str,
    checkpoint_sha256: str | None,
    say: Callable[[str], None],
) -> dict[str, bytes]:
    """Build a plan of `model` for each compute capability in this machine.

    Args:
        toolkit: what `find_toolkit` found.
        network: whose profile.
        model: bytes of the ONNX graph.
        precision: "fp32" or "fp16", the types of the graph.
        checkpoint_sha256: for the manifest.
        say: takes a line about each plan.

    Returns:
        File names in the version folder and their bytes: plans and their manifests.

    Raises:
        TensorRTError: trtexec failed, was killed, or left no plan; with its last lines.
    """
    profile = profile_of(network)
    files: dict[str, bytes] = {}
    with TemporaryDirectory(prefix="midas-tensorrt-") as temporary:
        onnx = Path(temporary) / "model.onnx"
        onnx.write_bytes(model)
        for gpu in toolkit.gpus:
            plan = Path(temporary) / plan_file(gpu.capability)
            timings = TIMING_CACHES / f"tensorrt_{toolkit.version}_sm{gpu.capability.replace('.', '')}.cache"
            timings.parent.mkdir(exist_ok=True)
            command = build_command(toolkit, gpu, profile, onnx=onnx, plan=plan, timings=timings, precision=precision)
            say(f"building a TensorRT {toolkit.version} plan for {gpu.name}, {gpu.capability}; this takes minutes")
            said = run_trtexec(command)
            if not plan.is_file() or not plan.stat().st_size:
                raise TensorRTError(f"trtexec ended without an error but wrote no plan. Its last lines:{last_of(said)}")
            data = plan.read_bytes()
            manifest = PlanManifest(
                variant=network.name,
                precision=precision,
                checkpoint_sha256=checkpoint_sha256,
                onnx_sha256=hashlib.sha256(model).hexdigest(),
                plan_sha256=hashlib.sha256(data).hexdigest(),
                plan_bytes=len(data),
                tensorrt=toolkit.version,
                compute_capability=gpu.capability,
                gpu=gpu.name,
                minimum=profile.minimum,
                optimum=profile.optimum,
                maximum=profile.maximum,
                flags=precision_flags(toolkit.major, precision),
            )
            files[plan.name] = data
            files[f"{plan.name}.json"] = manifest.to_json().encode()
            say(f"{plan.name}, {len(data) / 1e6:.1f} MB")
    return files


def _spec(shape: Shape) -> str:
    """As trtexec writes the shape of the graph's input."""
    return f"{INPUT}:{'x'.join(map(str, shape))}x3"
