"""From a variant of the table to the model repository: network -> ONNX graph -> what all exports share."""

from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from export.commands.pipeline import Exported, finish, tensorrt_for
from export.commands.progress import Say, silent, step
from export.commands.up_to_date import still_good
from export.repository.manifest import Manifest, describe_weights
from export.repository.write import DEFAULT_REPOSITORY, refuse_unwritable
from export.targets.builds import Build, Precision, Target
from export.variants import variant_named
from export.weights import checkpoints

if TYPE_CHECKING:
    from export.graph.parity import Depth, Pixels
    from export.graph.trace import FromPixels
    from export.targets.verdict import Runner


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
    say: Say = silent,
    warn: Say = silent,
) -> Exported:
    """Export a variant into `repository`.

    Args:
        name: a row of the table, or a size such as "small".
        repository: the model repository; created if needed.
        weights: checkpoint to use; else it is looked for and downloaded, and without one the network is exported
            untrained.
        untrained: do not look for a checkpoint.
        precision, target: the build, "fp32" and "onnx" by default. It replaces any other build of the variant.
        calibration: folder of photos that int8 calibrates with and every build is judged on; else scikit-image's.
        if_needed: do nothing if the variant is there and no checkpoint on this machine is another than the one it was
            made from. Nothing is downloaded then. A precision or target that is None accepts any that is there.
        say, warn: take one line each, about a step and about what the user should know.

    Raises:
        UnknownVariantError, CheckpointError, BuildError, PhotosError, RepositoryWriteError: see there; the repository
            is as it was.
        ParityError: the runtime and PyTorch disagree, in float32 or (weights that are trained) by more than the
            precision may; the repository is as it was.
    """
    variant = variant_named(name)
    name = variant.name
    form = Build(target or "onnx", precision or "fp32")
    if if_needed:
        manifest = still_good(variant, repository, weights, untrained, precision, target)
        if manifest is not None:
            say(f"{name} is up to date in {repository} ({describe_weights(manifest)})")
            return Exported(variant, manifest, [])
    refuse_unwritable(repository)
    toolkit = tensorrt_for(form)
    checkpoint = None if untrained else checkpoints.find(variant, weights, warn)

    say(f"{name} -> {repository}")
    with step(say) as done:
        import torch  # noqa: PLC0415  (it takes seconds, which an export that is not needed does not have to wait for)

        from export.graph.contract import serialized  # noqa: PLC0415
        from export.graph.trace import OPSET, FromPixels, to_onnx  # noqa: PLC0415
        from export.networks import build  # noqa: PLC0415
        from export.weights.load import load_checkpoint  # noqa: PLC0415
        from export.weights.untrained import fill_untrained  # noqa: PLC0415

        network = build(name)
        if checkpoint is None:
            fill_untrained(network, variant.untrained_gain, variant.untrained_last)
            loaded = "untrained weights"
        else:
            how = load_checkpoint(network, variant, checkpoint.path)
            loaded = f"{checkpoint.path}{f', {how}' if how else ''}"
        done(f"network with {loaded}")
    with step(say) as done:
        pixels_network = FromPixels(network, variant.mean, variant.std).eval()
        # as bytes from here on: of the largest network, each further copy in another form is 1.4 GB
        float32 = serialized(to_onnx(pixels_network, side=variant.resolution, fixed_size=variant.fixed_size))
        done(f"ONNX graph, opset {OPSET}")

    reference = _torch_runner(pixels_network)
    with step(say) as done:
        from export.graph.parity import compare, onnx_runner, sizes_to_compare  # noqa: PLC0415
        from export.precision.photos import photos_for  # noqa: PLC0415

        sizes = sizes_to_compare(variant.resolution, any_aspect=variant.any_aspect, multiple=variant.multiple)
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
    photos = None if form == Build() else photos_for(variant, calibration)
    expected = [reference(photo) for photo in photos.judging] if photos else []
    del network, pixels_network, reference  # as large as the graph, and a conversion needs room for several graphs
    return finish(variant, float32, photos, expected, form, facts, repository, toolkit, say)


def _torch_runner(network: "FromPixels") -> "Runner":
    import torch  # noqa: PLC0415  (as above)

    def run(pixels: "Pixels") -> "Depth":
        with torch.inference_mode():
            depth: Depth = network(torch.from_numpy(pixels)).numpy()
            return depth

    return run
