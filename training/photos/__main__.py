"""`python -m training.photos collect|label`: photos under free licences, and a teacher's depth for them."""

import argparse
import sys
from pathlib import Path

from training.photos.collect import collect
from training.photos.label import LabelError, label
from training.photos.packages import PackageError


def main() -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.photos", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    get = commands.add_parser("collect", help="fetch the listed photos and cut them into crops")
    get.add_argument("--out", type=Path, required=True, help="folder for the crops, manifest.csv and licences.md")
    get.add_argument("--packages", type=Path, help="folder of downloaded packages (default OUT/packages)")
    get.add_argument("--per-photo", type=int, default=16, help="crops of a photo of middling size (default 16)")
    get.add_argument("--seed", type=int, default=0)
    teach = commands.add_parser("label", help="write a teacher's inverse depth beside each photo, and pairs.csv")
    teach.add_argument(
        "--teacher",
        type=Path,
        required=True,
        help="an ONNX network: RGB 0..255 [1,3,H,W] -> inverse depth; or earlier weights of midas_tiny_256 (.pt)",
    )
    teach.add_argument("--photos", type=Path, required=True, help="folder of .jpg photos")
    teach.add_argument("--out", type=Path, required=True)
    teach.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    try:
        if options.command == "collect":
            if options.per_photo < 1:
                parser.error("--per-photo must be at least 1")
            print(f"{collect(options.out, options.per_photo, options.seed, options.packages)} crops in {options.out}")
        else:
            print(f"{label(options.teacher, options.photos, options.out, options.threads)} pairs in {options.out}")
    except (PackageError, LabelError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.filename or options.out}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
