"""`midas-gateway`: the gateway in the foreground."""

from __future__ import annotations

import argparse
import ipaddress
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from midas_client import AddressError, DepthClient
from midas_gateway.keys import KeysError, read_keys
from midas_gateway.protocol import Protocol
from midas_gateway.rates import read_rate
from midas_gateway.settings import SHM_KEY_VARIABLE, Settings

DEFAULT_PORT = 8080
DEFAULT_RATE = "120/minute"
_EPILOG = """\
examples:
  midas-gateway --triton 127.0.0.1:8001 --triton-health http://127.0.0.1:8003
  midas-gateway --host 0.0.0.0 --keys keys.txt --public-url https://depth.example.com --proxies 10.0.0.7
"""


def main() -> int:
    """Parse the command line and serve until Ctrl-C or SIGTERM.

    Returns:
        0 after an orderly stop, 1 where the port or the folder cannot be used, 2 for a command line that does not do.
    """
    parser = _parser()
    arguments = parser.parse_args()
    try:
        keys = read_keys(arguments.keys) if arguments.keys else {}
        read_rate(arguments.rate)
        DepthClient(arguments.triton).close()  # sends nothing, and knows what an address is
    except (KeysError, AddressError) as error:
        parser.error(str(error))
    except ValueError:
        parser.error(f"--rate {arguments.rate} is none: write it like 120/minute")
    if not (keys or arguments.open or _is_loopback(arguments.host)):
        parser.error(
            f"on {arguments.host} the gateway would serve whoever reaches it: give --keys FILE, or say --open if that "
            "is meant"
        )
    if arguments.otlp and find_spec("opentelemetry.exporter") is None:
        parser.error("--otlp needs the extra otel: pip install 'midas-gateway[otel]'")
    try:
        arguments.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        print(f"midas-gateway: error: {arguments.folder}: {error.strerror}", file=sys.stderr)
        return 1
    settings = Settings(
        triton=arguments.triton,
        shared_memory=arguments.shared_memory,
        triton_health=arguments.triton_health,
        folder=arguments.folder,
        public_url=arguments.public_url,
        origins=tuple(arguments.origins.split(",")) if arguments.origins else (),
        keys=keys,
        rate=arguments.rate or ("" if _is_loopback(arguments.host) else DEFAULT_RATE),
        photo_bytes=arguments.max_photo,
        upload_memory=arguments.upload_memory,
        upload_seconds=arguments.upload_seconds,
        request_seconds=arguments.request_seconds,
        result_bytes=arguments.max_results,
        result_seconds=arguments.keep,
        job_seconds=arguments.keep,
        job_count=arguments.jobs,
        job_bytes=arguments.max_job,
        otlp=arguments.otlp,
        drain_seconds=arguments.drain_seconds,
    )
    try:
        return _serve(settings, arguments)
    except SystemExit as leaving:  # uvicorn has a code of its own for a start that failed
        return 1 if leaving.code else 0


def _serve(settings: Settings, arguments: argparse.Namespace) -> int:
    settings.to_environment()
    config = uvicorn.Config(
        "midas_gateway.app:from_environment",
        factory=True,
        host=arguments.host,
        port=arguments.port,
        workers=arguments.workers,
        http=Protocol,
        ws="none",
        proxy_headers=bool(arguments.proxies),
        forwarded_allow_ips=arguments.proxies,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=settings.stop_seconds,
        # A worker that has not started by then is started anew. Where the processor is busy, 5 s would never do.
        timeout_worker_healthcheck=60,
    )
    # Bound before anything starts: a port that is taken is said once, and workers share it.
    try:
        listener = config.bind_socket()
    except SystemExit:  # it has said why
        place = f"{arguments.host}:{arguments.port}"
        print(
            f"midas-gateway: error: cannot listen on {place}: choose another --port (WEB_PORT with make) or --host",
            file=sys.stderr,
        )
        return 1
    print(f"The gateway serves http://{arguments.host}:{listener.getsockname()[1]}", flush=True)
    # What is left of a stop when all is finished.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    with suppress(KeyboardInterrupt):
        if arguments.workers == 1:
            uvicorn.Server(config).run(sockets=[listener])
        else:
            workers = Multiprocess(config, sockets=[listener])
            with _counts_of_workers(arguments.folder / f"metrics-{listener.getsockname()[1]}"):
                workers.run()
            return int(any(process.exitcode == STARTUP_FAILURE for process in workers.processes))
    return 0


@contextmanager
def _counts_of_workers(folder: Path) -> Iterator[None]:
    """The folder through which workers add up their counts.

    It bears the port's number: whoever holds the port may clear away what a gateway left there that was killed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _parser() -> argparse.ArgumentParser:
    default = Settings()
    parser = argparse.ArgumentParser(
        prog="midas-gateway",
        description="Depth of a photo by an HTTP POST, and a web page for it, in front of Triton.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="the address to listen on (%(default)s)")
    add("--port", type=_port, default=DEFAULT_PORT, help="the port to listen on; 0 takes a free one (%(default)s)")
    add("--workers", type=_count, default=1, metavar="N", help="processes that share the port (%(default)s)")
    add("--triton", default=default.triton, metavar="HOST:PORT", help="Triton's gRPC (%(default)s)")
    add(
        "--shared-memory",
        action=argparse.BooleanOptionalAction,
        default=False,
        help=f"of this machine; Triton was started with --allow-client-shm, or with the same {SHM_KEY_VARIABLE}",
    )
    add("--triton-health", default="", metavar="URL", help="the launcher's --health-port; without, photos are probes")
    add("--public-url", default=os.environ.get("PUBLIC_URL", ""), metavar="URL", help="how callers reach the gateway")
    add("--proxies", default=None, metavar="ADDRESSES", help="proxies whose X-Forwarded-* are believed, with commas")
    add("--origins", default="", metavar="ORIGINS", help="other web pages that may call, with commas; * for all")
    add("--keys", type=Path, default=None, metavar="FILE", help="a line for each key: a name, a space, the key")
    add("--open", action="store_true", help="no keys, though others than this machine can reach it")
    add("--rate", default="", help=f"requests of one caller (none on loopback, else {DEFAULT_RATE})")
    add("--folder", type=Path, default=default.folder, help="where results and jobs are kept (%(default)s)")
    add("--keep", type=_time, default=default.result_seconds, metavar="S", help="how long results stay (%(default)s)")
    add("--max-photo", type=_count, default=default.photo_bytes, metavar="BYTES", help="largest photo (%(default)s)")
    add("--max-job", type=_count, default=default.job_bytes, metavar="BYTES", help="largest job (%(default)s)")
    add("--max-results", type=_count, default=default.result_bytes, metavar="BYTES", help="disk for them (%(default)s)")
    add("--jobs", type=_count, default=default.job_count, metavar="N", help="jobs that wait or run (%(default)s)")
    add(
        "--upload-memory", type=_count, default=default.upload_memory, metavar="BYTES", help="of a worker (%(default)s)"
    )
    add("--upload-seconds", type=_time, default=default.upload_seconds, metavar="S", help="of a photo (%(default)s)")
    add("--request-seconds", type=_time, default=default.request_seconds, metavar="S", help="of Triton (%(default)s)")
    add("--otlp", default="", metavar="URL", help="send spans there, such as http://127.0.0.1:4318/v1/traces")
    add("--drain-seconds", type=_time, default=default.drain_seconds, metavar="S", help="before a stop (%(default)s)")
    return parser


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: a whole number from 0 to 65535")
    return int(text)


def _time(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 up")
    return seconds


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


if __name__ == "__main__":
    sys.exit(main())
