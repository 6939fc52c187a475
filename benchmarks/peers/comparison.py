"""Services under the same load in turn, several rounds of it, and the figures of all rounds together."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.errors import BenchmarkError
from benchmarks.load.http_clients import Load, drive
from benchmarks.peers.service import Depth, Service, difference

WARM_UP_S = 2.0

MOST_DIFFERENCE = 0.02
"""How far a service's depth may be from the first one's: mean absolute difference over the range.

Ours decodes a large JPEG at half its size, the peers in full, and int8 and bf16 round: that is up to 1 %. Another
resize rule, swapped colours, other weights or another normalisation make 5 % and more.
"""


@dataclass(frozen=True)
class Measured:
    """One service at one number of clients in one round; `cores` is what its processes took of the processor."""

    service: Service
    round: int
    clients: int
    load: Load
    cores: float
    difference: float


def compare(
    services: Sequence[Service],
    *,
    clients: Sequence[int],
    rounds: int,
    seconds: float,
    announce: Callable[[str], None],
) -> Iterator[Measured]:
    """Measure every service in turn, round after round, each time started anew, and yield each measurement.

    Each round begins with another service, so that none always follows the same one.

    Args:
        services: what is compared; the first one's answer is what the others' are held against.
        clients: requests under way at a time.
        rounds: how many times everything is measured.
        seconds: length of one measurement.
        announce: is told what is about to be measured.

    Raises:
        BenchmarkError: a service does not come up, or its depth is too far from the first one's.
    """
    reference: Depth | None = None
    for number in range(1, rounds + 1):
        first = (number - 1) % len(services)
        for service in (*services[first:], *services[:first]):
            announce(f"round {number}, {service.label}: starting")
            with service.start() as started:
                if reference is None:
                    reference = started.depth
                apart = difference(started.depth, reference)
                if apart > MOST_DIFFERENCE:
                    raise BenchmarkError(
                        f"{service.label} gives another depth than {services[0].label}: {100 * apart:.1f} % of its "
                        f"range apart on average, at most {100 * MOST_DIFFERENCE:.0f} % is rounding: it is not "
                        "measured"
                    )
                for count in clients:
                    announce(f"round {number}, {service.label}, {count} at a time")
                    taken: list[float] = []
                    load = drive(
                        started.request,
                        clients=count,
                        seconds=seconds,
                        warm_up=WARM_UP_S,
                        watch=lambda taken=taken, started=started: taken.append(  # type: ignore[misc]
                            started.cpu_seconds()
                        ),
                    )
                    yield Measured(service, number, count, load, (taken[1] - taken[0]) / seconds, apart)


@dataclass(frozen=True)
class Summary:
    """A service at one number of clients: medians over the rounds, and what was lost in all of them."""

    service: Service
    clients: int
    photos_per_second: float
    p50_ms: float
    p99_ms: float
    answered: int
    lost: int
    refused: int
    cores: float
    difference: float


def summary(measured: Sequence[Measured], service: Service, clients: int) -> Summary:
    """Return what all rounds say of a service at a number of clients.

    Raises:
        ValueError: it was not measured.
    """
    of = [each for each in measured if each.service is service and each.clients == clients]
    if not of:
        raise ValueError(f"{service.label} was not measured with {clients} clients")
    return Summary(
        service,
        clients,
        photos_per_second=median(each.load.photos_per_second for each in of),
        p50_ms=median(each.load.p50_ms for each in of),
        p99_ms=median(each.load.p99_ms for each in of),
        answered=sum(each.load.answered for each in of),
        lost=sum(each.load.lost for each in of),
        refused=sum(each.load.refused for each in of),
        cores=median(each.cores for each in of),
        difference=max(each.difference for each in of),
    )


def ratio(measured: Sequence[Measured], ours: Service, peer: Service, clients: int) -> float:
    """Return how many times as many photos a second `ours` answers as `peer`: the median of the rounds' ratios."""
    throughput = {
        (each.service.label, each.round): each.load.photos_per_second for each in measured if each.clients == clients
    }
    rounds = sorted({number for _, number in throughput})
    return median(
        throughput[ours.label, number] / throughput[peer.label, number]
        if throughput[peer.label, number]
        else float("inf")
        for number in rounds
        if (ours.label, number) in throughput and (peer.label, number) in throughput
    )
