"""Render a data set: `python -m training.scenes --count N --out FOLDER --seed S`."""

import argparse
import sys
from pathlib import Path

from training.scenes.dataset import write_dataset


def main() -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.scenes", description=__doc__)
    parser.add_argument("--count", type=int, required=True, help="number of pictures")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the data set; an interrupted run goes on in it"
    )
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other scenes (default 0)")
    parser.add_argument("--width", type=int, default=352)
    parser.add_argument("--height", type=int, default=288)
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1)")
    options = parser.parse_args()
    if options.count < 1 or options.jobs < 1 or min(options.width, options.height) < 16:
        parser.error("--count and --jobs must be at least 1, --width and --height at least 16")
    try:
        speed = write_dataset(options.out, options.count, options.seed, options.width, options.height, options.jobs)
    except OSError as error:
        print(f"error: {error.filename or options.out}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command goes on with what is there", file=sys.stderr)
        return 130
    print(f"{options.count} pictures in {options.out}, {speed:.1f} a second")
    return 0


if __name__ == "__main__":
    sys.exit(main())
