"""The steps of an export in their order, for a variant of the table and for an ONNX file of the user's own."""

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from export import checkpoints
from export.digest import sha256_of
from export.errors import ForeignNetworkError, StateDictError
from export.manifest import Manifest, read_manifest
from export.repository import DEFAULT_REPOSITORY, POSTPROCESS, exported, refuse_unwritable, write_network
from export.variants import VARIANTS, Layout, Resize, ServedNetwork, Variant, variant_named

Say = Callable[[str], None]

FOREIGN_MAX_AREA = 1280 * 1280
FOREIGN_MAX_BATCH = 8
SIDES = range(128, 1281, 32)


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
        if_needed: do nothing if the variant is there and no checkpoint on this machine is another than the one it was
            made from. Nothing is downloaded then.
        say, warn: take one line each, about a step and about what the user should know.

    Raises:
        UnknownVariantError, CheckpointError, RepositoryError: see there; the repository is as it was.
        ParityError: ONNX Runtime and PyTorch disagree; the repository is as it was.
    """
    variant = variant_named(name)
    if if_needed:
        manifest = _still_good(variant, repository, weights, untrained)
        if manifest is not None:
            say(f"{name} is up to date in {repository} ({describe_weights(manifest)})")
            return Exported(variant, manifest, [])
    refuse_unwritable(repository)
    checkpoint = None if untrained else checkpoints.find(variant, weights, warn)

    say(f"{name} -> {repository}")
    with _step(say) as done:
        import onnx  # noqa: PLC0415  (these three take seconds, which an export that is not needed does not have to wait for)
        import torch  # noqa: PLC0415

        from export.graph_contract import serialized  # noqa: PLC0415
        from export.networks import build, load_official  # noqa: PLC0415
        from export.onnx_graph import OPSET, FromPixels, to_onnx  # noqa: PLC0415
        from export.parity import compare, onnx_runner, sizes_to_compare  # noqa: PLC0415
        from export.untrained import fill_untrained  # noqa: PLC0415

        network = build(name)
        if checkpoint is None:
            fill_untrained(network)
        else:
            try:
                load_official(network, checkpoints.read_state_dict(checkpoint.path))
            except StateDictError as error:
                raise StateDictError(f"{checkpoint.path}: {error}") from error
        done(f"network with {checkpoint.path if checkpoint else 'untrained weights'}")
    with _step(say) as done:
        pixels_network = FromPixels(network, variant.mean, variant.std).eval()
        model = serialized(to_onnx(pixels_network, side=variant.resolution, fixed_size=variant.fixed_size))
        done(f"ONNX graph, opset {OPSET}, {len(model) / 1e6:.1f} MB")
    with _step(say) as done, torch.inference_mode():
        parity = compare(
            onnx_runner(model),
            lambda pixels: pixels_network(torch.from_numpy(pixels)).numpy(),
            sizes_to_compare(variant.resolution, any_aspect=variant.any_aspect),
        )
        done(f"parity with PyTorch: relative error {parity:.1e}")
    manifest = Manifest(
        variant=name,
        weights=checkpoint.weights if checkpoint else "untrained",
        checkpoint=checkpoint.path.name if checkpoint else None,
        checkpoint_sha256=checkpoint.sha256 if checkpoint else None,
        format="onnx",
        precision="fp32",
        onnx_sha256=hashlib.sha256(model).hexdigest(),
        opset=OPSET,
        parity=float(f"{parity:.2e}"),
        options=None,
        tools={"torch": torch.__version__, "onnx": onnx.__version__, "onnxruntime": version("onnxruntime")},
    )
    with _step(say) as done:
        written = write_network(repository, variant, model, manifest)
        done(f"written: {', '.join(folder.name for folder in written)}")
    return Exported(variant, manifest, written)


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
        if_needed: do nothing if the same file with the same options is there.
        say, warn: take one line each, about a step and about what the user should know.

    Raises:
        ForeignNetworkError, RepositoryError: see there; the repository is as it was.
        ParityError: the wrapped graph and the file disagree; the repository is as it was.
    """
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
        if there is not None:
            say(f"{name} is up to date in {repository} ({describe_weights(there.manifest)})")
            return there
    refuse_unwritable(repository)

    say(f"{name} -> {repository}")
    with _step(say) as done:
        import onnx  # noqa: PLC0415  (as above)

        from export.foreign_network import InputFormat, opset_of, read_onnx, wrap  # noqa: PLC0415
        from export.graph_contract import serialized  # noqa: PLC0415

        source = read_onnx(file)
        done(f"read {file}")
    with _step(say) as done:
        form = InputFormat(layout, value_range, mean, std)
        wrapped = wrap(source, form, side=side, resize=resize, output=output)
        model = serialized(wrapped.model)
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
    manifest = Manifest(
        variant=name,
        weights=f"sha256:{digest}",
        checkpoint=file.name,
        checkpoint_sha256=digest,
        format="onnx",
        precision="fp32",
        onnx_sha256=hashlib.sha256(model).hexdigest(),
        opset=opset_of(wrapped.model),
        parity=None,
        options={"asked": asked, "served": asdict(network)},
        tools={"onnx": onnx.__version__, "onnxruntime": version("onnxruntime")},
    )
    with _step(say) as done:
        written = write_network(repository, network, model, manifest)
        done(f"written: {', '.join(folder.name for folder in written)}")
    return Exported(network, manifest, written)


def describe_weights(manifest: Manifest) -> str:
    """The weights in a few words, for a person."""
    if manifest.weights == "untrained":
        return "untrained weights"
    if manifest.weights == "official":
        return f"official weights, {manifest.checkpoint}"
    if manifest.weights == "default":
        return f"the weights that ship with the project, {manifest.checkpoint}"
    return f"weights from {manifest.checkpoint}, SHA-256 {(manifest.checkpoint_sha256 or '')[:8]}"


def _still_good(variant: Variant, repository: Path, weights: Path | None, untrained: bool) -> Manifest | None:
    """The manifest of an export that need not be repeated."""
    manifest = exported(repository, variant)
    if manifest is None:
        return None
    if untrained:
        return manifest if manifest.weights == "untrained" else None
    local = checkpoints.find_local(variant, weights)
    return manifest if local is None or local.sha256 == manifest.checkpoint_sha256 else None


def _same_file(name: str, repository: Path, digest: str, asked: Mapping[str, object]) -> Exported | None:
    """The earlier export of the same file with the same options."""
    manifest = read_manifest(repository / f"{name}_network" / "1" / "manifest.json")
    if manifest is None or manifest.checkpoint_sha256 != digest or not manifest.options:
        return None
    served = manifest.options.get("served")
    if manifest.options.get("asked") != asked or not isinstance(served, dict):
        return None
    network = ServedNetwork(**served)
    return Exported(network, manifest, []) if exported(repository, network) == manifest else None


def _check_foreign_name(name: str) -> None:
    if not re.fullmatch(r"[a-z0-9_]{1,64}", name):
        raise ForeignNetworkError(f"'{name}' cannot be a model's name: use lower-case letters, digits and underscores")
    if name in VARIANTS:
        raise ForeignNetworkError(f"'{name}' is a variant of the table: choose another name for a network of your own")
    if name == POSTPROCESS or name.endswith(("_preprocess", "_network")):
        raise ForeignNetworkError(f"'{name}' is the name of a step in the repository: choose another")


@contextmanager
def _step(say: Say) -> Iterator[Say]:
    """Time the block; the line that it hands to what it is given is said with the seconds that it took."""
    started = time.monotonic()
    yield lambda line: say(f"  {line} ({time.monotonic() - started:.1f} s)")
