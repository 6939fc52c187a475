"""`python -m demo.filters`: what each filter and each equalisation makes of the same photos, as one picture.

It starts Triton, asks the server for the pictures, and writes `docs/postprocessing.jpg`.
"""

import argparse
import io
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from demo.photos import NoPhotos, find_photos
from demo.picture import CAPTION, GAP, INK, PAPER, stacked, upright
from midas_client import DepthClient, Equalize, Filter, MidasClientError, UntrainedWeightsWarning
from midas_server.launch import CannotRunHere, StartFailed, Triton

PANEL = (480, 320)
PER_ROW = 4
CASES: tuple[tuple[str, Filter, Equalize], ...] = (
    ("none", "none", "none"),
    ("filter=guided", "guided", "none"),
    ("filter=crf", "crf", "none"),
    ("filter=median, size 5", "median", "none"),
    ("filter=bilateral", "bilateral", "none"),
    ("equalize=global", "none", "global"),
    ("equalize=clahe", "none", "clahe"),
)


def main() -> int:
    """Make the picture; returns the exit status: 0, 1 if it cannot be made, 130 after Ctrl-C."""
    arguments = _parser().parse_args()
    try:
        photos = find_photos(arguments.photos)
        with (
            Triton(arguments.repository, [arguments.model], http_port=0, grpc_port=0, metrics_port=0) as server,
            DepthClient(server.grpc_url) as client,
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore", UntrainedWeightsWarning)
            sheets = [_sheet(photo, client, arguments.model) for photo in photos]
    except (NoPhotos, CannotRunHere, StartFailed, MidasClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; Triton is stopped.", file=sys.stderr)
        return 130
    try:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        stacked(sheets).save(arguments.out, quality=82)
    except OSError as error:
        print(f"error: {arguments.out}: {error.strerror or error}", file=sys.stderr)
        return 1
    print(f"Written: {arguments.out}")
    return 0


def _sheet(photo: Path, client: DepthClient, model: str) -> Image.Image:
    """One photo and its depth in every way, `PER_ROW` panels in a row."""
    panels = [("photo", upright(photo))]
    for title, filter, equalize in CASES:
        settings = {"median_size": 5} if filter == "median" else None
        answer = client.predict(
            photo, model=model, format="color_png", filter=filter, equalize=equalize, settings=settings
        )
        panels.append((title, Image.open(io.BytesIO(answer.encoded)).convert("RGB")))
    return _grid(panels)


def _grid(panels: Sequence[tuple[str, Image.Image]]) -> Image.Image:
    rows = -(-len(panels) // PER_ROW)
    across, down = PANEL[0] + GAP, PANEL[1] + CAPTION
    sheet = Image.new("RGB", (PER_ROW * across + GAP, rows * down + GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, (title, panel) in enumerate(panels):
        x, y = GAP + number % PER_ROW * across, GAP + number // PER_ROW * down
        fitted = ImageOps.fit(panel, PANEL, Image.Resampling.LANCZOS)
        sheet.paste(fitted, (x, y))
        draw.text((x, y + PANEL[1] + 4), title, fill=INK, font=ImageFont.load_default(size=16))
    return sheet


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="demo.filters", description="Every filter on the same photos, as one picture."
    )
    parser.add_argument("photos", nargs="*", type=Path, help="photos or folders of photos (four samples)")
    parser.add_argument("--model", default="midas_tiny_256", help="a depth model in the repository (%(default)s)")
    parser.add_argument("--repository", type=Path, default=Path("model_repository"), help="(%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("docs/postprocessing.jpg"), help="(%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
