"""`midas-server serve`: Triton in the foreground, over a model repository. `midas-server health`: is it all right?"""

import argparse
import logging
import os
import re
import signal
import sys
from pathlib import Path
from types import FrameType

from midas_server.argument_types import count
from midas_server.launch import CannotRunHere, StartFailed, Triton, Tuning
from midas_server.launch.health import ask_health
from midas_server.launch.server import SHM_KEY_VARIABLE
from midas_server.launch.waits import DEFAULT_MAX_WAIT, MaxWait
from midas_server.licences import allows_business, why_not
from midas_server.repository import licence_of, weights_of

HEALTH_PORT = 8003
MOST_WAIT = 3_600_000  # an hour, in milliseconds


def main() -> int:
    """Parse the command line and do what it says.

    Returns:
        The exit status.
    """
    arguments = _parser().parse_args()
    status: int = arguments.run(arguments)
    return status


def _health(arguments: argparse.Namespace) -> int:
    """Print what the launcher says of itself; 0 if it is ready, else 1."""
    ready, words = ask_health(arguments.url)
    print(words.strip())
    return 0 if ready else 1


def _serve(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM.

    Returns:
        0 after an orderly stop, 1 if Triton did not start or ended by itself.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    server = Triton(
        arguments.repository,
        arguments.models,
        host=arguments.host,
        http_port=arguments.http_port,
        grpc_port=arguments.grpc_port,
        metrics_port=arguments.metrics_port,
        health_port=arguments.health_port,
        step_timeout=arguments.step_timeout,
        exit_timeout=arguments.exit_timeout,
        tuning=Tuning(arguments.step_instances, arguments.network_instances, arguments.network_threads),
        max_wait=arguments.max_wait,
        commercial=arguments.commercial,
        allow_client_shm=arguments.allow_client_shm,
        client_shm_key=os.environ.get(SHM_KEY_VARIABLE, ""),
        otlp=arguments.otlp,
        log=sys.stderr,
        verbose=arguments.verbose,
    )
    try:
        with server:
            print(_announcement(server), flush=True)
            for model in server.models:
                licence = licence_of(server.repository, model)
                if not allows_business(licence):
                    print(f"warning: NOT FOR COMMERCIAL USE: {model}: {why_not(licence)}", file=sys.stderr, flush=True)
            try:
                status = server.wait()
            except KeyboardInterrupt:
                server.drain(arguments.drain)
                raise
            print(f"tritonserver ended by itself with status {status}", file=sys.stderr)
            return 1
    except KeyboardInterrupt:
        print("stopped", flush=True)
        return 0
    except (StartFailed, CannotRunHere) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="midas-server", description="Serve MiDaS on NVIDIA Triton.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser(
        "serve", help="run Triton in the foreground", description="Run Triton in the foreground."
    )
    serve.add_argument(
        "--repository", type=Path, default=Path("model_repository"), help="model repository (%(default)s)"
    )
    serve.add_argument(
        "--models",
        type=_names,
        required=True,
        metavar="'NAME ...'",
        help="what to load, separated by spaces; small, medium and large are names too. The first is also `default`",
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s; 0.0.0.0 for everyone)")
    serve.add_argument("--http-port", type=_port, default=8000, help="(%(default)s; 0 picks a free one)")
    serve.add_argument("--grpc-port", type=_port, default=8001, help="(%(default)s; 0 picks a free one)")
    serve.add_argument("--metrics-port", type=_port, default=8002, help="(%(default)s; 0 picks a free one)")
    serve.add_argument(
        "--health-port",
        type=_port,
        help=f"where the launcher tells whether every step answers: GET /readyz, /healthz (nowhere; {HEALTH_PORT} is "
        "where `midas-server health` asks; 0 picks a free one)",
    )
    serve.add_argument(
        "--step-timeout",
        type=count,
        default=300,
        metavar="SECONDS",
        help="a step that works on one batch for longer counts as hung, and is replaced (%(default)s)",
    )
    serve.add_argument(
        "--exit-timeout",
        type=count,
        default=5,
        metavar="SECONDS",
        help="for what is under way at a stop (%(default)s)",
    )
    serve.add_argument(
        "--drain",
        type=_seconds,
        default=0,
        metavar="SECONDS",
        help="at a stop, serve on for so long while /readyz says 503: load balancers send no more then (%(default)s)",
    )
    for option, what in (
        ("--step-instances", "processes of each preprocess and of postprocess"),
        ("--network-instances", "instances of each network; each holds the weights once more"),
        ("--network-threads", "threads of each network instance, on a processor"),
    ):
        serve.add_argument(option, type=count, metavar="N", help=f"{what} (as the configs say; see docs/serving.md)")
    serve.add_argument(
        "--max-wait",
        type=_wait,
        default=DEFAULT_MAX_WAIT,
        metavar="MS",
        help="milliseconds that an accepted request is meant to wait: what would wait longer is refused at once (1000 "
        "for a network that answers a photo in under 100 ms, else the queues of the configs; 0: always those)",
    )
    serve.add_argument(
        "--commercial",
        action="store_true",
        help="refuse models whose weights' licence does not allow commercial use",
    )
    serve.add_argument(
        "--allow-client-shm",
        action="store_true",
        help="let callers on this machine hand over shared memory for answers. Any user of this machine can then have "
        "the server read and write memory, its own included: for machines of one user. Needs a loopback --host. "
        f"With a key in {SHM_KEY_VARIABLE} instead, only callers who send the key can",
    )
    serve.add_argument(
        "--otlp",
        default="",
        metavar="URL",
        help="send spans of requests that come with a sampled traceparent there, such as "
        "http://127.0.0.1:4318/v1/traces",
    )
    serve.add_argument("--verbose", action="store_true", help="show Triton's whole log")
    serve.set_defaults(run=_serve)
    health = commands.add_parser(
        "health",
        help="ask a server that runs with --health-port whether every step answers",
        description="Ask a server that runs with --health-port whether every step answers. Exits with 0 if so, else 1.",
    )
    health.add_argument("--url", type=_address, default=f"http://127.0.0.1:{HEALTH_PORT}", help="(%(default)s)")
    health.set_defaults(run=_health)
    return parser


def _names(text: str) -> list[str]:
    if not text.split():
        raise argparse.ArgumentTypeError("name at least one network, such as midas_tiny_256")
    return text.split()


def _address(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"'{text}' is no address: write it like http://127.0.0.1:{HEALTH_PORT}")
    return text


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds, such as 0 or 2.5")
    return float(text)


def _wait(text: str) -> MaxWait | None:
    if not text.isascii() or not text.isdigit() or int(text) > MOST_WAIT:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of milliseconds from 0 to {MOST_WAIT:,}")
    return MaxWait(int(text)) if int(text) else None


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port: a whole number from 0 to 65535")
    return int(text)


def _interrupt(number: int, frame: FrameType | None) -> None:
    # A second signal while stopping must not leave a half-stopped server.
    for again in (signal.SIGTERM, signal.SIGINT):
        signal.signal(again, signal.SIG_IGN)
    raise KeyboardInterrupt


def _announcement(server: Triton) -> str:
    lines = [f"Triton is ready, process {server.pid}. Ctrl-C stops it."]
    lines += [f"  {model:24} {_weights(server.repository, model)}" for model in server.models]
    name = server.aliases[0] if server.aliases else server.models[0]
    if server.aliases:
        lines.append(f"  also called: {', '.join(server.aliases)}")
    lines += [
        f"  HTTP     http://{server.http_url}/v2/models/{name}/infer",
        f"  gRPC     {server.grpc_url}",
        f"  metrics  http://{server.metrics_url}/metrics",
    ]
    lines += [f"  queue    {model}: {size} photos" for model, size in server.queue_sizes.items()]
    if server.health_port is not None:
        lines.append(f"  health   http://{server.health_url}/readyz")
    return "\n".join(lines)


def _weights(repository: Path, model: str) -> str:
    weights = weights_of(repository, model)
    if weights is None:
        return ""
    return "UNTRAINED weights: the depth means nothing" if weights == "untrained" else f"{weights} weights"


if __name__ == "__main__":
    sys.exit(main())
