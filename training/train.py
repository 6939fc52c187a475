"""Training from the first step to the last, or from where a run was stopped."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from rich.console import Console

from accuracy.metrics import mean
from accuracy.pair import Pair
from export.variants import variant_named
from training.augment import Shape, shapes_near
from training.batches import Batches
from training.curve import draw_curve
from training.data import DataSet, fingerprint, read_all, read_data
from training.evaluation import Evaluated, evaluate, in_words, judging
from training.losses import FRESH
from training.optimisation import Optimisation, Rates
from training.pictures import coloured, save_rows
from training.precision import Name
from training.progress import interruptible, progress
from training.run import CURVE, EVALUATION, Run
from training.schedule import rate
from training.start import fresh, load

_PICTURED = 8


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """What decides how a training goes: the same settings and data give the same network on the same machine.

    Attributes:
        data: data sets, see `training.data.read_data`.
        evaluate: data set to evaluate on; empty for the photos held out from `data`.
        variant: row of the table.
        steps: how many in all; the schedule depends on it.
        batch: photos a step.
        size: a step's photos have about this many pixels, squared.
        lr: learning rate of the decoder at its peak.
        encoder_lr: that of the encoder.
        weight_decay, warm_up (steps), average (decay of the moving average), trim, gradient: see `Rates` and `rate`.
        seed: of weights, order, crops and colours.
        encoder: "imagenet" or "none".
        init: checkpoint to start from instead; empty for none.
        precision: "float32", "bfloat16" or "float16".
        threads: of the processor; a sum depends on how it is divided.
    """

    data: Sequence[str]
    evaluate: str
    variant: str
    steps: int
    batch: int
    size: int
    lr: float
    encoder_lr: float
    weight_decay: float
    warm_up: int
    average: float
    trim: float
    gradient: float
    seed: int
    encoder: str
    init: str
    precision: Name
    threads: int


def train(
    settings: TrainingSettings,
    out: Path,
    *,
    device: torch.device,
    workers: int,
    evaluate_every: int,
    save_every: int,
    console: Console,
    stop_after: int | None = None,
) -> None:
    """Train, and write everything into the folder `out`; go on where that holds a run with the same settings.

    An interrupt (Ctrl-C or SIGTERM) keeps the state first.

    Args:
        settings: see there.
        out: the run's folder, see `training.run`.
        device: what to compute on.
        workers: processes that prepare batches.
        evaluate_every: steps between evaluations.
        save_every: steps between checkpoints.
        console: told about progress.
        stop_after: interrupt after this step, as Ctrl-C would.

    Raises:
        TrainingError: bad data, another run in `out`, a loss that is not a number.
    """
    torch.set_num_threads(settings.threads)
    if device.type == "cuda":
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.backends.cudnn.benchmark = False
    variant = variant_named(settings.variant)
    sets = read_data(settings.data)
    held_out = _held_out(sets, settings.evaluate, console)
    run = Run(out, asdict(settings))
    optimisation = _from_the_start(settings, device)
    first = 0
    kept = run.state()
    drawn_from = fingerprint(sets)
    if kept:
        first, tensors = kept
        optimisation.load(tensors)
        if tensors.get("data", drawn_from) != drawn_from:
            console.print(
                "warning: the data has changed since the run was stopped: it goes on, but with other photos",
                style="yellow",
            )
    _describe(console, settings, sets, held_out, first, device)
    squares = variant.default_rule == "square"
    shapes = _shapes(settings.size, squares=squares)
    batches = Batches(sets, shapes, settings.batch, settings.seed, squares)

    def show(step: int) -> None:
        average = optimisation.averaged()
        evaluated = {name: list(evaluate(average, variant, pairs, device)) for name, pairs in held_out}
        figures = {name: mean([each.figures for each in group]) for name, group in evaluated.items()}
        if figures:
            run.log({"step": step, "evaluation": {name: asdict(each) for name, each in figures.items()}})
            _save_pictures(out / EVALUATION, [each for group in evaluated.values() for each in group])
            for name, each in figures.items():
                console.print(f"step {step}, {name}: {in_words(each)}", markup=False)
        draw_curve(out / CURVE, run.lines())

    with interruptible() as interrupted, progress(console, first, settings.steps, settings.batch) as advance:
        done = first
        for step, batch in enumerate(batches.iterate(first, settings.steps, workers), first):
            losses = optimisation.step(batch, rate(step, settings.steps, settings.warm_up))
            done = step + 1
            run.log({"step": done, "loss": losses.total, "ssi": losses.ssi, "gradient": losses.gradient})
            advance(done, losses.total)
            last = done == settings.steps
            if done % evaluate_every == 0 or last:
                show(done)
            stopping = interrupted() or done == stop_after
            if done % save_every == 0 or last or stopping:
                run.save(done, {**optimisation.state(), "data": drawn_from})
            if stopping:
                break
    if done < settings.steps:
        console.print(f"stopped after step {done}; the same command goes on from there")
    else:
        console.print(f"done: {out} holds the trained network; `python -m training export-weights {out}` makes a .pt")


def _shapes(side: int, *, squares: bool) -> list[Shape]:
    """What a batch may look like; at least half are squares for a network that is served squares by default."""
    shapes = shapes_near(side)
    return [*shapes, *[(side, side)] * len(shapes)] if squares else shapes


def _from_the_start(settings: TrainingSettings, device: torch.device) -> Optimisation:
    """The network before the first step, and what will change it."""
    variant = variant_named(settings.variant)
    network = fresh(variant.name, encoder="none" if settings.init else settings.encoder, seed=settings.seed)
    if settings.init:
        load(network, variant, Path(settings.init))
    rates = Rates(
        decoder=settings.lr,
        encoder=settings.encoder_lr,
        weight_decay=settings.weight_decay,
        trim=settings.trim,
        gradient=settings.gradient,
        place=FRESH,
        average=settings.average,
    )
    return Optimisation(network, variant, rates, device, settings.precision)


def _held_out(sets: Sequence[DataSet], folder: str, console: Console) -> list[tuple[str, Sequence[Pair]]]:
    """What is evaluated on, by name, without the photos whose truth cannot judge."""

    def leave_out(line: str) -> None:
        console.print(f"not evaluated on: {line}", style="yellow", markup=False, highlight=False, soft_wrap=True)

    sources = [(Path(folder).name, read_all(Path(folder)))] if folder else [(each.name, each.held_out) for each in sets]
    found = [(name, list(judging(pairs, leave_out))) for name, pairs in sources]
    return [(name, pairs) for name, pairs in found if pairs]


def _save_pictures(path: Path, evaluated: Sequence[Evaluated]) -> None:
    every = max(1, len(evaluated) // _PICTURED)
    rows = [[each.photo, coloured(each.truth, each.truth > 0), coloured(each.depth)] for each in evaluated[::every]]
    save_rows(path, ["photo", "truth", "depth"], rows[:_PICTURED])


def _describe(
    console: Console,
    settings: TrainingSettings,
    sets: Sequence[DataSet],
    held_out: Sequence[tuple[str, Sequence[Pair]]],
    first: int,
    device: torch.device,
) -> None:
    total = sum(each.weight for each in sets)
    for each in sets:
        console.print(f"{each.name}: {len(each.pairs):,} photos, {each.weight / total:.0%} of each batch", markup=False)
    for name, pairs in held_out:
        console.print(f"evaluated on {len(pairs)} held-out photos of {name}", markup=False)
    start = f"going on after step {first:,}" if first else "from the start"
    console.print(f"{settings.steps:,} steps of {settings.batch} photos on {device}, {settings.precision}, {start}")
