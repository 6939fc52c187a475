"""A video: fog that hides what is far away, from depth that does not flicker.

Run it against a server that was started with `make serve`. It needs PyAV: pip install "./client[video]".

    python examples/video.py video.mp4 fog.mp4

It writes fog.mp4 (H.264, with the size and the frame times of the other): what is near stays, what is far is fog.
"""

import argparse
import itertools
import sys

import numpy as np

from midas_client import DepthClient, MidasClientError, VideoReader, VideoWriter

FOG = np.array([225, 228, 232])  # RGB


def main() -> str | None:
    """Returns what to say where the video is damaged."""
    parser = argparse.ArgumentParser(description="Puts fog into a video, the thicker the farther.")
    parser.add_argument("video", help="a video file")
    parser.add_argument("output", help="a name that ends in .mp4 or .mkv")
    parser.add_argument("--url", default="localhost:8001", help="or http://localhost:8000 (default: %(default)s)")
    arguments = parser.parse_args()

    with (
        DepthClient(arguments.url) as client,
        VideoReader(arguments.video) as video,
        VideoWriter(arguments.output, video.fps) as film,
    ):
        # Each frame is used twice: it is sent, and it meets its depth. Only the frames between the two are in memory.
        sent, kept = itertools.tee(video)
        maps = client.predict_video(sent, smoothing=0.9)
        limits = None
        for index, (frame, depth_map) in enumerate(zip(kept, maps, strict=True)):
            # float32 [H, W], larger is nearer; metres, which a metric network gives, are turned round
            depth = -depth_map.depth if depth_map.unit == "metres" else depth_map.depth
            # A range that moves slowly: with a range of its own for each frame, the fog would come and go.
            now = np.percentile(depth[::4, ::4], (2, 98))
            limits = now if limits is None else 0.95 * limits + 0.05 * now
            near = ((depth - limits[0]) / max(limits[1] - limits[0], 1e-6)).clip(0, 1)[..., np.newaxis]
            film.write((near * frame + (1 - near) * FOG).astype(np.uint8), time=video.times[index])
    print(f"{arguments.output}: {film.frame_count} frames")
    return f"video: {arguments.video} is damaged: {video.damage}" if video.damage else None


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (MidasClientError, OSError) as error:
        sys.exit(f"video: {error}")
    except KeyboardInterrupt:
        sys.exit("video: interrupted; no video was written")
