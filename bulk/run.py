"""Ray Data over all shares of the photos."""

import dataclasses
import json
import logging
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bulk.errors import BulkError
from bulk.inputs import Photo
from bulk.request import Request
from bulk.shares import shares
from bulk.worker import Worker
from midas_server.cores import cores

_STORE_BYTES = 80 << 20
"""Ray's smallest object store: only the names of photos go through it, never a photo."""

SETTINGS: Mapping[str, str] = {
    # By default Ray's workers come last wherever anything else runs.
    "RAY_worker_niceness": "0",
    # By default Ray looks at what a cluster may do many times a second, and the photos' cores pay for it.
    "RAY_enable_metrics_collection": "0",
    "RAY_event_stats": "0",
    "RAY_task_events_report_interval_ms": "0",
    "RAY_raylet_report_resources_period_milliseconds": "1000",
    "RAY_raylet_check_gc_period_milliseconds": "1000",
    "RAY_object_manager_timer_freq_ms": "1000",
    "RAY_memory_monitor_refresh_ms": "1000",
    "RAY_gcs_pull_resource_loads_period_milliseconds": "10000",
    "RAY_local_fs_monitor_interval_ms": "10000",
    "RAY_kill_idle_workers_interval_ms": "5000",
    "RAY_report_worker_backlog_interval_ms": "10000",
    # Nobody reads the logs of the workers while they run.
    "RAY_LOG_MONITOR_MANY_FILES_THRESHOLD": "0",
    "LOG_NAME_UPDATE_INTERVAL_S": "60",
}
"""Ray's settings where it runs on this machine alone; variables of the same names come first."""


def run(
    photos: Sequence[Photo],
    request: Request,
    folder: Path,
    *,
    address: str | None,
    workers: int | None,
    step: Callable[[int, int], None],
) -> None:
    """Compute the photos on this machine, or on a cluster.

    A worker that dies is started again by Ray, with the share that it had.

    Args:
        photos: those that are left.
        request: what is asked for.
        folder: of the results.
        address: of a Ray cluster; None starts Ray on this machine for the time of the run.
        workers: actors; None takes one for all `request.threads` cores, or one with a server.
        step: is told of each share how many photos it had, and how many of them failed.

    Raises:
        BulkError: Ray is not installed or not there, or a worker says that nothing can go on.
        KeyboardInterrupt: Ctrl-C.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if not address:
        os.environ.update({**SETTINGS, **os.environ})
    try:
        import ray  # noqa: PLC0415 - the commands that need no Ray run without it
        import ray.data  # noqa: PLC0415
        import ray.exceptions  # noqa: PLC0415
    except ImportError as error:
        raise BulkError(f"Ray cannot be loaded ({error}): make bulk-setup installs it into .venv-bulk") from None

    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    threads = 1 if request.through else request.threads
    count = workers or (1 if request.through else max(1, cores() // threads))
    on_terminate = signal.getsignal(signal.SIGTERM)
    try:
        if address:
            ray.init(address=address, **quiet)
        else:
            ray.init(
                num_cpus=max(cores(), count * threads),
                include_dashboard=False,
                object_store_memory=_STORE_BYTES,
                **quiet,
            )
    except Exception as error:  # noqa: BLE001 - of many kinds
        where = f"There is no Ray cluster at {address}" if address else "Ray cannot start here"
        raise BulkError(f"{where}: {error}") from None
    signal.signal(signal.SIGTERM, on_terminate)  # Ray has put its own in its place
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        # Workers answer with a few numbers, so Ray need not share out its memory ten times a second.
        context.op_resource_reservation_enabled = False
        if address and not request.through:
            there = int(ray.cluster_resources().get("CPU", 0))
            count = workers or there // threads
            if not 0 < count * threads <= there:
                raise BulkError(f"the cluster has {there} cores: name fewer --workers or --threads")
        rows = [{"share": json.dumps([dataclasses.astuple(photo) for photo in each])} for each in shares(photos, count)]
        outcomes = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            _Actor,
            batch_size=1,
            batch_format="numpy",
            fn_constructor_kwargs={"request": request, "folder": str(folder)},
            compute=ray.data.ActorPoolStrategy(size=count),
            # What a server computes takes no core here.
            num_cpus=0 if request.through else threads,
        )
        for batch in outcomes.iter_batches(batch_size=None, prefetch_batches=0, batch_format="numpy"):
            for done, failed, reason in zip(batch["done"], batch["failed"], batch["error"], strict=True):
                if reason:
                    raise BulkError(f"{reason}; the same command goes on from here")
                step(int(done), int(failed))
    except ray.exceptions.RayError as error:
        raise BulkError(f"Ray gave up: {str(error).strip().splitlines()[-1]}") from None
    finally:
        ray.shutdown()


class _Actor:
    """A worker as Ray Data calls it. What ends the run is a column of the answer: an error would become Ray's own."""

    def __init__(self, request: Request, folder: str) -> None:
        self._request, self._folder = request, Path(folder)
        self._worker: Worker | None = None

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        (share,) = batch["share"]
        done, failed, error = 0, 0, ""
        try:
            self._worker = self._worker or Worker(self._request, self._folder)
            done, failed = self._worker.compute([Photo(*each) for each in json.loads(share)])
        except BulkError as reason:
            error = str(reason)
        return {"done": np.array([done]), "failed": np.array([failed]), "error": np.array([error])}
