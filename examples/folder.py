"""A folder of photos: many at a time, with a bar, failures reported, and no work done twice.

Run it against a server that was started with `make serve`, and again after an interruption:

    python examples/folder.py photos/ depth/

For each photo in photos/ and its folders it writes a 16-bit grey PNG to depth/ (photos/a/b.jpg becomes
depth/a/b.jpg.png; white is near, or far where the network gives metres). Photos that have one are left out, so a second
run does what is missing. A photo that cannot be used is listed at the end. A server that is gone stops the run: no
later photo would fare better.
"""

import argparse
import sys
from pathlib import Path

from midas_client import DepthClient, InvalidRequestError, MidasClientError, PhotoError, Timeout

ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}


def main() -> str | None:
    """Returns what to say where photos failed."""
    parser = argparse.ArgumentParser(description="Depth of all photos in a folder and its folders.")
    parser.add_argument("photos", type=Path, help="folder of photos")
    parser.add_argument("output", type=Path, help="folder for the depth maps; not inside of the other")
    parser.add_argument("--url", default="localhost:8001", help="or http://localhost:8000 (default: %(default)s)")
    arguments = parser.parse_args()
    source, output = arguments.photos.resolve(), arguments.output.resolve()
    if not source.is_dir():
        parser.error(f"{arguments.photos} is not a folder")
    if output.is_relative_to(source):
        parser.error(f"{arguments.output} lies in {arguments.photos}: a second run would take the maps for photos")

    photos = sorted(path for path in source.rglob("*") if path.suffix.lower() in ENDINGS)
    targets = {photo: output / f"{photo.relative_to(source)}.png" for photo in photos}
    missing = [photo for photo in photos if not targets[photo].exists()]
    print(f"{len(photos)} photos, {len(missing)} to do")

    failed = []
    # 16 photos are under way at a time, each with two minutes for all of its attempts. Few answers are in memory.
    with DepthClient(arguments.url, timeout=Timeout(total=120)) as client:
        for prediction in client.predict_many(missing, concurrency=16, progress=True, format="png16"):
            if isinstance(prediction.error, (PhotoError, InvalidRequestError)):  # this photo's own fault
                failed.append(f"{prediction.photo}: {prediction.error.message}")
                continue
            depth_map = prediction.result()  # raises any other error
            target = targets[prediction.photo]
            target.parent.mkdir(parents=True, exist_ok=True)
            depth_map.save(target)  # the file takes its name when it is complete: one that is there is whole

    return "\n".join([f"folder: {len(failed)} of {len(missing)} photos failed:", *failed]) if failed else None


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (MidasClientError, OSError) as problem:
        sys.exit(f"folder: {problem}\nRun it again to go on.")
    except KeyboardInterrupt:
        sys.exit("folder: interrupted. Run it again to go on.")
