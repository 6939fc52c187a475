"""Several Tritons behind Envoy: `serve` starts them, `config` prints the configuration of Envoy for those there are."""

import argparse
import json
import logging
import os
import re
import shutil
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from deploy.scale.configuration import LOOPBACK, Addresses, Edge, rendered
from deploy.scale.fleet import TICK, Fleet, FleetFailed
from deploy.scale.processes import Member, Ports
from midas_server.cores import cores
from midas_server.launch.ports import free_ports

log = logging.getLogger("scale")
# Envoy asks every 0.4 s whether a Triton is to stop: after so many seconds it has heard of it.
DRAIN_SECONDS = 2


class Restart:
    """Whether SIGUSR1 has asked for a restart of all."""

    asked = False


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit status."""
    given = _parser().parse_args(arguments)
    if (given.tls_certificate is None) != (given.tls_key is None):
        given.parser.error("--tls-certificate and --tls-key go together")
    try:
        status: int = given.run(given)
    except (FleetFailed, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return status


def _config(given: argparse.Namespace) -> int:
    """Print the configuration for Tritons that run already."""
    print(json.dumps(rendered(_edge(given), given.triton, given.canary_triton, given.canary_percent), indent=1))
    return 0


def _serve(given: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; SIGUSR1 restarts one Triton after the other."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    envoy = shutil.which(given.envoy)
    if envoy is None:
        raise FleetFailed(f"there is no Envoy at {given.envoy}: make serve-scale installs one, or name yours (--envoy)")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    signal.signal(signal.SIGUSR1, _restart)
    options = ["--drain", str(DRAIN_SECONDS), "--network-threads", str(_threads(given.count)), *given.options[1:]]
    repository, percent = given.canary or (None, 0)
    ports = _ports(given.first_port, given.count + (repository is not None))
    tritons = [
        Member(f"Triton {number}", each, ["--repository", str(given.repository), "--models", given.models, *options])
        for number, each in enumerate(ports[: given.count], 1)
    ]
    canaries = [
        Member("the canary", each, ["--repository", str(repository), "--models", given.models, *options])
        for each in ports[given.count :]
    ]
    edge = _edge(given)
    _check_free(edge)
    with TemporaryDirectory(prefix="midas_scale_") as folder:
        fleet = Fleet(edge, envoy, tritons, canaries, percent, Path(folder))
        try:
            fleet.start()
            _announce(edge, tritons, canaries, percent)
            while True:
                fleet.tend()
                if Restart.asked:
                    Restart.asked = False
                    fleet.restart()
                time.sleep(TICK)
        except KeyboardInterrupt:
            return 0
        finally:
            fleet.stop()
            log.info("stopped")


def _announce(edge: Edge, tritons: Sequence[Member], canaries: Sequence[Member], percent: int) -> None:
    secure = edge.certificate is not None
    lines = [
        f"{len(tritons)} Tritons are ready behind Envoy. Ctrl-C stops all, kill -USR1 {os.getpid()} restarts one after "
        "the other. The log of requests is on standard output.",
        f"  HTTP     {'https' if secure else 'http'}://{edge.host}:{edge.http}",
        f"  gRPC     {'grpcs://' if secure else ''}{edge.host}:{edge.grpc}",
        f"  inside   {LOOPBACK}:{edge.inside} (gRPC, for a gateway)",
        f"  status   http://{LOOPBACK}:{edge.status}/ready, /stats/prometheus",
        f"  admin    http://{LOOPBACK}:{edge.admin}",
    ]
    lines += [
        f"  {each.name:10} HTTP {each.ports.http}, gRPC {each.ports.grpc}, metrics {each.ports.metrics}, "
        f"health {each.ports.health}"
        for each in (*tritons, *canaries)
    ]
    if canaries:
        lines.append(
            f"  The canary gets {percent} % of the photos. To change that at once: "
            f'curl -X POST "{LOOPBACK}:{edge.admin}/runtime_modify?canary_percent=0"'
        )
    print("\n".join(lines), file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.scale", description="Several Tritons behind Envoy.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    edge = argparse.ArgumentParser(add_help=False)
    edge.add_argument("--host", default=LOOPBACK, help="address for callers (%(default)s; 0.0.0.0 for everyone)")
    for name, port in (("http", 8000), ("grpc", 8001), ("inside", 8083), ("status", 8082), ("admin", 9901)):
        edge.add_argument(f"--{name}-port", type=_port, default=port, help="of Envoy (%(default)s)")
    edge.add_argument("--tls-certificate", type=_file, metavar="PEM", help="for TLS on both ports, with --tls-key")
    edge.add_argument("--tls-key", type=_file, metavar="PEM")
    edge.add_argument(
        "--api-keys",
        type=_keys,
        default=(),
        metavar="FILE",
        help="let in only who sends one of these keys as `Authorization: Bearer KEY`; a line each: NAME KEY",
    )
    serve = commands.add_parser("serve", parents=[edge], help="start Tritons and Envoy in the foreground")
    serve.add_argument("--count", type=_count, default=3, metavar="N", help="Tritons (%(default)s)")
    serve.add_argument("--repository", type=Path, default=Path("model_repository"), help="of models (%(default)s)")
    serve.add_argument("--models", required=True, metavar="'NAME ...'", help="what each Triton loads")
    serve.add_argument(
        "--first-port",
        type=_port,
        default=8100,
        help="of the Tritons, on loopback: HTTP, gRPC, metrics and health of the first from here on, ten further those "
        "of the next (%(default)s; 0 takes any free ones)",
    )
    serve.add_argument("--envoy", default="envoy", help="the program (%(default)s)")
    serve.add_argument(
        "--canary",
        type=_canary,
        metavar="REPOSITORY:PERCENT",
        help="one more Triton with another repository, which gets so much of the photos",
    )
    serve.add_argument("options", nargs=argparse.REMAINDER, metavar="-- OPTIONS", help="options of midas-server serve")
    serve.set_defaults(run=_serve, parser=serve)
    config = commands.add_parser("config", parents=[edge], help="print Envoy's configuration for Tritons that run")
    for name, what in (
        ("--triton", "a Triton and its launcher's health port"),
        ("--canary-triton", "of the second set"),
    ):
        config.add_argument(
            name,
            type=_addresses,
            action="append",
            default=[],
            required=name == "--triton",
            metavar="HOST:HTTP:GRPC:HEALTH",
            help=f"{what}; may be given several times",
        )
    config.add_argument("--canary-percent", type=_percent, default=0, help="(%(default)s)")
    config.set_defaults(run=_config, parser=config)
    return parser


def _edge(given: argparse.Namespace) -> Edge:
    return Edge(
        given.host,
        given.http_port,
        given.grpc_port,
        given.inside_port,
        given.status_port,
        given.admin_port,
        given.tls_certificate,
        given.tls_key,
        given.api_keys,
    )


def _check_free(edge: Edge) -> None:
    """Envoy itself would share a port with another Envoy, and say nothing."""
    for name, host in (
        ("http", edge.host),
        ("grpc", edge.host),
        *((name, LOOPBACK) for name in ("inside", "status", "admin")),
    ):
        port = getattr(edge, name)
        try:
            socket.create_server((host, port)).close()
        except OSError as error:
            raise FleetFailed(
                f"{host}:{port} cannot be used ({error.strerror}): stop what listens there, or choose another "
                f"(--{name}-port, --host)"
            ) from None


def _threads(count: int) -> int:
    """Of each network instance: a Triton's share of the cores."""
    return max(1, cores() // count)


def _ports(first: int, count: int) -> list[Ports]:
    if first:
        return [Ports(*range(first + 10 * number, first + 10 * number + 4)) for number in range(count)]
    ports = free_ports(4 * count)
    return [Ports(*ports[4 * number : 4 * number + 4]) for number in range(count)]


def _addresses(text: str) -> Addresses:
    host, *ports = text.rsplit(":", 3)
    if not host or len(ports) != 3:
        raise argparse.ArgumentTypeError(f"'{text}' is not HOST:HTTP:GRPC:HEALTH, such as 10.0.0.7:8000:8001:8003")
    return Addresses(host, *map(_port, ports))


def _canary(text: str) -> tuple[Path, int]:
    folder, _, percent = text.rpartition(":")
    if not folder:
        raise argparse.ArgumentTypeError(f"'{text}' is not REPOSITORY:PERCENT, such as new_repository:10")
    return Path(folder), _percent(percent)


def _keys(text: str) -> tuple[tuple[str, str], ...]:
    """Names and keys of a file; the keys are never part of a message."""
    keys = []
    for number, line in enumerate(_file(text).read_text().splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            words = line.split()
            if len(words) != 2 or len(words[1]) < 16:
                raise argparse.ArgumentTypeError(
                    f"line {number} of {text} is not NAME KEY, with 16 letters or more of key"
                )
            keys.append((words[0], words[1]))
    if not keys:
        raise argparse.ArgumentTypeError(f"{text} has no keys: write a line for each caller, NAME KEY")
    return tuple(keys)


def _file(text: str) -> Path:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return Path(text).resolve()


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d?", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of Tritons: 1 to 99")
    return int(text)


def _percent(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 100:
        raise argparse.ArgumentTypeError(f"'{text}' is not a percentage: a whole number from 0 to 100")
    return int(text)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port: a whole number from 0 to 65535")
    return int(text)


def _interrupt(number: int, frame: FrameType | None) -> None:
    # Once: a second Ctrl-C would leave processes behind.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _restart(number: int, frame: FrameType | None) -> None:
    Restart.asked = True


if __name__ == "__main__":
    sys.exit(main())
