"""The settings with which a peer does best on this machine."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from benchmarks.peers.catalogue import Peer, PeerSettings
from benchmarks.peers.comparison import compare, summary
from benchmarks.peers.service import ComparedNetwork, served_by

CLIENTS = (8, 32)


@dataclass(frozen=True)
class Trial:
    """A peer with some settings, at each of `CLIENTS`."""

    settings: PeerSettings
    photos_per_second: tuple[float, ...]
    p99_ms: tuple[float, ...]
    lost: int
    cores: tuple[float, ...]

    @property
    def worth(self) -> tuple[int, float]:
        """The higher the better: few requests lost, then throughput at its weaker number of clients."""
        return -self.lost, min(self.photos_per_second)


def tune(
    peer: Peer,
    network: ComparedNetwork,
    photo: bytes,
    shape: tuple[int, int],
    *,
    seconds: float,
    rounds: int,
    announce: Callable[[str], None],
) -> list[Trial]:
    """Measure all settings of a peer's grid in turn; return them, the best one first."""
    services = {
        settings: replace(served_by(peer, settings, network, photo, shape), name=f"{peer.name} ({settings})")
        for settings in dict.fromkeys(peer.grid)
    }
    measured = list(
        compare(list(services.values()), clients=CLIENTS, rounds=rounds, seconds=seconds, announce=announce)
    )
    trials = []
    for settings, service in services.items():
        at = [summary(measured, service, count) for count in CLIENTS]
        trials.append(
            Trial(
                settings,
                photos_per_second=tuple(each.photos_per_second for each in at),
                p99_ms=tuple(each.p99_ms for each in at),
                lost=sum(each.lost for each in at),
                cores=tuple(each.cores for each in at),
            )
        )
    return sorted(trials, key=lambda trial: trial.worth, reverse=True)
