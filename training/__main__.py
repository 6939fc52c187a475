"""Command line: `python -m training train|finetune|export-weights ...`.

Exit codes: 0 done, 1 failed, 2 the command line is wrong, 130 interrupted.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from export.errors import ExportError
from training.errors import TrainingError

VARIANT = "midas_tiny_256"
ENCODER_SHARE = 0.3  # of the decoder's learning rate, for an encoder that has learnt already
FINE_ENCODER_SHARE = 0.1

Number = TypeVar("Number", int, float)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parser().parse_args(arguments)
    _set_up_libraries()
    console = Console(highlight=False, soft_wrap=True)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        options.command(options, console)
    except (TrainingError, ExportError) as error:
        errors.print(f"error: {error}", style="red", markup=False)
        return error.exit_code if isinstance(error, ExportError) else 1
    except OSError as error:
        errors.print(f"error: {error.strerror or error}: {error.filename or 'no file'}", style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        errors.print("interrupted; the same command goes on from the last checkpoint", style="red")
        return 130
    return 0


def _set_up_libraries() -> None:
    """Settings that are read when torch is imported, unless the user has his own."""
    # On a processor that others use too, threads that spin while they wait take the time of those that work: a step
    # has been seen to take five times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Every batch shape needs some 250 prepared kernels; with the default of 1024 they are prepared again and again.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16384")


def _train(options: argparse.Namespace, console: Console) -> None:
    from training.device import choose_device  # noqa: PLC0415  (torch takes seconds; --help does without)
    from training.precision import choose_precision  # noqa: PLC0415
    from training.train import TrainingSettings, train  # noqa: PLC0415

    device = choose_device(options.device)
    pretrained = options.init is not None or options.encoder == "imagenet"
    settings = TrainingSettings(
        data=options.data,
        evaluate=str(options.evaluate or ""),
        variant=options.variant,
        steps=options.steps,
        batch=options.batch,
        size=options.size,
        lr=options.lr,
        encoder_lr=options.encoder_lr or options.lr * (ENCODER_SHARE if pretrained else 1),
        weight_decay=options.weight_decay,
        warm_up=options.warm_up,
        average=options.average,
        trim=options.trim,
        gradient=options.gradient,
        seed=options.seed,
        encoder="none" if options.init else options.encoder,
        init=str(options.init or ""),
        precision=choose_precision(options.precision, device),
        threads=options.threads,
    )
    train(
        settings,
        options.out,
        device=device,
        workers=options.workers,
        evaluate_every=options.evaluate_every,
        save_every=options.save_every,
        stop_after=options.stop_after,
        console=console,
    )


def _finetune(options: argparse.Namespace, console: Console) -> None:
    from export.variants import variant_named  # noqa: PLC0415  (as above)
    from training.device import choose_device  # noqa: PLC0415
    from training.finetune import FineTuning, find_weights, finetune  # noqa: PLC0415
    from training.precision import choose_precision  # noqa: PLC0415

    device = choose_device(options.device)
    variant = variant_named(options.variant)
    settings = FineTuning(
        variant=variant.name,
        weights=str(find_weights(variant, options.weights, console)),
        pairs=str(options.pairs),
        validation=str(options.validation or ""),
        share=options.share,
        steps=options.steps,
        evaluate_every=options.evaluate_every,
        patience=options.patience,
        batch=options.batch,
        size=options.size or variant.resolution,
        seed=options.seed,
        lr=options.lr,
        encoder_lr=options.encoder_lr or options.lr * FINE_ENCODER_SHARE,
        precision=choose_precision(options.precision, device),
        threads=options.threads,
    )
    outcome = finetune(settings, options.out, device=device, workers=options.workers, console=console)
    if outcome.step == 0:
        console.print("nothing was better than the start; the start is kept", markup=False)
    console.print(f"{outcome.report}: before and after", markup=False)
    console.print(f"python -m export {variant.name} --weights {outcome.weights}", markup=False)


def _export_weights(options: argparse.Namespace, console: Console) -> None:
    from training.shipped import export_weights  # noqa: PLC0415  (as above)

    path, error = export_weights(options.run, options.variant, options.out)
    size = path.stat().st_size / 1e6
    console.print(f"{path}: {size:.1f} MB in half precision, which changes the output by {error:.1e}", markup=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training", description="Train the project's own network, or fine-tune any variant."
    )
    commands = parser.add_subparsers(required=True, metavar="train | finetune | export-weights")

    learn = commands.add_parser(
        "train",
        help="train from data sets of photos with depth",
        description="Train on folders with a pairs.csv. The same command goes on where a run was stopped.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    learn.set_defaults(command=_train)
    learn.add_argument(
        "--data", action="append", required=True, metavar="DIR[=WEIGHT]", help="data set, and its share of a batch"
    )
    learn.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder of the run")
    learn.add_argument("--evaluate", type=Path, metavar="DIR", help="evaluate on this, not on photos held out")
    learn.add_argument("--variant", default=VARIANT, choices=[VARIANT, "midas_v21_small_256"])
    learn.add_argument("--steps", type=_whole, default=20000)
    learn.add_argument("--batch", type=_whole, default=8, help="photos a step")
    learn.add_argument("--size", type=_side, default=256, help="a step's photos have about SIZE x SIZE pixels")
    learn.add_argument("--lr", type=_positive, default=1e-3, help="peak learning rate of the decoder")
    learn.add_argument("--encoder-lr", type=_positive, help="the encoder's; by default 0.3 of --lr if it is pretrained")
    learn.add_argument("--weight-decay", type=float, default=0.01)
    learn.add_argument("--warm-up", type=_whole, default=200, help="steps")
    learn.add_argument("--average", type=_share, default=0.999, help="decay of the moving average of the weights")
    learn.add_argument("--trim", type=_share, default=0.2, help="share of worst pixels that the loss leaves out")
    learn.add_argument("--gradient", type=float, default=0.5, help="weight of the gradient matching term")
    learn.add_argument("--seed", type=int, default=0)
    learn.add_argument("--encoder", choices=["imagenet", "none"], default="imagenet", help="what it starts from")
    learn.add_argument("--init", type=Path, metavar="CKPT", help="start all of it from a checkpoint instead")
    learn.add_argument("--evaluate-every", type=_whole, default=1000, metavar="STEPS")
    learn.add_argument("--save-every", type=_whole, default=200, metavar="STEPS")
    learn.add_argument("--stop-after", type=_whole, metavar="STEP", help="stop there, as Ctrl-C would")
    _machine(learn)

    own = commands.add_parser(
        "finetune",
        help="teach a variant your own photos with depth",
        description="Continue from a checkpoint of any variant, until validation photos get no better.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    own.set_defaults(command=_finetune)
    own.add_argument("variant", metavar="VARIANT", help="name of a row in the table of variants")
    own.add_argument("--pairs", type=Path, required=True, metavar="CSV|FOLDER", help="photos with depth to learn from")
    own.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder of the run, new or empty")
    own.add_argument("--weights", type=Path, metavar="FILE", help="start from this; default: what export would take")
    own.add_argument("--validation", type=Path, metavar="CSV|FOLDER", help="judge by these, not by a share of --pairs")
    own.add_argument("--share", type=_share, default=0.2, help="of --pairs that is set aside to judge by")
    own.add_argument("--steps", type=_whole, default=1000, help="at most")
    own.add_argument("--evaluate-every", type=_whole, default=50, metavar="STEPS")
    own.add_argument("--patience", type=_whole, default=5, help="evaluations without an improvement until it stops")
    own.add_argument("--batch", type=_whole, default=4, help="photos a step")
    own.add_argument("--size", type=_side, help="about SIZE x SIZE pixels a photo; default: the variant's resolution")
    own.add_argument("--seed", type=int, default=0)
    own.add_argument("--lr", type=_positive, default=1e-4, help="peak learning rate of the decoder")
    own.add_argument("--encoder-lr", type=_positive, help="the encoder's; by default 0.1 of --lr")
    _machine(own)

    ship = commands.add_parser("export-weights", help="write a run's weights to the file that ships")
    ship.set_defaults(command=_export_weights)
    ship.add_argument("run", type=Path, metavar="RUN")
    ship.add_argument("--variant", default=VARIANT)
    ship.add_argument("--out", type=Path, metavar="FILE", help="default: the file that ships with the project")
    return parser


def _machine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--precision", choices=["auto", "float32", "bfloat16", "float16"], default="auto")
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare batches; 0 for none")
    parser.add_argument("--threads", type=_whole, default=2, help="of the processor")


def _whole(text: str) -> int:
    return _checked(text, int, lambda number: number >= 1, "a whole number above 0")


def _side(text: str) -> int:
    return _checked(text, int, lambda number: number >= 64 and number % 32 == 0, "a multiple of 32 from 64")


def _positive(text: str) -> float:
    return _checked(text, float, lambda number: 0 < number < float("inf"), "a number above 0")


def _share(text: str) -> float:
    return _checked(text, float, lambda number: 0 <= number < 1, "a number from 0, below 1")


def _checked(text: str, kind: Callable[[str], Number], allowed: Callable[[Number], bool], what: str) -> Number:
    try:
        number = kind(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}") from None
    if not allowed(number):
        raise argparse.ArgumentTypeError(f"{text} is not {what}")
    return number


if __name__ == "__main__":
    sys.exit(main())
