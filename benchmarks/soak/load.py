"""Callers of several kinds, a few requests a second: by gRPC, HTTP and the gateway; good, bad and slow ones."""

import http.client
import random
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from statistics import quantiles
from urllib.parse import urlsplit

from benchmarks.load.photo import jpeg
from benchmarks.soak.installation import Installation
from benchmarks.soak.log import Log
from midas_client import DepthClient, MidasClientError

STRETCH = 10.0
"""Seconds of requests that become one line of the log."""

FINE = {"answered", "went away"}
"""Outcomes that are no failure; `went away` is what a slow caller does on purpose."""

_TIMEOUT = 30.0
_OPTIONS: tuple[Mapping[str, str], ...] = (
    {"output_size": "network"},
    {"format": "png16"},
    {"format": "color_jpeg", "filter": "guided"},
    {"output_size": "network", "aspect": "square"},
)
_BAD = (b"no photo", b"\xff\xd8\xff\xe0 cut short")


@dataclass
class Stretch:
    """What came of the requests of one way within `STRETCH` seconds."""

    outcomes: Counter[str] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)


class Callers:
    """Threads that send requests until they are stopped.

    Args:
        installation: where to.
        log: gets a line every `STRETCH` seconds for each way, and one for each request that failed.
        rate: requests a second of all together.
        dice: for what is sent and when.
    """

    def __init__(self, installation: Installation, log: Log, rate: float, dice: random.Random) -> None:
        self._log, self._dice = log, dice
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._stretches: dict[str, Stretch] = {}
        self._photos = [jpeg(*size) for size in ((320, 240), (640, 480), (1280, 720))]
        ways: dict[str, Callable[[], str]] = {
            "grpc": partial(self._ask, DepthClient(installation.grpc, timeout=_TIMEOUT)),
            "http": partial(self._ask, DepthClient(installation.http, timeout=_TIMEOUT)),
            "gateway": partial(self._post, installation.gateway),
            "bad photo": partial(self._post_bad, installation.gateway),
            "slow": partial(self._crawl, installation.gateway),
        }
        # One in eight of bad and slow ones each.
        shares = {"grpc": 0.3, "http": 0.2, "gateway": 0.25, "bad photo": 0.125, "slow": 0.125}
        self._threads = [
            threading.Thread(target=self._run, args=(way, act, rate * shares[way]), daemon=True)
            for way, act in ways.items()
        ]
        self._threads.append(threading.Thread(target=self._write, daemon=True))

    def start(self) -> None:
        """Begin."""
        for each in self._threads:
            each.start()

    def stop(self) -> None:
        """End when what is under way is answered."""
        self._stop.set()
        for each in self._threads:
            each.join(_TIMEOUT + 10)

    def _run(self, way: str, act: Callable[[], str], rate: float) -> None:
        while not self._stop.wait(self._dice.expovariate(rate)):
            began, started = self._log.at, time.monotonic()
            try:
                outcome = act()
            except Exception as error:  # noqa: BLE001  (a caller that ends would make the load lighter unseen)
                outcome = f"{type(error).__name__}: {error}"[:200]
            milliseconds = 1000 * (time.monotonic() - started)
            if outcome not in FINE:
                self._log.add("failed", way=way, outcome=outcome, began=round(began, 1))
            with self._lock:
                stretch = self._stretches.setdefault(way, Stretch())
                stretch.outcomes[outcome] += 1
                if outcome == "answered":
                    stretch.milliseconds.append(milliseconds)

    def _write(self) -> None:
        while not self._stop.wait(STRETCH):
            self._write_stretches()
        self._write_stretches()

    def _write_stretches(self) -> None:
        with self._lock:
            done, self._stretches = self._stretches, {}
        for way, stretch in done.items():
            times = stretch.milliseconds
            middle = quantiles(times, n=100, method="inclusive") if len(times) > 1 else times * 99
            facts = {"p50_ms": round(middle[49]), "p99_ms": round(middle[98])} if times else {}
            self._log.add("requests", way=way, outcomes=dict(stretch.outcomes), **facts)

    def _ask(self, client: DepthClient) -> str:
        try:
            client.predict(self._dice.choice(self._photos), **self._dice.choice(_OPTIONS))  # type: ignore[arg-type]
        except MidasClientError as error:
            return type(error).__name__
        return "answered"

    def _post(self, gateway: str) -> str:
        return self._answer(gateway, self._dice.choice(self._photos), 200)

    def _post_bad(self, gateway: str) -> str:
        return self._answer(gateway, self._dice.choice(_BAD), 400, 415)

    def _answer(self, gateway: str, body: bytes, *wanted: int) -> str:
        query = "&".join(f"{name}={value}" for name, value in self._dice.choice(_OPTIONS[1:3]).items())
        request = urllib.request.Request(  # noqa: S310  (loopback)
            f"{gateway}/predict?{query}", body, {"Content-Type": "image/jpeg"}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=_TIMEOUT) as response:
                response.read()
                status = response.status
        except urllib.error.HTTPError as error:
            error.close()
            status = error.code
        except OSError as error:
            return type(error).__name__
        return "answered" if status in wanted else f"status {status}"

    def _crawl(self, gateway: str) -> str:
        """Send half of a photo, wait, and go away; or send the rest and read the answer slowly."""
        photo, stays = self._photos[1], self._dice.random() < 0.5
        connection = http.client.HTTPConnection(urlsplit(gateway).netloc, timeout=_TIMEOUT)
        try:
            connection.putrequest("POST", "/predict?format=png16")
            connection.putheader("Content-Type", "image/jpeg")
            connection.putheader("Content-Length", str(len(photo)))
            connection.endheaders(photo[: len(photo) // 2])
            time.sleep(self._dice.uniform(0.1, 3))
            if not stays:
                return "went away"
            connection.send(photo[len(photo) // 2 :])
            response = connection.getresponse()
            while response.read(4096):
                time.sleep(0.02)
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        finally:
            connection.close()
        return "answered" if response.status == 200 else f"status {response.status}"
