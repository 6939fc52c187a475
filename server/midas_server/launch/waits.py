"""How long an accepted request may wait, in milliseconds, made into the size of the first queue.

Triton limits a queue by a number of requests, and what that means in time depends on the network and the machine. So
the launcher measures, when the server is up, how many photos a second it answers. The queue of preprocess then gets the
number that is answered within the wait, less what the steps have in work; what is too much is refused there at once,
before any work is done. As the rate is that of one kind of photo, a request that has waited for longer in that queue
all the same is refused then.
"""

import http.client
import io
import json
import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

MEASURED_SECONDS = 1.0
AT_ONCE, AT_ONCE_SLOW = 16, 4
"""Requests under way at a time while the rate is measured; fewer where a single one takes longer than FAST_MS."""

LEAST_QUEUE = 8
"""Of a network that is too slow for its wait: eight callers that wait for their answers are never refused."""

FAST_MS = 100.0
COLD = 5  # times as long as the later ones the first photo may take
ANSWER_WITHIN = 300.0  # seconds; of one photo of the slowest network
PHOTO_SIZE = (1920, 1080)


class RateUnknownError(RuntimeError):
    """The photos that should show the rate were not answered; the text says why."""


@dataclass(frozen=True)
class MaxWait:
    """What an accepted request may wait for its answer.

    Attributes:
        milliseconds: from its arrival on.
        slowest_ms: a network that takes longer for a lone photo keeps the queues of its configs.

    Raises:
        ValueError: no time at all.
    """

    milliseconds: int
    slowest_ms: float = math.inf

    def __post_init__(self) -> None:
        if self.milliseconds < 1:
            raise ValueError(f"max wait: {self.milliseconds} ms is not allowed, the least is 1")


DEFAULT_MAX_WAIT = MaxWait(1000, FAST_MS)


@dataclass(frozen=True)
class Pace:
    """What a network's ensemble does with 1080p photos.

    Attributes:
        one_ms: milliseconds of a photo alone.
        rate: photos a second at full load.
    """

    one_ms: float
    rate: float


def queue_size(pace: Pace, wait: MaxWait, in_work: int, most: int) -> int | None:
    """Requests that may wait before preprocess; None where the network is too slow for `wait`.

    Args:
        pace: as measured.
        wait: as asked for.
        in_work: photos that the steps may have in work at full load; the wait of a request includes theirs.
        most: the size that the config has, for which memory is planned: a photo in a queue may have 32 MB.
    """
    if pace.one_ms > wait.slowest_ms:
        return None
    return min(most, max(LEAST_QUEUE, round(pace.rate * wait.milliseconds / 1000) - in_work))


def most_in_work(config: Mapping[str, Any]) -> int:
    """Photos that the instances of a model compute at a time, at most; from its config."""
    instances = sum(int(group.get("count", 1)) for group in config.get("instance_group", [])) or 1
    return instances * max(1, int(config.get("max_batch_size", 0)))


def configured_queue(config: Mapping[str, Any]) -> int:
    """Requests that may wait before a step, as its config says."""
    return int(config["dynamic_batching"]["default_queue_policy"]["max_queue_size"])


def limited(config: Mapping[str, Any], size: int, wait: MaxWait) -> dict[str, Any]:
    """The config of a preprocess step with a queue of `size`, in which nothing waits for longer than `wait`."""
    batching = config["dynamic_batching"]
    policy = {
        **batching["default_queue_policy"],
        "max_queue_size": size,
        "default_timeout_microseconds": wait.milliseconds * 1000,
    }
    return {**config, "dynamic_batching": {**batching, "default_queue_policy": policy}}


def measure_pace(url: str, model: str, slowest_ms: float = math.inf) -> Pace:
    """Send photos of 1920x1080 to a server that is ready, one alone and then several at a time, for about a second.

    Args:
        url: `host:port` of HTTP.
        model: the ensemble.
        slowest_ms: where a photo alone takes longer, its time is all that is measured.

    Raises:
        RateUnknownError: not all were answered.
    """
    asking = _Asking(url, model)
    one_ms = asking.one_ms()
    if one_ms < COLD * slowest_ms:
        one_ms = asking.one_ms()
    if one_ms > slowest_ms:
        return Pace(one_ms, 1000 / one_ms)
    times = asking.until(AT_ONCE if one_ms < FAST_MS else AT_ONCE_SLOW, MEASURED_SECONDS)
    took = max(times) - min(times)
    # Answers come in batches, so those of the first batch say nothing of the time that they took.
    later = sum(1 for moment in times if moment > min(times))
    return Pace(one_ms, later / took if took > 0 else 1000 / one_ms)


class _Asking:
    """One photo, sent again and again to one ensemble."""

    def __init__(self, url: str, model: str) -> None:
        self._url = url
        self._path = f"/v2/models/{model}/infer"
        photo = _photo()
        content = len(photo).to_bytes(4, "little") + photo
        tensor = {"name": "IMAGE", "datatype": "BYTES", "shape": [1, 1]}
        head = json.dumps(
            {
                "inputs": [{**tensor, "parameters": {"binary_data_size": len(content)}}],
                "parameters": {"output_size": "network", "binary_data_output": True},
            }
        ).encode()
        self._body = head + content
        self._headers = {"Inference-Header-Content-Length": str(len(head))}

    def one_ms(self) -> float:
        """Milliseconds that one photo alone takes."""
        started = time.monotonic()
        self.until(1, None)
        return (time.monotonic() - started) * 1000

    def until(self, at_once: int, seconds: float | None) -> list[float]:
        """Keep so many requests under way for so long, or send each once; returns when each answer came."""
        end = None if seconds is None else time.monotonic() + seconds
        times: list[float] = []
        failures: list[str] = []

        def ask() -> None:
            connection = http.client.HTTPConnection(self._url, timeout=ANSWER_WITHIN)
            try:
                while not failures:
                    connection.request("POST", self._path, self._body, self._headers)
                    answer = connection.getresponse()
                    content = answer.read()
                    if answer.status != 200:
                        failures.append(content[:500].decode("utf-8", "replace"))
                        return
                    times.append(time.monotonic())
                    if end is None or times[-1] > end:
                        return
            except (OSError, http.client.HTTPException) as error:
                failures.append(str(error) or type(error).__name__)
            finally:
                connection.close()

        threads = [threading.Thread(target=ask) for _ in range(at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise RateUnknownError(failures[0])
        return times


def _photo() -> bytes:
    """A JPEG that is as much work as a photo: soft noise."""
    width, height = PHOTO_SIZE
    file = io.BytesIO()
    noise = Image.effect_noise((width // 8, height // 8), 60).resize(PHOTO_SIZE, Image.Resampling.BICUBIC)
    noise.convert("RGB").save(file, "JPEG", quality=90)
    return file.getvalue()
