"""The nearest obstacle by sector, from a video or a camera, for slow robots; and what it does when answers are late.

Run it against a server that was started with `make serve`. It needs PyAV: pip install "./client[video]".

    python examples/obstacles.py video.mp4 --sectors 3 --stale 0.5

A camera is named as the system names it: /dev/video0. A video plays at its own speed, as a camera would. A line of
JSON goes to standard output for each frame that was used, sectors from left to right:

    {"frame": 12, "state": "ok", "age_ms": 61, "obstacle": [false, true, false], "metres": [2.9, 0.7, 4.1]}

Only the newest frame is used; those that came meanwhile are dropped. When nothing newer than --stale seconds is known,
a line says "stale", and each sector counts as an obstacle until an answer comes in time. At the end, standard error
gets the age of the answers (from the frame's arrival to its line: p50, p95) and how many frames were dropped.

Metres need a metric network, or --known twice: pixels whose distance never changes, such as the robot's own bumper.
Without them the network's depth gives an order and nothing else: "rank" says which sector is nearest (1), and
"obstacle" is null, for a wall at 5 m and one at 0.5 m may look the same.
"""

import argparse
import io
import json
import queue
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import numpy.typing as npt
from PIL import Image

from midas_client import DepthClient, DepthMap, MetricFitError, MidasClientError, Timeout, VideoReader

Frame = npt.NDArray[np.uint8]


def known_point(text: str) -> tuple[float, float, float]:
    """(x, y, metres) of "300,370,0.25"."""
    try:
        x, y, metres = map(float, text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not X,Y,METRES, such as 300,370,0.25") from None
    return x, y, metres


def live_frames(source: str) -> Iterator[Frame]:
    """Frames, uint8 RGB [H, W, 3], of a camera, or of a video at its own speed."""
    if source.startswith("/dev/"):
        import av  # noqa: PLC0415 - PyAV, which the client's video extra brings

        try:
            with av.open(source, format="v4l2") as camera:
                yield from (frame.to_ndarray(format="rgb24") for frame in camera.decode(video=0))
        except av.FFmpegError as error:
            raise OSError(f"{source} is not a camera that can be read: {error.strerror}") from error
        return
    with VideoReader(source) as video:
        start = time.monotonic()
        for frame in video:
            time.sleep(max(0, start + video.times[-1] - time.monotonic()))
            yield frame


class Watch(threading.Thread):
    """Reads frames and asks for the depth of the newest, again and again; the answers are in `answers`.

    An answer is (the frame's number, when it came, its depth or an error); None is the end. An error with the number
    -1 is the source's.
    """

    def __init__(self, client: DepthClient, source: str, timeout: Timeout) -> None:
        super().__init__(daemon=True)
        self.client, self.source, self.timeout = client, source, timeout
        self.newest: queue.Queue[tuple[int, float, Frame | Exception] | None] = queue.Queue(maxsize=1)
        self.answers: queue.Queue[tuple[int, float, DepthMap | Exception] | None] = queue.Queue()
        self.came = self.dropped = 0

    def run(self) -> None:
        """Start reading, and ask for depth until the source ends."""
        threading.Thread(target=self._read, daemon=True).start()
        while (item := self.newest.get()) is not None:
            number, when, frame = item
            self.answers.put((number, when, frame if isinstance(frame, Exception) else self._depth(frame)))
        self.answers.put(None)

    def _read(self) -> None:
        try:
            for number, frame in enumerate(live_frames(self.source)):
                self.came += 1
                with suppress(queue.Empty):  # the frame before, if nobody has taken it
                    self.newest.get_nowait()
                    self.dropped += 1
                self.newest.put((number, time.monotonic(), frame))
        except (MidasClientError, OSError, ImportError) as error:
            self.newest.put((-1, time.monotonic(), error))
        self.newest.put(None)

    def _depth(self, frame: Frame) -> DepthMap | Exception:
        jpeg = io.BytesIO()
        Image.fromarray(frame).save(jpeg, "JPEG", quality=90)
        try:
            return self.client.predict(jpeg.getvalue(), output_size="network", timeout=self.timeout)
        except MidasClientError as error:
            return error


def sectors_of(depth_map: DepthMap, arguments: argparse.Namespace) -> dict[str, object]:
    """What is nearest in each sector: metres and obstacles where there are metres, ranks where there are none."""
    metric = depth_map.unit == "metres" or arguments.known
    near = -depth_map.to_metric(arguments.known or None).depth if metric else depth_map.depth
    band = near[int(arguments.top * len(near)) : int(arguments.bottom * len(near))]
    # Not the single nearest pixel, which may be a speckle: 2 % of a sector are nearer.
    nearest = np.array(
        [np.percentile(part, 98, method="nearest") for part in np.array_split(band, arguments.sectors, 1)]
    )
    if not metric:
        return {"obstacle": None, "rank": (nearest.argsort()[::-1].argsort() + 1).tolist()}
    obstacle = ~(-nearest >= arguments.stop)  # so that a distance that is not known counts as one
    metres = [round(-float(value), 2) if np.isfinite(value) else None for value in nearest]
    return {"obstacle": obstacle.tolist(), "metres": metres}


def main() -> None:
    parser = argparse.ArgumentParser(description="The nearest obstacle by sector, from a video or a camera.")
    parser.add_argument("source", help="a video file, or a camera such as /dev/video0")
    parser.add_argument("--sectors", type=int, default=3, help="from left to right (%(default)s)")
    parser.add_argument("--stop", type=float, default=1.0, help="metres; nearer is an obstacle (%(default)s)")
    parser.add_argument("--stale", type=float, default=0.5, help="seconds without a newer answer (%(default)s)")
    parser.add_argument("--known", type=known_point, action="append", default=[], metavar="X,Y,METRES",
                        help="a pixel whose distance never changes; two at least")  # fmt: skip
    parser.add_argument("--top", type=float, default=0.2, help="share of the picture above what counts (%(default)s)")
    parser.add_argument("--bottom", type=float, default=0.7, help="where the floor in front begins (%(default)s)")
    parser.add_argument("--url", default="localhost:8001", help="or http://localhost:8000 (default: %(default)s)")
    arguments = parser.parse_args()
    if not (0 <= arguments.top < arguments.bottom <= 1 and 1 <= arguments.sectors <= 64 and 0 < arguments.stale <= 60):
        parser.error("allowed: --top below --bottom, both 0 to 1; --sectors 1 to 64; --stale above 0, at most 60")

    blocked = {"obstacle": [True] * arguments.sectors}
    ages: list[float] = []
    stale_lines, deadline = 0, time.monotonic() + arguments.stale
    # An answer that comes much too late is worth nothing: the newest frame is asked about instead.
    with DepthClient(arguments.url) as client:
        watch = Watch(client, arguments.source, Timeout(total=max(2, 4 * arguments.stale)))
        watch.start()
        while True:
            line: dict[str, object] = {"state": "stale", **blocked}
            try:
                answer = watch.answers.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                deadline = time.monotonic() + arguments.stale  # said again, for as long as it lasts
            else:
                if answer is None:
                    break
                number, came, depth = answer
                if isinstance(depth, Exception):
                    if number < 0 or not ages:  # no camera, or no server: nothing to wait for
                        raise depth
                    line["reason"] = str(depth)
                else:
                    age = time.monotonic() - came
                    ages.append(1000 * age)
                    line |= {"frame": number, "age_ms": round(1000 * age)}
                    deadline = (came if age < arguments.stale else time.monotonic()) + arguments.stale
                    try:
                        line |= {"state": "ok", **sectors_of(depth, arguments)} if age < arguments.stale else {}
                    except MetricFitError as error:  # the known pixels are hidden
                        line["reason"] = str(error)
            stale_lines += line["state"] == "stale"
            print(json.dumps(line), flush=True)
    summary = f"{watch.came} frames, {len(ages)} used, {watch.dropped} dropped; {stale_lines} times stale"
    if ages:
        summary += "; age of the answers: p50 {:.0f} ms, p95 {:.0f} ms".format(*np.percentile(ages, (50, 95)))
    print(summary, file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except (MidasClientError, OSError, ImportError) as error:
        sys.exit(f"obstacles: {error}")
    except KeyboardInterrupt:
        sys.exit("obstacles: interrupted")
