"""`python -m benchmarks peers`: this project's service beside the ways in which people serve MiDaS today."""

import argparse
from contextlib import ExitStack
from pathlib import Path

from rich import table as rich
from rich.console import Console

from benchmarks.commands.arguments import builds, concurrencies, models, photo_size, rounds, seconds
from benchmarks.errors import BenchmarkError
from benchmarks.load.http_clients import ANSWER_WITHIN_S
from benchmarks.load.photo import jpeg
from benchmarks.measure.repositories import export, folder_of
from benchmarks.peers.catalogue import Peer, PeerSettings, peers
from benchmarks.peers.comparison import Measured, compare
from benchmarks.peers.service import ComparedNetwork, Service, depth_shape, environment_of, network_of, ours, served_by
from benchmarks.peers.table import comparison_table
from benchmarks.peers.tune import CLIENTS, Trial, tune
from benchmarks.record import SERVING, PeerRow, Record, add, now
from export.targets.builds import Build
from reports.machine import this_machine, versions
from reports.tables import Table

_FP32 = Build("onnx", "fp32")
_BUILDS = (_FP32, Build("onnx", "int8"), Build("openvino", "bf16"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `peers` to `parser`."""
    names = [peer.program for peer in peers()]
    parser.add_argument("--models", type=models, default="midas_tiny_256", metavar="'NAME ...'", help="(%(default)s)")
    parser.add_argument(
        "--builds",
        type=builds,
        default=list(_BUILDS),
        metavar="'TARGET:PRECISION ...'",
        help=f"ours, exported if needed; the peers serve {_FP32} ({', '.join(map(str, _BUILDS))})",
    )
    parser.add_argument(
        "--only", nargs="+", choices=names, default=names, metavar="PEER", help=f"of {', '.join(names)}"
    )
    parser.add_argument(
        "--clients", type=concurrencies, default=[1, 8, 32], metavar="1,8,32", help="requests under way at a time"
    )
    parser.add_argument("--rounds", type=rounds, default=3, help="times that everything is measured (%(default)s)")
    parser.add_argument("--seconds", type=seconds, default=10.0, help="length of one measurement (%(default)g)")
    parser.add_argument(
        "--photo-size", type=photo_size, default=(1920, 1080), metavar="WxH", help="the photo's size (1920x1080)"
    )
    parser.add_argument(
        "--tune",
        action="store_true",
        help="first try each peer's settings on this machine, at 8 and 32 clients, and take the best; without it, "
        "those that did best on two cores",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the figures as JSON too, or add them to it")


def run(options: argparse.Namespace, console: Console) -> int:
    """Compare, print a table, and return the exit status.

    Raises:
        BenchmarkError, CannotRunHere, StartFailed: it could not be measured.
    """
    if options.rounds < 1:
        raise BenchmarkError(f"--rounds {options.rounds}: at least one is needed")
    chosen = [peer for peer in peers() if peer.program in options.only]
    for peer in chosen:
        with console.status(f"setting up {peer.name}"):
            environment_of(peer)
    for model in options.models:
        _compare(model, chosen, options, console)
    if options.output is not None:
        console.print(f"written to {options.output}", highlight=False, soft_wrap=True)
    console.print(f"repeat with: {options.command}", markup=False, highlight=False, soft_wrap=True)
    return 0


def _compare(model: str, chosen: list[Peer], options: argparse.Namespace, console: Console) -> None:
    """Measure one network."""
    width, height = options.photo_size
    photo = jpeg(width, height)
    shape = depth_shape(model, options.photo_size)
    for build in {_FP32, *options.builds}:
        with console.status(f"exporting {model} as {build}, if needed"):
            export(model, folder_of(build), build)
    header = Record(measured_at=now(), command=options.command, machine=this_machine(), versions=_versions(chosen))
    with ExitStack() as stack:
        network = stack.enter_context(network_of(model, folder_of(_FP32)))
        settings = {peer: _settings(peer, network, photo, shape, options, console) for peer in chosen}
        services = [ours(model, str(build), folder_of(build), photo, shape) for build in options.builds] + [
            served_by(peer, settings[peer], network, photo, shape) for peer in chosen
        ]
        measured: list[Measured] = []
        for each in compare(
            services,
            clients=options.clients,
            rounds=options.rounds,
            seconds=options.seconds,
            announce=lambda text: console.print(f"{model}, {text}", markup=False, highlight=False),
        ):
            measured.append(each)
            if options.output is not None:
                add(options.output, header, _entry(each, model, f"{width}x{height}"))
    title = f"{model}: JPEG of {width}x{height} in, depth of {shape[1]}x{shape[0]} out, over HTTP"
    console.print(comparison_table(title, measured, services))
    _explain(measured, services, settings, console)


def _settings(
    peer: Peer,
    network: ComparedNetwork,
    photo: bytes,
    shape: tuple[int, int],
    options: argparse.Namespace,
    console: Console,
) -> PeerSettings:
    if not options.tune:
        return peer.best
    trials = tune(
        peer,
        network,
        photo,
        shape,
        seconds=options.seconds,
        rounds=1,
        announce=lambda text: console.print(text, markup=False, highlight=False),
    )
    console.print(_trials_table(peer, trials))
    return trials[0].settings


def _trials_table(peer: Peer, trials: list[Trial]) -> rich.Table:
    head = [what.format(count) for count in CLIENTS for what in ("photos/s, {} at a time", "p99 ms", "cores")]
    lines = []
    for trial in trials:
        figures = zip(trial.photos_per_second, trial.p99_ms, trial.cores, strict=True)
        cells = [cell for speed, p99, cores in figures for cell in (f"{speed:.1f}", f"{p99:.0f}", f"{cores:.2f}")]
        lines.append([str(trial.settings), *cells, str(trial.lost)])
    return Table(["settings", *head, "lost"], lines).rich(f"{peer.name}: settings, the best one first")


def _explain(
    measured: list[Measured], services: list[Service], settings: dict[Peer, PeerSettings], console: Console
) -> None:
    for peer, set_to in settings.items():
        console.print(f"{peer.name}: {set_to}", markup=False, highlight=False)
    for service in services[1:]:
        apart = max(each.difference for each in measured if each.service is service)
        console.print(
            f"{service.label}: depth within {100 * apart:.2f} % of {services[0].label}'s, on average over its range",
            markup=False,
            highlight=False,
        )
    for each in measured:
        for error, count in each.load.errors.items():
            line = f"{each.service.label}, {each.clients} at a time, round {each.round}: {count} lost: {error}"
            console.print(line, style="yellow", markup=False, highlight=False)


def _entry(measured: Measured, model: str, photo: str) -> PeerRow:
    load = measured.load
    return PeerRow(
        peer=measured.service.name,
        model=model,
        build=measured.service.build,
        photo=photo,
        clients=measured.clients,
        photos_per_second=load.photos_per_second,
        # JSON has no NaN; without any answer, the latency is at least that after which a request is lost.
        p50_ms=load.p50_ms if load.answered else 1000 * ANSWER_WITHIN_S,
        p99_ms=load.p99_ms if load.answered else 1000 * ANSWER_WITHIN_S,
        answered=load.answered,
        lost=load.lost,
        round=measured.round,
    )


def _versions(chosen: list[Peer]) -> dict[str, str]:
    """Return our own versions, and those that the peers' requirements pin, for instance "litserve"."""
    found = versions(*SERVING)
    for peer in chosen:
        for requirement in peer.requirements():
            name, _, number = requirement.partition("==")
            found.setdefault(name.partition("[")[0], number)
    return found
