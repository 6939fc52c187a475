"""One video, in a process of its own with limits: `python -m midas_gateway.jobs.video VIDEO FOLDER WISH`.

It tells each frame as a line of JSON, and an error as one; the work is the client SDK's own command. It ends when its
standard input does, which its worker holds open: a killed worker's video is another worker's.
"""

from __future__ import annotations

import json
import os
import resource
import runpy
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from midas_client import MidasClientError, VideoReader

# A 4K video's decoder with its threads takes some hundred MB.
_MEMORY = 3 << 30
_FILE = 1 << 30
_MOST_PIXELS = 4096 * 2304


def main() -> int:
    """Write the video's depth into the folder. Returns 0, or another number after a line with the error."""
    threading.Thread(target=_end_with_worker, daemon=True).start()
    video, folder, wish = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE, _FILE))
    asked: Mapping[str, Any] = json.loads(wish)
    try:
        _check(Path(video), float(asked["seconds"]))
    except (MidasClientError, MemoryError) as error:
        text = getattr(error, "message", "The video needs too much memory").replace(repr(video), "The file")
        print(json.dumps({"error": text}), flush=True)
        return 1
    sys.argv = ["midas-client", "video", video, *_arguments(Path(folder), asked)]
    runpy.run_module("midas_client", run_name="__main__", alter_sys=True)
    return 0


def _end_with_worker() -> None:
    # Not by sys.stdin, whose lock a thread that still waits would hold at the end.
    os.read(0, 1)
    os._exit(1)


def _check(video: Path, seconds: float) -> None:
    """Raises MidasClientError for a video that is too long or too large."""
    with VideoReader(video) as reader:
        length = (reader.frame_count or 0) / float(reader.fps)
        if length > seconds:
            raise MidasClientError(f"The video is {length:.0f} s long, and at most {seconds:g} s are allowed")
        width, height = reader.size
        if width * height > _MOST_PIXELS:
            raise MidasClientError(f"The video has {width} x {height} pixels, and at most {_MOST_PIXELS:,} are allowed")


def _arguments(folder: Path, asked: Mapping[str, Any]) -> list[str]:
    options: dict[str, Any] = dict(asked.get("options", {}))
    settings = options.pop("settings", {})
    # Numbers, or something to look at.
    numbers = options.pop("format", "color_jpeg") in ("png16", "float16", "float32")
    arguments = ["--url", str(asked["triton"]), "--progress-lines", "--format", "float16"]
    arguments += ["--output", str(folder / ("depth.mkv" if numbers else "depth.mp4"))]
    arguments += ["--depth16"] if numbers else []
    arguments += ["--model", str(asked["model"])] if asked.get("model") else []
    for name in ("resolution", "aspect", "output_size", "filter", *(() if numbers else ("colormap",))):
        if name in options:
            arguments += [f"--{name.replace('_', '-')}", str(options[name])]
    for name, value in settings.items():
        arguments += ["--setting", f"{name}={value}"]
    return arguments


if __name__ == "__main__":
    sys.exit(main())
