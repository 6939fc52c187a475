"""Mark a photo by clicks: `python -m room_report.mark photo.jpg` writes photo.marks.json, which room_report reads.

The page is served to this machine alone and loads nothing from elsewhere. Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import socket
import sys
import threading
import webbrowser
from contextlib import suppress
from pathlib import Path

from midas_client import PhotoError


def main() -> int:
    """The command line; returns the exit status."""
    made = argparse.ArgumentParser(prog="python -m room_report.mark", description=__doc__)
    made.add_argument("photo", type=Path, help="a JPEG, PNG or WebP file")
    made.add_argument("--port", type=int, default=0, help="of the page (default: any free one)")
    made.add_argument("--no-browser", action="store_true", help="print the page's address and open nothing")
    options = made.parse_args()
    if not 0 <= options.port <= 65535:
        made.error(f"--port is {options.port}. Allowed: 0 to 65535.")
    try:
        import uvicorn  # noqa: PLC0415 - an extra

        from room_report.mark.app import mark_app  # noqa: PLC0415 - needs that extra
    except ImportError:
        print('error: The page needs packages that are not here: pip install "room-report[mark]"', file=sys.stderr)
        return 1
    try:
        app = mark_app(options.photo)
        listener = socket.create_server(("127.0.0.1", options.port))
    except (PhotoError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    print(f"Mark {options.photo.name} at {address}  (Ctrl-C ends it)", flush=True)
    if not options.no_browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    with suppress(KeyboardInterrupt):  # uvicorn has closed its connections and raises it again
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
