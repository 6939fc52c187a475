"""Time one build as it is served: `python -m export.auto.timing REPOSITORY NAME INSTANCES BATCH SECONDS` prints JSON.

The whole way of a photo runs in this process, without Triton: preprocess and postprocess with as many at a time as the
steps have instances, between them the network with the backends' own sessions and threads, and a queue from which each
instance takes what waits, up to a batch. A process of its own for each build: what one leaves in memory, or its
threads, must not slow down the next.
"""

import json
import os
import queue
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np

from export.graph.parity import Depth, Pixels
from export.precision.photos import samples
from export.repository.manifest import read_manifest
from export.repository.scheduling import INSTANCES as STEP_INSTANCES
from export.repository.served_config import read_config, read_rules
from midas_server.at_work import AtWork
from midas_server.backends.pieces import Compute, Opened
from midas_server.backends.threads_by_load import threads_by_load
from midas_server.cores import cores
from midas_server.pipeline import finish, prepare
from midas_server.repository import ONNX_FILE, VERSION, manifest_file, network_model, preprocess_model
from midas_server.shared_bytes import PREFIX_VARIABLE

AT = 8
"""Photos under way at full load, or two a core where that is more."""

_FEWEST = 5
_FEWEST_AT_LOAD = 16
_LONGEST = 3.0
"""How many times as long as asked a slow network may take for the fewest photos."""

_PHOTO = (1920, 1080)
_PARAMETERS = {"output_size": "network"}

Waiting = tuple[Pixels, "Future[Depth]"]


@dataclass(frozen=True)
class Times:
    """What was measured: milliseconds of one photo alone, and photos a second at full load."""

    alone_ms: float
    photos_per_second: float


class Service:
    """A network with the steps around it, as Triton would run them.

    Args:
        repository: holds the network.
        name: of the network.
        instances: of the network step; each opens the network.
        batch: most photos of one execution.
        busy: see `opened`.
    """

    def __init__(self, repository: Path, name: str, instances: int, batch: int, busy: Path) -> None:
        cv2.setNumThreads(1)
        self._rules = read_rules(repository, name)
        self._photo = _photo()
        self._batch = batch
        self._instances = opened(repository, name, instances, batch, busy)
        self._waiting: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._preprocess: queue.SimpleQueue[AtWork] = queue.SimpleQueue()
        for number in range(STEP_INSTANCES):
            self._preprocess.put(AtWork(network_model(name), _args(preprocess_model(name), number)))
        self._postprocess = threading.Semaphore(STEP_INSTANCES)
        pixels = prepare(self._photo, _PARAMETERS, self._rules).pixels[np.newaxis]
        for instance in self._instances:
            for rows in (1, batch):
                instance(np.repeat(pixels, rows, axis=0))

    def time(self, seconds: float) -> Times:
        """Measure one photo at a time, and then full load for twice as long."""
        serving = [threading.Thread(target=self._serve, args=(instance,)) for instance in self._instances]
        for thread in serving:
            thread.start()
        try:
            return Times(self._alone(seconds), self._at_load(2 * seconds))
        finally:
            for _ in serving:
                self._waiting.put(None)
            for thread in serving:
                thread.join()

    def _alone(self, seconds: float) -> float:
        times: list[float] = []
        end = time.perf_counter() + seconds
        while len(times) < _FEWEST or time.perf_counter() < end:
            started = time.perf_counter()
            self._answer()
            times.append(1000 * (time.perf_counter() - started))
        return median(times)

    def _at_load(self, seconds: float) -> float:
        callers = max(AT, 2 * cores())
        answered: list[int] = []
        rates: list[float] = []
        failures: list[Exception] = []
        started = time.perf_counter()

        def call() -> None:
            photos = 0
            try:
                while not photos or not (failures or _enough(len(answered), time.perf_counter() - started, seconds)):
                    self._answer()
                    photos += 1
                    answered.append(photos)
            except Exception as error:  # noqa: BLE001 - raised again by the thread that waits
                failures.append(error)
            # Each caller's rate is taken over its own time: the last photo of one ends after those of the others.
            rates.append(photos / (time.perf_counter() - started))

        threads = [threading.Thread(target=call) for _ in range(callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        return sum(rates)

    def _answer(self) -> None:
        preprocess = self._preprocess.get()
        try:
            with preprocess.now():
                prepared = prepare(self._photo, _PARAMETERS, self._rules)
        finally:
            self._preprocess.put(preprocess)
        depth: Future[Depth] = Future()
        self._waiting.put((prepared.pixels[np.newaxis], depth))
        computed = depth.result()
        with self._postprocess:
            finish(computed, prepared.guide, prepared.task)

    def _serve(self, instance: Callable[[Pixels], Depth]) -> None:
        """Compute what waits, as one instance of the network step; None ends it."""
        over = False
        while not over:
            first = self._waiting.get()
            if first is None:
                return
            taken = [first]
            while len(taken) < self._batch and not over:
                try:
                    another = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if another is None:
                    over = True
                else:
                    taken.append(another)
            try:
                depths = instance(np.concatenate([pixels for pixels, _ in taken]))
                for number, (_, depth) in enumerate(taken):
                    depth.set_result(depths[number])
            except Exception as error:  # noqa: BLE001 - the caller raises it
                for _, depth in taken:
                    depth.set_exception(error)


def _enough(photos: int, passed: float, seconds: float) -> bool:
    return passed >= seconds and (photos >= _FEWEST_AT_LOAD or passed >= _LONGEST * seconds)


def opened(repository: Path, name: str, instances: int, batch: int, busy: Path) -> list[Callable[[Pixels], Depth]]:
    """The network, once for each instance, as its backend opens it: with all threads, and with its share of them.

    Args:
        repository: holds the network.
        name: of the network.
        instances: how many there are.
        batch: most photos of one execution.
        busy: a folder for the bytes by which the instances and preprocess know of each other.
    """
    folder = repository / network_model(name)
    config = read_config(folder)
    config |= {
        "max_batch_size": batch,
        "instance_group": [{**group, "count": instances} for group in config["instance_group"]],
        "model_warmup": [{}, {}],  # that many computations open what an instance has; `Service` makes them
    }
    backend = config.get("backend") or config.get("platform")
    if backend == "tensorrt_plan":
        return [_plan(repository, name)] * instances
    kind = {"onnxruntime": _onnx, "openvino": _openvino}[str(backend)]
    os.environ[PREFIX_VARIABLE] = f"{busy}/"
    source, result = config["input"][0]["name"], config["output"][0]["name"]

    def instance(number: int) -> Callable[[Pixels], Depth]:
        compute = kind(_args(network_model(name), number), config, folder / VERSION)
        return lambda pixels: np.asarray(compute({source: pixels})[result])

    return [instance(number) for number in range(instances)]


def _args(step: str, number: int) -> dict[str, str]:
    """What Triton tells an instance of a step about itself."""
    return {"model_name": step, "model_instance_name": f"{step}_0_{number}"}


def _onnx(args: Mapping[str, str], config: Mapping[str, Any], version: Path) -> Compute:
    # only the runtime that is timed
    from midas_server.backends.onnx_session import (  # noqa: PLC0415
        THREADS_PARAMETER,
        computed_by,
        has_cuda,
        open_session,
    )

    gpu = 0 if has_cuda() else None

    def with_threads(threads: int | None) -> Opened:
        return computed_by(open_session(version / ONNX_FILE, config, gpu, threads), config)

    if gpu is not None:
        return with_threads(None).compute
    return threads_by_load(args, config, THREADS_PARAMETER, with_threads)


def _openvino(args: Mapping[str, str], config: Mapping[str, Any], version: Path) -> Compute:
    from midas_server.backends.openvino_network import THREADS_PARAMETER, CompiledNetwork  # noqa: PLC0415

    network = CompiledNetwork(version / "model.xml", config)

    return threads_by_load(args, config, THREADS_PARAMETER, network.opened)


def _plan(repository: Path, name: str) -> Callable[[Pixels], Depth]:
    """A wait in a plan's place: only trtexec runs plans, and it measured the GPU's time when the plan was built."""
    manifest = read_manifest(manifest_file(repository, name))
    if manifest is None or manifest.against_fp32 is None:
        raise FileNotFoundError(f"{manifest_file(repository, name)} does not say how fast the plan is")
    seconds, gpu = manifest.against_fp32["milliseconds"] / 1000, threading.Lock()

    def wait(pixels: Pixels) -> Depth:
        with gpu:
            time.sleep(seconds * len(pixels))
        return np.ones(pixels.shape[:3], np.float32)

    return wait


def _photo() -> bytes:
    """A JPEG of 1920x1080, from one of the photos that builds are judged on."""
    picture = cv2.imread(str(samples()["chelsea.png"]))
    encoded: Sequence[Any] = cv2.imencode(".jpg", cv2.resize(picture, _PHOTO, interpolation=cv2.INTER_CUBIC))
    return bytes(encoded[1].tobytes())


def main(words: Sequence[str]) -> None:
    """Time what the words name, and print the figures."""
    repository, name, instances, batch, seconds = words
    with tempfile.TemporaryDirectory(prefix="midas-auto-") as busy:
        service = Service(Path(repository), name, int(instances), int(batch), Path(busy))
        print(json.dumps(asdict(service.time(float(seconds)))))


if __name__ == "__main__":
    main(sys.argv[1:])
