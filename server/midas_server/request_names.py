"""What the log calls the requests that a line is about."""

from collections.abc import Iterable
from typing import Any

_LONGEST = 80


def request_names(requests: Iterable[Any]) -> str:
    """The ids that the callers gave, as the beginning of a line of the log; empty where none gave one.

    An id is what a caller likes: quoted, so that it begins no line of its own, and cut where it is long.

    Args:
        requests: as Triton's Python backend hands them on; an ensemble gives its own id to all of its steps.
    """
    ids = [repr(request.request_id()[:_LONGEST]) for request in requests if request.request_id()]
    return f"request {', '.join(ids)}: " if ids else ""
