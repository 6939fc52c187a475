"""What came of each photo of a run: said at once, and counted."""

from __future__ import annotations

import errno
import sys
import time
from pathlib import Path

from midas_client._cli.outputs import PhotoToFile
from midas_client._cli.report import complain, error_document, print_json, say
from midas_client._depth_map import DepthMap
from midas_client._errors import (
    AccessDeniedError,
    AnswerError,
    ConnectError,
    ConnectionLostError,
    DeadlineExceededError,
    MidasClientError,
    ModelNotFoundError,
    ServerError,
)

_FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class Ledger:
    """The lines of a run.

    Args:
        as_json: one object a line instead of text.
        to_stdout: whether standard output gets a file, so that nothing else may go there.
        one_place: whether all outputs go to one folder: one that cannot be written will not take the others either.
    """

    def __init__(self, *, as_json: bool, to_stdout: bool, one_place: bool) -> None:
        self.bar = False
        self.failures = 0
        self._as_json = as_json
        self._to_stdout = to_stdout
        self._one_place = one_place
        self._written = 0
        self._skipped = 0
        self._answered = False
        self._ended = False
        self._start = time.monotonic()

    def written(self, job: PhotoToFile, depth_map: DepthMap, seconds: float) -> None:
        """A photo's depth is in its file.

        Args:
            job: the photo and its file.
            depth_map: what was written.
            seconds: from reading the photo to its answer, waiting included.
        """
        self._answered = True
        self._written += 1
        output = "-" if job.output is None else str(job.output)
        if self._as_json:
            depth = depth_map.depth
            document = {
                "photo": job.photo,
                "output": output,
                "model": depth_map.model,
                "variant": depth_map.variant,
                "weights": depth_map.weights,
                "photo_size": depth_map.photo_size,
                "network_size": depth_map.network_size,
                "options": dict(depth_map.options),
                # A picture has no depth.
                "range": [float(depth.min()), float(depth.max())] if depth.size else None,
                "milliseconds": dict(depth_map.timings),
                "seconds": round(seconds, 4),
            }
            print_json(document, on_stderr=self._to_stdout)
        elif not (self._to_stdout or (self.bar and sys.stdout.isatty())):
            width, height = _size(depth_map)
            print(
                f"{job.photo} -> {output}  {width} x {height}, {seconds * 1000:.0f} ms, {depth_map.model}", flush=True
            )

    def skipped_if_there(self, job: PhotoToFile) -> bool:
        """Whether the output is there already; then that is what came of the photo."""
        if job.output is None or not job.output.exists():
            return False
        self._skipped += 1
        if self._as_json:
            print_json({"photo": job.photo, "output": str(job.output), "skipped": True})
        return True

    def failed(self, photo: str, error: MidasClientError | OSError, output: Path | None = None) -> bool:
        """A photo failed.

        Args:
            photo: as the command line names it.
            error: of this package, or an OSError from writing.
            output: the file that was written; None for standard output.

        Returns:
            Whether the others would fail in the same way, so that the run is over.

        Raises:
            BrokenPipeError: the error itself, when the reader of standard output has gone.
        """
        self.failures += 1
        if isinstance(error, BrokenPipeError):
            raise error  # the reader of standard output has gone
        # An OSError comes from writing: reading the photo has an error of this package.
        target = "standard output" if output is None else output
        text = str(error) if isinstance(error, MidasClientError) else f"{target} cannot be written: {error.strerror}"
        complain(f"error: {photo}: {text}")
        if self._as_json:
            print_json({"photo": photo, "error": error_document(error, text)}, on_stderr=self._to_stdout)
        self._ended = self._is_the_end(error)
        self._answered |= isinstance(error, ServerError)
        return self._ended

    def close(self, photos: int) -> None:
        """The closing line, for several photos."""
        if photos < 2:
            return
        seconds = time.monotonic() - self._start
        parts = [f"{self._written} written"]
        parts += [f"{self._skipped} skipped"] if self._skipped else []
        parts += [f"{self.failures} failed"] if self.failures else []
        missing = photos - self._written - self._skipped - self.failures
        parts += [f"{missing} not done"] if missing else []
        speed = f", {self._written / seconds:.1f} photos/s" if self._written else ""
        say(f"{photos} photos: {', '.join(parts)}; {seconds:.1f} s{speed}")

    def _is_the_end(self, error: MidasClientError | OSError) -> bool:
        if isinstance(error, (ConnectError, AnswerError, AccessDeniedError, ModelNotFoundError)):
            return True
        if isinstance(error, (ConnectionLostError, DeadlineExceededError)):
            # One photo may be too much for a server, but one that has never answered is not worth more waits.
            return not self._answered
        return isinstance(error, OSError) and (error.errno in _FULL_DISK or (self._one_place and not self._written))


def _size(depth_map: DepthMap) -> tuple[int, int]:
    """(width, height) of what was written."""
    if depth_map.depth.size:
        height, width = depth_map.depth.shape
        return width, height
    return depth_map.network_size if depth_map.options.get("output_size") == "network" else depth_map.photo_size
