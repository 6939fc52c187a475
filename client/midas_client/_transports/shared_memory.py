"""Answers through shared memory: what is asked of the server, in which order, and what becomes of the regions.

Nothing here sends or waits. Each flow is a generator that yields calls of the transport beneath, or a pause, gets the
calls' results or errors, and returns the answer; the transport that waits and the one that is awaited drive the same
flows.

No request fails because of shared memory: what cannot be had this way is asked for the plain way, and a server that
refuses regions is asked once. A region belongs to one request at a time. After a request without an answer the server
may still write to its region, so that one is given up: its file is removed at once, and the server is told to let go of
it with the next answer that comes.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
import warnings
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, Protocol, TypeVar

from midas_client._errors import (
    AccessDeniedError,
    AnswerError,
    ConnectError,
    DeadlineExceededError,
    InvalidRequestError,
    MidasClientError,
    ModelNotFoundError,
    ServerBusyError,
    ServerError,
    SharedMemoryWarning,
    TransportError,
)
from midas_client._pause import Pause
from midas_client._transport import InferRequest, InferResponse
from midas_client._transports.answer import PLAIN, PlainOutputs
from midas_client._transports.answer_size import largest_output
from midas_client._transports.region import (
    FOLDER,
    NotWrittenError,
    OutputsInRegion,
    Region,
    is_abandoned,
    remove_files_of_the_dead,
)

_Answer = TypeVar("_Answer")
Flow = Generator[Callable[[Any], Any] | Pause, Any, _Answer]

# For one client. A request that finds none free goes the plain way.
MOST_REGIONS = 32
MOST_BYTES = 256 * 2**20
# Below, nothing is gained.
SMALLEST = 2**19
_STEP = 2 * 2**20
# Of the time that a call has, for what is not the answer.
_REGISTERING = 5.0
_ASIDE = 1.0
_CLOSING = 2.0
_MOMENT = 0.02

# Refusals from the server's own hand, after which it is done with the region; others may be a broken connection's.
_QUEUE = re.compile(r"maximum queue size|timeout expired", re.IGNORECASE)


class RegionTransport(Protocol):
    """What shared memory needs of a transport that waits; one that is awaited has the same, awaited."""

    def infer(self, request: InferRequest, timeout: float, outputs: PlainOutputs = PLAIN) -> InferResponse:
        """Send one request and wait for its answer, whose arrays are where outputs says."""
        ...

    def register_region(self, name: str, size: int, timeout: float) -> None:
        """Have the server map the region."""
        ...

    def unregister_region(self, name: str, timeout: float) -> None:
        """Have the server let go of it. No error if it does not know it."""
        ...

    def region_names(self, timeout: float) -> list[str]:
        """All regions of all callers."""
        ...


class SharedMemory:
    """The regions of one client, and the flows of its calls. Safe to use from several threads at once."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._free: list[Region] = []
        self._leased: list[Region] = []
        # Given up, and still mapped by the server.
        self._retired: list[Region] = []
        self._room = MOST_BYTES
        self._probed = False
        self._probing = False
        self._off = False

    def response(self, request: InferRequest, timeout: float) -> Flow[InferResponse]:
        """The answer, through shared memory where that is possible and pays.

        Args:
            request: one photo for one model.
            timeout: seconds, registering a region included.
        """
        deadline = time.monotonic() + timeout
        response = None
        if not self._off:
            placed, size = largest_output(request)
            region = (yield from self._lease(size, deadline)) if SMALLEST <= size <= MOST_BYTES else None
            if region is not None:
                region.expect(size)
                response = yield from self._response_in(OutputsInRegion(region, placed), request, deadline)
        if response is None:
            response = yield lambda way: way.infer(request, _left(deadline))
        if self._retired:
            yield from self._forget_retired(min(deadline, time.monotonic() + _ASIDE))
        return response

    def close(self) -> Flow[None]:
        """Remove all regions here, and have the server let go of them, if it does within two seconds."""
        if os.getpid() != self._process:
            self._begin()
        self._off = True
        self.unlink()
        with self._lock:
            self._retired += self._free
            self._retired += self._leased
            self._free.clear()
        deadline = time.monotonic() + _CLOSING
        while (yield from self._forget_retired(deadline)) and time.monotonic() < deadline:
            # The server lets go of a region a moment after it has answered. For calls under way nobody waits.
            if all(region in self._leased for region in self._retired):
                break
            yield Pause(_MOMENT)

    def unlink(self) -> None:
        """Remove the files, without a word to the server: for a client that nobody has closed."""
        for region in (*self._free, *self._leased):
            region.unlink()

    def _lease(self, size: int, deadline: float) -> Flow[Region | None]:
        """A registered region for one request; None where there is none to be had."""
        if os.getpid() != self._process:
            # The regions belong to the parent, which still uses them.
            self._begin()
        region = self._take(size)
        if region is not None:
            return region
        if self._retire_for(size):
            yield from self._forget_retired(min(deadline, time.monotonic() + _ASIDE))
        region = self._make(size)
        if region is None:
            return None
        try:
            registered = yield from self._register(region, deadline)
            if registered and not self._probed:
                self._probed = True
                yield from self._forget_abandoned(min(deadline, time.monotonic() + _ASIDE))
        finally:
            self._probing = False
        return region if registered else None

    def _take(self, size: int) -> Region | None:
        with self._lock:
            fitting = [region for region in self._free if region.size >= size]
            if not fitting:
                return None
            region = min(fitting, key=lambda region: region.size)
            self._free.remove(region)
            self._leased.append(region)
            return region

    def _has_room(self, size: int) -> bool:
        held = (*self._free, *self._leased, *self._retired)
        return len(held) < MOST_REGIONS and sum(region.size for region in held) + size <= self._room

    def _retire_for(self, size: int) -> bool:
        """Give up free regions, which are too small, where there is no room for another; whether any was."""
        size = _rounded(size)
        with self._lock:
            if self._has_room(size) or not self._free:
                return False
            held = (*self._free, *self._leased, *self._retired)
            regions = len(held) + 1 - MOST_REGIONS
            missing = sum(region.size for region in held) + size - self._room
            while self._free and (missing > 0 or regions > 0):
                region = self._free.pop(0)  # the one not used for longest
                region.unlink()
                self._retired.append(region)
                missing -= region.size
                regions -= 1
            return True

    def _make(self, size: int) -> Region | None:
        size = _rounded(size)
        failure = f"there is no {FOLDER} here"
        with self._lock:
            if self._off or self._probing or not self._has_room(size):
                return None
            if FOLDER.is_dir():
                try:
                    if not self._probed:
                        remove_files_of_the_dead()
                    region = Region(size)
                except OSError as error:
                    held = (*self._free, *self._leased, *self._retired)
                    if held:
                        # It is full: no more from now on than there are.
                        self._room = sum(region.size for region in held)
                        return None
                    failure = f"{FOLDER}: {error.strerror}"
                else:
                    # Until the server has accepted one, the others go the plain way.
                    self._probing = not self._probed
                    self._leased.append(region)
                    return region
        self._turn_off(failure)
        return None

    def _register(self, region: Region, deadline: float) -> Flow[bool]:
        """Whether the server has the region now; if not, the region is given up."""
        try:
            until = min(deadline, time.monotonic() + _REGISTERING)
            yield lambda way: way.register_region(region.name, region.size, _left(until))
        except ConnectError:
            # The answer would not come either, and the client knows what to do about that.
            self._retire(region, known=False)
            raise
        except (AnswerError, ServerError) as error:
            words = (error.server_message or error.message).lower()
            if "already in manager" in words:
                return True
            self._retire(region, known=False)
            # A busy server is asked again with the next photo. One that was told not to do this says so.
            if not isinstance(error, ServerBusyError) or "memory" in words:
                self._turn_off(
                    "the server does not allow it" if isinstance(error, AccessDeniedError) else error.message
                )
            return False
        except TransportError as error:
            self._retire(region)
            if isinstance(error, DeadlineExceededError) and time.monotonic() < deadline:
                self._turn_off("the server did not say in time whether it takes part")
            return False
        except BaseException:
            self._retire(region)
            raise
        return True

    def _response_in(
        self, outputs: OutputsInRegion, request: InferRequest, deadline: float
    ) -> Flow[InferResponse | None]:
        """The answer, or None where it must be asked for the plain way."""
        region = outputs.region
        again = False
        while True:
            try:
                response: InferResponse = yield lambda way: way.infer(request, _left(deadline), outputs)
            except NotWrittenError as error:
                self._retire(region)
                self._turn_off(error.message)
                return None
            except ServerError as error:
                words = error.server_message or ""
                if "Unable to find shared memory region" in words and not again:
                    # The server has been started anew.
                    again = yield from self._register(region, deadline)
                    if not again:
                        return None
                    continue
                if region.name in words:
                    # It forgets what it is told: another server answers each time.
                    self._retire(region)
                    self._turn_off(error.message)
                    return None
                if "shared memory size specified with the request" in words:
                    # The photo is larger than its header says.
                    self._give_back(region)
                    return None
                if isinstance(error, (InvalidRequestError, ModelNotFoundError)) or _QUEUE.search(words):
                    self._give_back(region)
                else:
                    self._retire(region)
                raise
            except BaseException:
                self._retire(region)
                raise
            self._give_back(region)
            return response

    def _give_back(self, region: Region) -> None:
        with self._lock:
            if region in self._leased:
                self._leased.remove(region)
                if not self._off:
                    self._free.append(region)
                    return
                self._retired.append(region)
        region.unlink()

    def _retire(self, region: Region, *, known: bool = True) -> None:
        """Never use it again; known: the server may have mapped it."""
        region.unlink()
        with self._lock:
            if region in self._leased:
                self._leased.remove(region)
                if known:
                    self._retired.append(region)

    def _forget_retired(self, deadline: float) -> Flow[bool]:
        """Have the server let go of what was given up. What it is still writing to stays for the next time.

        Returns whether the server could be asked.
        """
        with self._lock:
            names = [region.name for region in self._retired]
        gone, asked = yield from self._unregister(names, deadline)
        with self._lock:
            self._retired[:] = [region for region in self._retired if region.name not in gone]
        return asked

    def _forget_abandoned(self, deadline: float) -> Flow[None]:
        """Have the server let go of what clients left behind that were killed."""
        try:
            names = yield lambda way: way.region_names(_left(deadline))
        except MidasClientError:
            return
        yield from self._unregister([name for name in names if is_abandoned(name)], deadline)

    def _unregister(self, names: list[str], deadline: float) -> Flow[tuple[set[str], bool]]:
        """Those that the server has let go of, and whether it could be asked for all."""
        gone: set[str] = set()
        for name in names:
            try:
                yield partial(_unregister_region, name=name, deadline=deadline)
                gone.add(name)
            except ServerError as error:
                # Any other refusal is for good: it would say the same later.
                if "in use" not in (error.server_message or ""):
                    gone.add(name)
            except MidasClientError:
                return gone, False
        return gone, True

    def _turn_off(self, reason: str) -> None:
        """The plain way from now on, and a warning the first time."""
        with self._lock:
            if self._off:
                return
            self._off = True
            # A region that is leased is given up by its own request.
            for region in self._free:
                region.unlink()
            self._retired += self._free
            self._free.clear()
        warnings.warn(
            f"Depth maps come the plain way, not through shared memory: {reason.rstrip('.')}. The server must be on "
            f"this machine, see the same {FOLDER} (containers: the same ipc), run as the same user or as root, and be "
            "started with --allow-client-shm",
            SharedMemoryWarning,
            stacklevel=_frames_to_the_caller(),
        )


def _unregister_region(way: Any, *, name: str, deadline: float) -> Any:
    return way.unregister_region(name, _left(deadline))


def _left(deadline: float) -> float:
    return max(0.001, deadline - time.monotonic())


def _rounded(size: int) -> int:
    """Photos of nearly the same size share regions."""
    return -(-size // _STEP) * _STEP


def _frames_to_the_caller() -> int:
    """The stacklevel, seen from who asks for it, of the first line outside of this package."""
    package = __name__.partition(".")[0] + "."
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(package):
        frame, level = frame.f_back, level + 1
    return level
