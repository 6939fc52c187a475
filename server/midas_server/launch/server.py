"""Starts a Triton server over a model repository, waits until it serves, and stops it without a trace."""

import contextlib
import ipaddress
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory, gettempdir
from types import TracebackType
from typing import IO

from midas_server.end_with_parent import end_with_parent
from midas_server.launch.distribution import find_distribution
from midas_server.launch.health import ServerHealth, serve_health
from midas_server.launch.leftovers import end_orphaned_servers, own_prefix, remove_leftovers
from midas_server.launch.loadable import check_loadable
from midas_server.launch.plain_path import plain_path
from midas_server.launch.ports import PortTaken, reserve
from midas_server.launch.process_group import end_group
from midas_server.launch.readiness import StartFailed, StepDied, wait_until_ready
from midas_server.launch.repository_api import KEY_HEADER, RepositoryApi, RepositoryApiError
from midas_server.launch.server_log import GPU_DEVICE, ServerLog
from midas_server.launch.shared_memory import FOLDER, region_prefix, remove_regions
from midas_server.launch.tuning import Tuning
from midas_server.launch.waits import (
    MaxWait,
    RateUnknownError,
    configured_queue,
    limited,
    measure_pace,
    most_in_work,
    queue_size,
)
from midas_server.launch.watchdog import Watchdog
from midas_server.repository import PYTHON_BACKEND, network_model, preprocess_model
from midas_server.served_names import network_named, write_aliases
from midas_server.shared_bytes import PREFIX_VARIABLE

SHM = "shared-memory"
# What only the launcher may call: models and shared memory are the operator's, and trace and log settings name files.
RESTRICTED = ("model-repository", SHM, "trace", "logging")
SHM_KEY_HEADER = "midas-client-shm-key"
# Where the key comes from; not an option, which `ps` would show.
SHM_KEY_VARIABLE = "MIDAS_CLIENT_SHM_KEY"

# what would only complain on a machine without a GPU
WITHOUT_GPU = ("--allow-gpu-metrics=false", "--pinned-memory-pool-byte-size=0")

# Seconds more that a server gets whose launcher was killed and whose ports nobody wants. It may have an exit timeout of
# its own.
ORPHANS_PATIENCE = 30

# Triton 24.10 wants a sign of life from each step every second. On a machine that stands still for longer (a paused
# virtual machine) it gives up what the step works on, the step dies of that with a lock in its hands, and Triton aborts
# on the lock, or waits for it for ever. Nothing is wrong with the server that is started next, so it is.
CRASHES = (-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS)
START_ATTEMPTS = 3
# More crashes of a running server within so many seconds are no accident.
MOST_CRASHES, CRASHES_WITHIN = 5, 600.0


class Triton:
    """A running Triton server.

    Used as a context manager: entering starts the server and returns when every model is ready, leaving stops it.
    A watchdog replaces pre- and postprocess processes that die. Enter it from a thread that outlives the server:
    Linux ends the server when that thread ends, so that a killed launcher leaves no server behind.

    Args:
        repository: the model repository, anywhere.
        models: what to load; an ensemble brings its steps along. Sizes such as "small" are names too. The first
            network is served as "default" too.
        host: the address to listen on.
        http_port, grpc_port, metrics_port: 0 picks a free one.
        log: where the server's own log goes line by line; None keeps it for error messages only.
        verbose: whether the log has more than warnings and errors.
        start_timeout: seconds until the models must be ready.
        tuning: numbers of instances and threads, where the configs' own are not wanted.
        max_wait: how long an accepted request may wait; the rate is measured for that, which takes some two seconds
            a network. None leaves the queues as the configs have them.
        commercial: whether to refuse models whose weights' licence does not allow commercial use.
        allow_client_shm: whether callers may name regions of shared memory for the server to read and write. Every
            caller can then, and the server's own regions are among those that can be named: for a machine whose users
            all may do what the server may. Only with a loopback host.
        client_shm_key: allows it to those callers alone who send this in the header SHM_KEY_HEADER.
        otlp: where spans go by OTLP over HTTP, of the requests that come with a sampled `traceparent`; empty for
            nowhere.
        health_port: where the launcher tells on `host` whether all steps answer, see `health`; 0 picks a free one, None
            tells it nowhere.
        step_timeout: seconds after which a step that still works on the same batch counts as hung, and is replaced.
        exit_timeout: seconds that requests under way get to finish when the server is stopped; 0 kills it. Open
            connections count as such, and after a step has died Triton always takes that long.

    Raises:
        CannotRunHere: on entering, when no tritonserver runs on this machine.
        StartFailed: on entering, when the server or a model does not come up.
    """

    def __init__(
        self,
        repository: Path,
        models: Sequence[str],
        *,
        host: str = "127.0.0.1",
        http_port: int = 8000,
        grpc_port: int = 8001,
        metrics_port: int = 8002,
        log: IO[str] | None = None,
        verbose: bool = False,
        health_port: int | None = None,
        start_timeout: float = 300,
        step_timeout: float = 300,
        exit_timeout: int = 5,
        tuning: Tuning = Tuning(),  # noqa: B008  (it is frozen)
        max_wait: MaxWait | None = None,
        commercial: bool = False,
        allow_client_shm: bool = False,
        client_shm_key: str = "",
        otlp: str = "",
    ) -> None:
        self.repository = repository.resolve()
        self.models = list(dict.fromkeys(network_named(model) for model in models))
        self.aliases: list[str] = []  # further names of `models`, such as "default"
        self.host = host
        self.http_port, self.grpc_port, self.metrics_port = http_port, grpc_port, metrics_port
        self.health_port = health_port
        self.start_timeout = start_timeout
        self.step_timeout = step_timeout
        self.exit_timeout = exit_timeout
        self.tuning = tuning
        self.max_wait = max_wait
        self.queue_sizes: dict[str, int] = {}  # of preprocess, where `max_wait` has changed it; by network
        self.commercial = commercial
        self.allow_client_shm = allow_client_shm
        self.client_shm_key = client_shm_key
        self.otlp = otlp
        self._verbose = verbose
        self._log = log
        self._resources = contextlib.ExitStack()  # for as long as this object serves
        self._serving = contextlib.ExitStack()  # for one server, of which there may be several, one after another
        self._process: subprocess.Popen[str] | None = None
        self._starts = 0
        self._api: RepositoryApi | None = None
        self._watchdog: Watchdog | None = None  # while the server serves
        self._draining = False

    @property
    def http_url(self) -> str:
        """`host:port` of HTTP."""
        return f"{self._reachable_host}:{self.http_port}"

    @property
    def grpc_url(self) -> str:
        """`host:port` of gRPC."""
        return f"{self._reachable_host}:{self.grpc_port}"

    @property
    def metrics_url(self) -> str:
        """`host:port` of the Prometheus metrics, at `/metrics`."""
        return f"{self._reachable_host}:{self.metrics_port}"

    @property
    def health_url(self) -> str:
        """`host:port` of the launcher's word on its health; only with a `health_port`."""
        return f"{self._reachable_host}:{self.health_port}"

    def health(self) -> ServerHealth:
        """Whether requests would be answered now, and of each step what is wrong with it."""
        watchdog, api = self._watchdog, self._api
        if self._draining:
            return ServerHealth("stopping", {})
        if watchdog is None or api is None:
            return ServerHealth("starting", {}, starts=self._starts)
        server = "ready" if api.ready() else "not ready"
        return ServerHealth(server, watchdog.faults(), watchdog.replacements, self._starts)

    @property
    def pid(self) -> int:
        """Process id of tritonserver.

        Raises:
            RuntimeError: the server is not running.
        """
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    @property
    def _reachable_host(self) -> str:
        return "127.0.0.1" if self.host == "0.0.0.0" else self.host  # noqa: S104  (compared, not bound)

    def __enter__(self) -> "Triton":
        check_loadable(self.repository, self.models, commercial=self.commercial)
        self._check_client_shm()
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait(self) -> int:
        """Serve until the server ends; returns its exit status.

        A server that crashes is started again, on the same ports, unless it is the fifth crash within ten minutes.
        Call it in the thread that entered.

        Raises:
            StartFailed: after a crash the server did not come up again.
        """
        crashes: deque[float] = deque(maxlen=MOST_CRASHES)
        while True:
            if self._process is None:
                raise RuntimeError("the server is not running")
            status = self._process.wait()
            crashes.append(time.monotonic())
            often = len(crashes) == MOST_CRASHES and crashes[-1] - crashes[0] < CRASHES_WITHIN
            if status not in CRASHES or often:
                return status
            self._write_log(f"tritonserver crashed ({signal.Signals(-status).name}), and is started again\n")
            self._serving.close()
            self._start_server()
            self._write_log(f"Triton is ready again, process {self.pid}\n")

    def drain(self, seconds: float) -> None:
        """Before a stop: serve on for so long, while the health port says that no more should come.

        Args:
            seconds: longer than a load balancer takes to look again.
        """
        self._draining = True
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)

    def stop(self) -> None:
        """Stop the server: requests under way may finish, then no process, port or shared memory is left."""
        self._serving.close()
        self._resources.close()

    def _check_client_shm(self) -> None:
        if self.allow_client_shm and not _is_loopback(self.host):
            raise StartFailed(
                f"client shared memory is not opened to {self.host}: whoever reaches the server could have it read and "
                "write its own memory, and only callers on this machine have a use for it. Listen on 127.0.0.1 "
                "(HOST=127.0.0.1 with make, --host 127.0.0.1), or do without --allow-client-shm"
            )

    def _start(self) -> None:
        if self.health_port is not None:
            self.health_port = self._resources.enter_context(serve_health(self.host, self.health_port, self.health))
        self._choose_ports()
        for folder in (FOLDER, Path(gettempdir())):
            remove_leftovers(folder)
        end_orphaned_servers(self.exit_timeout + ORPHANS_PATIENCE)
        self._temporary = self._resources.enter_context(TemporaryDirectory(prefix=own_prefix()))
        self._distribution = self._resources.enter_context(find_distribution())
        self._served = self._resources.enter_context(plain_path(self.repository))
        self._alias_folder = Path(self._temporary) / "served_names"
        self.aliases = write_aliases(self._alias_folder, self.repository, self.models)
        self._start_server()

    def _start_server(self) -> None:
        for attempts_left in reversed(range(START_ATTEMPTS)):
            with contextlib.ExitStack() as resources:
                try:
                    self._launch(resources)
                except (StartFailed, RepositoryApiError) as error:
                    again = attempts_left and (isinstance(error, StepDied) or self._crashed())
                    if self._process is not None:
                        self._process.kill()  # there is no request that it could finish
                    if not again:
                        raise StartFailed(str(error)) from error
                    self._write_log(f"tritonserver is started again: {error}\n")
                else:
                    self._serving = resources.pop_all()
                    return

    def _crashed(self) -> bool:
        """Whether the server ended by a fault of its own: not by its own decision, and not because it was killed."""
        if self._process is None:
            return False
        with contextlib.suppress(subprocess.TimeoutExpired):
            # Its connections close a moment before it has ended.
            return self._process.wait(1) in CRASHES
        return False

    def _launch(self, resources: contextlib.ExitStack) -> None:
        """Start one server; what ends it goes into `resources`."""
        distribution, repository = self._distribution, self._served
        prefix = region_prefix()
        resources.callback(remove_regions, prefix)
        key = token_hex(16)
        client_shm = self.allow_client_shm or bool(self.client_shm_key)
        restricted = [f"{','.join(api for api in RESTRICTED if not (client_shm and api == SHM))}:{KEY_HEADER}={key}"]
        if self.client_shm_key and not self.allow_client_shm:
            restricted.append(f"{SHM}:{SHM_KEY_HEADER}={self.client_shm_key}")
        arguments = [
            f"--model-repository={repository}",
            f"--model-repository={self._alias_folder}",
            f"--backend-directory={distribution.backend_directory}",
            f"--backend-config=python,shm-region-prefix-name={prefix}",
            "--model-control-mode=explicit",
            *(f"--load-model={model}" for model in (*self.models, *self.aliases)),
            "--disable-auto-complete-config",
            # A model that does not load is reported by name below; Triton's own exit would hide it in a long log.
            "--exit-on-error=false",
            f"--exit-timeout-secs={self.exit_timeout}",
            f"--http-address={self.host}",
            f"--http-port={self.http_port}",
            *(f"--http-restricted-api={rule}" for rule in restricted),
            f"--grpc-address={self.host}",
            f"--grpc-port={self.grpc_port}",
            # A proxy asks by pings every second whether we stand still. By default the third ends the connection.
            "--grpc-http2-max-ping-strikes=0",
            *(f"--grpc-restricted-protocol={rule}" for rule in restricted),
            f"--metrics-address={self.host}",
            f"--metrics-port={self.metrics_port}",
            f"--log-info={'true' if self._verbose else 'false'}",
            *([] if GPU_DEVICE.exists() else WITHOUT_GPU),
            *(_tracing(self.otlp) if self.otlp else []),
            # The container's (26.05 and later) has to be told; the wheel's has no such option, and allows it.
            *(["--allow-client-shm=true"] if client_shm and distribution.kind == "container" else []),
            *([f"--model-config-name={PYTHON_BACKEND}"] if distribution.kind == "wheel" else []),
        ]
        self._process = subprocess.Popen(
            [str(distribution.binary), *arguments],
            env={
                **os.environ,
                **distribution.environment,
                "TMPDIR": self._temporary,
                PREFIX_VARIABLE: f"{FOLDER}/{prefix}busy_",
            },
            cwd=self._temporary,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # Ctrl-C is for the launcher, which stops the server in order; the steps are in the server's group.
            start_new_session=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509  (it makes one system call and takes no lock)
        )
        self._starts += 1
        resources.callback(self._end_process, self._process)
        assert self._process.stdout is not None
        log = ServerLog(self._process.stdout, self._write_log)

        api = RepositoryApi(self.http_url, key)
        wait_until_ready(api, self._process, [*self.models, *self.aliases], log, self.start_timeout)
        self._tune(api)
        if self.max_wait is not None:
            for model in self.models:
                self._limit_wait(api, model, self.max_wait)
        watchdog = Watchdog(self._process.pid, api, repository, f"{FOLDER}/{prefix}busy_", self.step_timeout)
        watchdog.start()
        resources.callback(watchdog.stop)
        self._api, self._watchdog = api, watchdog
        resources.callback(setattr, self, "_watchdog", None)

    def _choose_ports(self) -> None:
        # All three are held until all are chosen, or the system might give the same free one twice.
        with contextlib.ExitStack() as held:
            for name in ("http_port", "grpc_port", "metrics_port"):
                try:
                    port = held.enter_context(
                        reserve(self.host, getattr(self, name), self.exit_timeout + 5, self._write_log)
                    )
                except PortTaken as taken:
                    raise StartFailed(
                        f"{self.host}:{getattr(self, name)} cannot be used for {name} ({taken}): stop what "
                        f"listens there, or choose another ({name.upper()}=... with make, --{name.replace('_', '-')})"
                    ) from None
                setattr(self, name, port.getsockname()[1])
        if len({self.http_port, self.grpc_port, self.metrics_port}) < 3:
            raise StartFailed(
                f"HTTP, gRPC and metrics need three different ports, not {self.http_port}, {self.grpc_port} and "
                f"{self.metrics_port}"
            )

    def _tune(self, api: RepositoryApi) -> None:
        # Where the networks run in Triton's own backends, and on the processor.
        shared_out = self._distribution.kind == "container" and not GPU_DEVICE.exists()
        for name in sorted(model["name"] for model in api.index() if model.get("state") == "READY"):
            tuned = self.tuning.changed(api.config(name), shared_out=shared_out)
            if tuned is None:
                continue
            try:
                api.load(name, tuned)
            except RepositoryApiError as error:
                raise StartFailed(f"'{name}' could not be loaded with {self.tuning}: {error}") from None

    def _limit_wait(self, api: RepositoryApi, model: str, wait: MaxWait) -> None:
        """Give the first queue of a network its size; one that starts after a crash has the size from before it."""
        step = preprocess_model(model)
        config = api.config(step)
        if model not in self.queue_sizes:
            try:
                pace = measure_pace(self.http_url, model, wait.slowest_ms)
            except RateUnknownError as error:
                # An operator may allow smaller photos only; that is no reason not to serve.
                self._write_log(f"'{model}' keeps the queues of its configs, since its rate is not known: {error}\n")
                return
            in_work = most_in_work(config) + most_in_work(api.config(network_model(model)))
            size = queue_size(pace, wait, in_work, configured_queue(config))
            if size is None:
                return
            self.queue_sizes[model] = size
        try:
            api.load(step, limited(config, self.queue_sizes[model], wait))
        except RepositoryApiError as error:
            raise StartFailed(
                f"'{step}' could not be loaded with a queue for {wait.milliseconds} ms: {error}"
            ) from None

    def _write_log(self, text: str) -> None:
        if self._log is not None:
            self._log.write(text)
            self._log.flush()

    def _end_process(self, process: "subprocess.Popen[str]") -> None:
        if self.exit_timeout:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(self.exit_timeout + 5)
        process.kill()
        process.wait()
        end_group(process.pid)
        self._process = None


def _tracing(collector: str) -> list[str]:
    settings = (
        "mode=opentelemetry",
        f"opentelemetry,url={collector}",
        "opentelemetry,resource=service.name=triton",
        "level=TIMESTAMPS",
        "rate=1000000000",  # one of so many; what comes with a sampled traceparent is traced at any rate
    )
    return [f"--trace-config={setting}" for setting in settings]


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
