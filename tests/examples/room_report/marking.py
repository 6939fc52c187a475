"""The click tool on a photo, in its own process as a user starts it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def marking(photo: Path) -> Iterator[str]:
    """Its page's address, while it runs."""
    command = [sys.executable, "-m", "room_report.mark", str(photo), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+/", said)
            assert found, said
            yield found[0]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)
