"""What preprocess tells postprocess about a request, beside the pixels."""

import json
from dataclasses import dataclass
from typing import Any

from midas_server.options import ResolvedOptions
from midas_server.pipeline import Task


@dataclass(frozen=True, kw_only=True)
class Handover(Task):
    """A task on its way through the ensemble.

    Attributes:
        weights: where the network's weights come from.
        licence: of the official weights; None for a network of the user's own.
        preprocess_ms: milliseconds that preprocess took.
        handed_on: `time.monotonic()` when preprocess was done; the clock is the machine's, so that postprocess,
            another process, can tell from it how long the network and the queues around it took.
    """

    weights: str
    licence: str | None
    preprocess_ms: float
    handed_on: float

    def to_json(self) -> bytes:
        """What travels in the tensor REQUEST."""
        # not asdict, which copies everything and made this four times as long
        return json.dumps({**vars(self), "options": vars(self.options)}).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Handover":
        """The handover that `to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        for size in ("photo", "network", "output"):
            fields[size] = tuple(fields[size])
        fields["options"] = ResolvedOptions(**fields["options"])
        return cls(**fields)
