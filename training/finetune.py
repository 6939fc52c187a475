"""Fine-tuning: any variant of the table, from a checkpoint, on a user's own photos with depth."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor, nn

from accuracy.metrics import Figures, mean
from accuracy.pair import Pair
from accuracy.samples import names_of
from export.networks import build, load_official
from export.variants import variant_named
from export.variants.row import Variant
from export.weights import checkpoints
from training.augment import shapes_near
from training.batches import Batches
from training.curve import draw_curve
from training.data import DataSet, read_all
from training.errors import TrainingError
from training.evaluation import Evaluated, evaluate, in_words, judging
from training.losses import GRADIENT, TRIM, Place
from training.optimisation import Optimisation, Rates
from training.precision import Name
from training.progress import interruptible, progress
from training.report import PICTURED, write_report
from training.run import CURVE, Run
from training.schedule import rate
from training.start import load

IMPROVEMENT = 1e-3  # of delta-1: what is less counts as none


@dataclass(frozen=True, kw_only=True)
class FineTuning:
    """What decides how a fine-tuning goes.

    Attributes:
        variant: row of the table.
        weights: checkpoint to start from.
        pairs: data set to learn from.
        validation: another data set to stop by; empty to set a share of `pairs` aside.
        share: that share.
        steps: at most.
        evaluate_every: steps between evaluations.
        patience: evaluations without an improvement until it stops.
        batch, size, seed, precision, threads: as in `training.train.Settings`.
        lr, encoder_lr: peak learning rates, far smaller than in a training from the start.
        fixed_statistics: leave the batch normalisation's statistics alone: a few photos would spoil them.
    """

    variant: str
    weights: str
    pairs: str
    validation: str
    share: float
    steps: int
    evaluate_every: int
    patience: int
    batch: int
    size: int
    seed: int
    lr: float
    encoder_lr: float
    precision: Name
    threads: int
    fixed_statistics: bool = True


@dataclass(frozen=True)
class Outcome:
    """What a fine-tuning gave.

    Attributes:
        before, after: mean figures on the validation photos; equal if nothing was better than the start.
        step: after which the weights that are kept were reached; 0 for the start.
        weights: the checkpoint that was written.
        report: the report that was written.
    """

    before: Figures
    after: Figures
    step: int
    weights: Path
    report: Path


@dataclass
class _Best:
    score: float
    step: int
    tensors: dict[str, Tensor]


def find_weights(variant: Variant, named: Path | None, console: Console) -> Path:
    """The checkpoint to start from: the one named, or what export would take.

    Raises:
        TrainingError: there is none.
    """

    def warn(line: str) -> None:
        console.print(f"warning: {line}", style="yellow", markup=False)

    found = checkpoints.find(variant, named, warn)
    if found is None:
        raise TrainingError(
            f"{variant.name} has no checkpoint to start from: name one with --weights, "
            f"or put {variant.source.file} into weights/"
        )
    return found.path


def finetune(settings: FineTuning, out: Path, *, device: torch.device, workers: int, console: Console) -> Outcome:
    """Learn from the pairs until the validation photos get no better, and keep the best weights that there were.

    A photo whose truth cannot judge is named and not judged by.

    Writes into `out`: the checkpoint `<variant>.pt` (official tensor names, for `python -m export <variant>
    --weights`), `report.md` with pictures, `log.jsonl` and `curve.png`. An interrupt ends the learning only.

    Raises:
        TrainingError: bad data, weights that do not fit, too few pairs, or `out` has a run in it.
    """
    torch.set_num_threads(settings.threads)
    variant = variant_named(settings.variant)
    if out.is_dir() and any(out.iterdir()):
        raise TrainingError(f"{out} is not empty: name another --out, or delete it")
    learning, validation = _divided(settings, console)
    network = build(variant.name)
    load(network, variant, Path(settings.weights))
    run = Run(out, asdict(settings))
    console.print(
        f"{variant.name} from {Path(settings.weights).name}: {len(learning)} photos to learn from, "
        f"{len(validation)} to judge by, on {device}",
        markup=False,
    )
    before = _judge(network, variant, validation, device)
    console.print(f"before: {in_words(mean(before.figures))}", markup=False)
    rates = Rates(
        decoder=settings.lr,
        encoder=settings.encoder_lr,
        weight_decay=0.01,
        trim=TRIM,
        gradient=GRADIENT,
        place=before.place,
        average=0.98,
        fixed_statistics=settings.fixed_statistics,
    )
    optimisation = Optimisation(network, variant, rates, device, settings.precision)
    best = _learn(settings, optimisation, learning, validation, before, run, workers, console)

    after_network = build(variant.name).to(device)
    load_official(after_network, best.tensors)
    weights = out / variant.source.file
    torch.save({name: tensor.cpu() for name, tensor in after_network.state_dict().items()}, weights)
    after = _judge(after_network, variant, validation, device)
    draw_curve(out / CURVE, run.lines())
    names = names_of(validation)
    report = write_report(
        out,
        variant=variant.name,
        start=Path(settings.weights).name,
        weights=weights,
        learnt_from=len(learning),
        step=best.step,
        names=[names[pair] for pair in validation],
        before=before.figures,
        after=after.figures,
        pictures=list(zip(before.pictured, after.pictured, strict=True)),
    )
    return Outcome(mean(before.figures), mean(after.figures), best.step, weights, report)


@dataclass(frozen=True)
class _Judged:
    figures: Sequence[Figures]
    pictured: Sequence[Evaluated]
    place: Place


def _judge(network: nn.Module, variant: Variant, pairs: Sequence[Pair], device: torch.device) -> _Judged:
    """The figures of every photo, and the maps of a few, spread over all."""
    pictured = set(np.linspace(0, len(pairs) - 1, min(PICTURED, len(pairs))).astype(int).tolist())
    figures, kept, places = [], [], []
    for number, each in enumerate(evaluate(network, variant, pairs, device)):
        figures.append(each.figures)
        places.append(_place(each.depth))
        if number in pictured:
            kept.append(each)
    centre, spread = np.mean(places, axis=0).tolist()
    return _Judged(figures, kept, Place(centre, max(spread, 0.01 * abs(centre), 1e-6)))


def _place(depth: NDArray[np.float32]) -> tuple[float, float]:
    """Median of a map and mean absolute deviation from it: what the loss sets to 0 and 1 in a truth."""
    median = float(np.median(depth))
    return median, float(np.mean(np.abs(depth - median)))


def _learn(
    settings: FineTuning,
    optimisation: Optimisation,
    learning: Sequence[Pair],
    validation: Sequence[Pair],
    before: _Judged,
    run: Run,
    workers: int,
    console: Console,
) -> _Best:
    variant = optimisation.variant
    if variant.default_rule == "square":  # as it is served
        side = settings.size if variant.any_aspect else variant.resolution
        shapes = [(side, side)]
    else:
        shapes = shapes_near(settings.size)
    batches = Batches(
        [DataSet("own", learning, (), 1.0)], shapes, settings.batch, settings.seed, variant.default_rule == "square"
    )
    best = _Best(_score(before.figures), 0, _copied(optimisation.average.state_dict()))
    run.log({"step": 0, "evaluation": {"validation": asdict(mean(before.figures))}})
    waited = 0
    with interruptible() as interrupted, progress(console, 0, settings.steps, settings.batch) as advance:
        for step, batch in enumerate(batches.iterate(0, settings.steps, workers)):
            losses = optimisation.step(batch, rate(step, settings.steps, max(1, min(50, settings.steps // 10))))
            done = step + 1
            run.log({"step": done, "loss": losses.total, "ssi": losses.ssi, "gradient": losses.gradient})
            advance(done, losses.total)
            if done % settings.evaluate_every and done != settings.steps and not interrupted():
                continue
            network = optimisation.averaged()
            figures = [each.figures for each in evaluate(network, variant, validation, optimisation.device)]
            run.log({"step": done, "evaluation": {"validation": asdict(mean(figures))}})
            better = _score(figures) > best.score + IMPROVEMENT
            console.print(f"step {done}: {in_words(mean(figures))}{', the best so far' * better}", markup=False)
            if better:
                best, waited = _Best(_score(figures), done, _copied(optimisation.average.state_dict())), 0
            else:
                waited += 1
            if waited >= settings.patience:
                console.print(f"stopped: no better for {waited} evaluations")
                break
            if interrupted():
                break
    return best


def _divided(settings: FineTuning, console: Console) -> tuple[list[Pair], list[Pair]]:
    """What is learnt from, and what it is judged by; the same for the same seed.

    Raises:
        TrainingError: too few pairs, or none that can judge.
    """
    left_out: list[str] = []

    def leave_out(line: str) -> None:
        left_out.append(line)
        console.print(f"not judged by: {line}", style="yellow", markup=False, highlight=False, soft_wrap=True)

    pairs = read_all(Path(settings.pairs))
    if settings.validation:
        learning, validation = pairs, list(judging(read_all(Path(settings.validation)), leave_out))
    else:
        if len(pairs) < 2:
            raise TrainingError(
                f"{settings.pairs} has one pair: at least one to learn from and one to judge by are needed"
            )
        order = np.random.default_rng(settings.seed).permutation(len(pairs))
        count = min(max(1, round(settings.share * len(pairs))), len(pairs) - 1)
        validation = list(islice(judging((pairs[number] for number in order), leave_out), count))
        aside = set(validation)
        learning = [pair for pair in pairs if pair not in aside]
    if not validation:
        raise TrainingError(
            f"no photo of {settings.validation or settings.pairs} can judge the network; the first: {left_out[0]}"
        )
    if not learning:
        raise TrainingError(f"{settings.pairs} names the same pair again and again: none is left to learn from")
    return learning, validation


def _score(figures: Sequence[Figures]) -> float:
    """Mean delta-1: what decides which weights are the best. A photo that comes out upside down counts as 0.

    (Its figures are those of a flat depth map, which may be right for many pixels.) AbsRel would not do: with few
    validation photos, a few pixels that come out far too distant decide it.
    """
    return float(np.mean([(each.delta_1 or 0.0) * ((each.spearman or 0.0) > 0) for each in figures]))


def _copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}
