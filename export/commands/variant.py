"""From a variant of the table to the model repository: network -> ONNX graph -> what all exports share."""

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from export.commands.pipeline import Exported, Float32Graph, finish, reference_for
from export.commands.progress import Say, step
from export.commands.request import ExportRequest
from export.commands.up_to_date import same_checkpoint
from export.errors import CheckpointError
from export.repository.manifest import Provenance
from export.variants import variant_named
from export.variants.row import Variant
from export.weights import checkpoints
from export.weights.checkpoints import Checkpoint

if TYPE_CHECKING:
    from export.graph.parity import Depth, Pixels
    from export.graph.trace import FromPixels
    from export.targets.verdict import Runner


def export_variant(
    name: str,
    request: ExportRequest,
    *,
    weights: Path | None = None,
    untrained: bool = False,
    require_weights: bool = False,
) -> Exported:
    """Export a variant.

    Args:
        name: a row of the table, or a size such as "small".
        request: what is asked of any export.
        weights: checkpoint to use; else it is looked for and downloaded, and without one the network is exported
            untrained.
        untrained: do not look for a checkpoint.
        require_weights: refuse the network where there is no checkpoint.

    Raises:
        UnknownVariantError, CheckpointError, BuildError, PhotosError, RepositoryWriteError: see there; the repository
            is as it was.
        ParityError: the runtime and PyTorch disagree, in float32 or (weights that are trained) by more than the
            precision may; the repository is as it was.
    """
    variant = variant_named(name)
    if request.if_needed:
        there = same_checkpoint(variant, weights, untrained, request)
        if there is not None and not (require_weights and there.manifest.weights == "untrained"):
            return there
    request.check()
    checkpoint = None if untrained else checkpoints.find(variant, weights, request.warn)
    if checkpoint is None and require_weights:
        raise CheckpointError(
            f"{variant.name} has no checkpoint, and without one its depth means nothing: put {variant.source.file} "
            "into weights/, or export without --require-weights"
        )

    request.say(f"{variant.name} -> {request.repository}")
    network = with_weights(variant, checkpoint, request.say)
    float32 = _traced(network, variant, request.say)
    run = _torch_runner(network)
    from export.graph.trace import OPSET  # noqa: PLC0415  (see `with_weights`)

    source = Provenance(
        weights=checkpoint.weights if checkpoint else "untrained",
        checkpoint=checkpoint.path.name if checkpoint else None,
        checkpoint_sha256=checkpoint.sha256 if checkpoint else None,
        opset=OPSET,
        parity=_parity(variant, float32, run, request.say),
        options=None,
        tools={tool: version(tool) for tool in ("torch", "onnx", "onnxruntime")},
    )
    reference = reference_for(variant, run, request)
    del network, run  # as large as the graph, and a conversion needs room for several graphs
    return finish(Float32Graph(variant, float32, source), reference, request)


def with_weights(variant: Variant, checkpoint: Checkpoint | None, say: Say) -> "FromPixels":
    """The network, taking pixels, with the weights of the checkpoint, or untrained ones.

    Raises:
        CheckpointError: the checkpoint cannot be read, or is not this network's.
    """
    with step(say) as done:
        # torch takes seconds to import, which an export that is not needed does not have to wait for
        from export.graph.trace import FromPixels  # noqa: PLC0415
        from export.networks import build  # noqa: PLC0415
        from export.weights.load import load_checkpoint  # noqa: PLC0415
        from export.weights.untrained import fill_untrained  # noqa: PLC0415

        network = build(variant.name)
        if checkpoint is None:
            fill_untrained(network, variant.untrained_gain, variant.untrained_last)
            loaded = "untrained weights"
        else:
            how = load_checkpoint(network, variant, checkpoint.path)
            loaded = f"{checkpoint.path}{f', {how}' if how else ''}"
        done(f"network with {loaded}")
    return FromPixels(network, variant.mean, variant.std).eval()


def _traced(network: "FromPixels", variant: Variant, say: Say) -> bytes:
    """The float32 graph as bytes: of the largest network, each further copy is 1.4 GB."""
    from export.graph.contract import serialized  # noqa: PLC0415  (as above)
    from export.graph.trace import OPSET, to_onnx  # noqa: PLC0415

    with step(say) as done:
        float32 = serialized(to_onnx(network, side=variant.resolution, fixed_size=variant.fixed_size))
        done(f"ONNX graph, opset {OPSET}")
    return float32


def _parity(variant: Variant, float32: bytes, run: "Runner", say: Say) -> float:
    """Relative error of the graph against `run`, the network in PyTorch; raises ParityError where it is too large."""
    from export.graph.parity import compare, onnx_runner, sizes_to_compare  # noqa: PLC0415

    with step(say) as done:
        sizes = sizes_to_compare(variant.resolution, any_aspect=variant.any_aspect, multiple=variant.multiple)
        error = compare(onnx_runner(float32), run, sizes)
        done(f"parity with PyTorch: relative error {error:.1e}")
    return float(f"{error:.2e}")


def _torch_runner(network: "FromPixels") -> "Runner":
    import torch  # noqa: PLC0415  (as above)

    def run(pixels: "Pixels") -> "Depth":
        with torch.inference_mode():
            depth: Depth = network(torch.from_numpy(pixels)).numpy()
            return depth

    return run
