"""Several Tritons behind Envoy: started together, replaced when one ends, restarted in turn, stopped in order."""

import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.scale.configuration import Edge, rendered
from deploy.scale.processes import Envoy, Member

TICK = 0.1
# A launcher ends within its drain, Triton's exit timeout, and a few seconds.
STOP_PATIENCE = 60.0
ANSWER_PATIENCE = 75.0

log = logging.getLogger("scale")


class FleetFailed(RuntimeError):  # noqa: N818
    """It does not start; the text says why."""


class Fleet:
    """The processes and their order.

    Args:
        edge: where Envoy listens.
        envoy: its program.
        members: the Tritons.
        canaries: the second set.
        canary_percent: its share of the photos.
        folder: for Envoy's configuration, which may hold keys: nobody else reads it.
        start_timeout: seconds in which Tritons must be ready.
    """

    def __init__(
        self,
        edge: Edge,
        envoy: str,
        members: Sequence[Member],
        canaries: Sequence[Member],
        canary_percent: int,
        folder: Path,
        start_timeout: float = 300,
    ) -> None:
        self._members = list(members)
        self._canaries = list(canaries)
        self._start_timeout = start_timeout
        config = folder / "envoy.json"
        config.touch(mode=0o600)
        addresses, second = ([each.addresses for each in some] for some in (members, canaries))
        config.write_text(json.dumps(rendered(edge, addresses, second, canary_percent), indent=1))
        self._envoy = Envoy(envoy, config, edge.admin)

    def start(self) -> None:
        """Return when every Triton is ready and gets photos.

        Raises:
            FleetFailed: Envoy refuses its configuration, or a Triton or Envoy ended before it was ready.
        """
        wrong = self._envoy.validate()
        if wrong:
            raise FleetFailed(f"Envoy does not take its configuration: {wrong}")
        for each in self._all():
            each.start()
        self._envoy.start()
        deadline = time.monotonic() + self._start_timeout
        while not all(map(self._gets_photos, self._all())):
            for each in self._all():
                if each.status is not None:
                    raise FleetFailed(f"{each.name} did not start: it says why above")
            if self._envoy.status is not None:
                raise FleetFailed(f"Envoy ended with status {self._envoy.status}: it says why above")
            if time.monotonic() > deadline:
                raise FleetFailed(f"not every Triton is ready after {self._start_timeout:g} s")
            time.sleep(TICK)

    def tend(self) -> None:
        """Start again what has ended."""
        processes: list[Member | Envoy] = [*self._all(), self._envoy]
        for each in processes:
            said = each.tend()
            if said:
                log.warning("%s", said)

    def restart(self) -> None:
        """Restart the Tritons one after the other, each when all get photos again."""
        for each in self._all():
            log.info("%s stops, and is started again", each.name)
            if not self._restart(each):
                log.error(
                    "not all Tritons are ready after the restart of %s: the others are left as they are", each.name
                )
                return
        log.info("all Tritons were restarted")

    def stop(self) -> None:
        """Envoy takes no more and answers what it has; then all end."""
        self._envoy.drain(ANSWER_PATIENCE)
        self._envoy.stop()
        for each in self._all():
            each.ask_to_stop()
        for each in self._all():
            each.stop(STOP_PATIENCE)

    def _all(self) -> list[Member]:
        return [*self._members, *self._canaries]

    def _gets_photos(self, member: Member) -> bool:
        cluster = "canary_" if member in self._canaries else ""
        ports = {"grpc": member.ports.grpc, "http": member.ports.http}
        return all(port in self._envoy.healthy(f"{cluster}{protocol}") for protocol, port in ports.items())

    def _restart(self, member: Member) -> bool:
        """Restart one, and tend all meanwhile; whether all get photos again."""
        starts = member.starts
        deadline = time.monotonic() + self._start_timeout
        member.ask_to_stop()
        while time.monotonic() < deadline and member.starts < starts + 2:
            self.tend()
            if member.starts > starts and all(map(self._gets_photos, self._all())):
                return True
            time.sleep(TICK)
        return False
