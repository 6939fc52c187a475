"""An open loop that goes on when requests are refused, which perf_analyzer 2.51 does not: it ends with the first."""

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import grpc
from tritonclient.grpc import service_pb2

from benchmarks.errors import BenchmarkError, TooShort
from benchmarks.load.arrivals import poisson
from benchmarks.load.measurement import Measurement

GENERATOR = "asyncio and grpcio"
"""What a record calls this generator."""

_METHOD = "/inference.GRPCInferenceService/ModelInfer"
_CONNECTIONS = 4
_DEADLINE_S = 60.0
_CONNECT_S = 10.0


@dataclass(frozen=True)
class Reply:
    """What became of one request, in seconds since the loop began; `due` is when it should have been sent."""

    due: float
    done: float
    refused: bool


def request_of(model: str, photo: bytes, parameters: Mapping[str, str]) -> bytes:
    """Return one serialised request with a photo: every request of the loop is the same bytes, made once."""
    request = service_pb2.ModelInferRequest(model_name=model)
    image = request.inputs.add(name="IMAGE", datatype="BYTES", shape=[1, 1])
    assert image is not None
    request.raw_input_contents.append(len(photo).to_bytes(4, "little") + photo)
    for name, value in parameters.items():
        request.parameters[name].string_param = value
    return bytes(request.SerializeToString())


def open_loop(url: str, request: bytes, *, rate: float, seconds: float, unmeasured: float = 1.0) -> Measurement:
    """Send the same request at Poisson times, whether or not the earlier ones were answered, and measure.

    The answers are received but not read, so that the generator takes little from a server on the same machine. A
    latency counts from the moment at which the request was due, so a generator that is late makes it longer.

    Args:
        url: `host:port` of gRPC.
        request: what is sent, see `request_of`.
        rate: requests a second on average.
        seconds: length of the measurement.
        unmeasured: seconds before it, in which the queues fill.

    Raises:
        TooShort: nothing was answered in that time.
        BenchmarkError: a request failed in another way than by being refused; in the server's words.
    """
    end = unmeasured + seconds
    replies = asyncio.run(_send(url, request, poisson(rate, end)))
    return measure(replies, unmeasured, end)


def measure(replies: Sequence[Reply], begin: float, end: float) -> Measurement:
    """Return what happened between two moments.

    The throughput is of answers that came between them. Latencies and the share of refused requests are of requests
    that were due between them.

    Args:
        replies: what became of every request, in any order.
        begin: in seconds, by the clock of the replies.
        end: by the same.

    Raises:
        TooShort: none of those requests was answered.
    """
    answered = sorted(reply.done - reply.due for reply in replies if begin <= reply.due and not reply.refused)
    refused = sorted(reply.done - reply.due for reply in replies if begin <= reply.due and reply.refused)
    if not answered:
        raise TooShort("no request of the open loop was answered: give --seconds a larger value")
    in_time = sum(1 for reply in replies if not reply.refused and begin <= reply.done < end)
    return Measurement(
        photos_per_second=in_time / (end - begin),
        mean_ms=1000 * sum(answered) / len(answered),
        p50_ms=1000 * percentile(answered, 50),
        p90_ms=1000 * percentile(answered, 90),
        p95_ms=1000 * percentile(answered, 95),
        p99_ms=1000 * percentile(answered, 99),
        refused=len(refused) / (len(refused) + len(answered)),
        refused_p99_ms=1000 * percentile(refused, 99) if refused else None,
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value below or at which `percent` of the sorted `values` lie (nearest rank)."""
    return values[max(0, math.ceil(len(values) * percent / 100) - 1)]


async def _send(url: str, request: bytes, times: Sequence[float]) -> list[Reply]:
    # One connection's flow control would hold requests back that should be under way, as would a shared one.
    options = [
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_send_message_length", -1),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    channels = [grpc.aio.insecure_channel(url, options) for _ in range(_CONNECTIONS)]
    calls = [channel.unary_unary(_METHOD) for channel in channels]
    try:
        connected = asyncio.gather(*(channel.channel_ready() for channel in channels))
        try:
            await asyncio.wait_for(connected, _CONNECT_S)
        except asyncio.TimeoutError:
            raise BenchmarkError(f"no Triton answers gRPC at {url} within {_CONNECT_S:.0f} s") from None
        started = time.perf_counter()

        async def one(number: int, due: float) -> Reply:
            refused = False
            try:
                await calls[number % len(calls)](request, timeout=_DEADLINE_S)
            except grpc.aio.AioRpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise BenchmarkError(f"the server failed a request of the open loop: {error.details()}") from error
                refused = True
            return Reply(due, time.perf_counter() - started, refused)

        under_way: list[asyncio.Task[Reply]] = []
        for number, due in enumerate(times):
            wait = due - (time.perf_counter() - started)
            # Also when late, so that answers are taken off the connections meanwhile.
            await asyncio.sleep(max(0.0, wait))
            under_way.append(asyncio.create_task(one(number, due)))
        return list(await asyncio.gather(*under_way))
    finally:
        await asyncio.gather(*(channel.close() for channel in channels))
