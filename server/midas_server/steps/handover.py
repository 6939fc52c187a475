"""What preprocess tells postprocess about a request, beside the pixels."""

import json
from dataclasses import dataclass
from typing import Any

from midas_server.options import Options

Size = tuple[int, int]


@dataclass(frozen=True)
class Handover:
    """One request on its way through the ensemble. Sizes are (width, height).

    Attributes:
        variant, weights: which network answers, and where its weights come from.
        photo: the upright photo.
        network: the network's input and output.
        output: the result that was asked for.
        options: all options, resolved.
        preprocess_ms: milliseconds that preprocess took.
        handed_on: `time.monotonic()` when preprocess was done; the clock is the machine's, so that postprocess,
            another process, can tell from it how long the network and the queues around it took.
    """

    variant: str
    weights: str
    photo: Size
    network: Size
    output: Size
    options: Options
    preprocess_ms: float
    handed_on: float

    def to_json(self) -> bytes:
        # not asdict, which copies everything and made this four times as long
        return json.dumps({**vars(self), "options": vars(self.options)}).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Handover":
        fields: dict[str, Any] = json.loads(text)
        for size in ("photo", "network", "output"):
            fields[size] = tuple(fields[size])
        fields["options"] = Options(**fields["options"])
        return cls(**fields)
