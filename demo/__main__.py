"""Starts Triton, sends photos through the client, writes depth maps and pictures, and says what it did."""

import argparse
import sys
import time
import warnings
from pathlib import Path

from PIL import Image
from rich.box import SIMPLE
from rich.console import Console
from rich.panel import Panel
from rich.progress import track
from rich.table import Table

from demo.photos import NoPhotos, find_photos
from demo.picture import side_by_side, stacked
from midas_client import DepthClient, DepthMap, MidasClientError, UntrainedWeightsWarning
from midas_server.launch import CannotRunHere, StartFailed, Triton
from midas_server.served_names import network_named


def main() -> int:
    """Run the demo.

    Returns:
        0 if every photo has its depth map, 1 if not, 130 after Ctrl-C.
    """
    arguments = _parser().parse_args()
    console = Console()
    model = network_named(arguments.model)
    try:
        photos = find_photos(arguments.photos)
        started = time.monotonic()
        with (
            console.status(f"Starting Triton with {model} ..."),
            Triton(arguments.repository, [model], http_port=0, grpc_port=0, metrics_port=0) as server,
        ):
            console.print(f"Triton was ready after {time.monotonic() - started:.1f} s (gRPC on {server.grpc_url}).")
            results = _predict_all(server.grpc_url, model, photos, console)
    except (NoPhotos, CannotRunHere, StartFailed) as error:
        console.print(f"[bold red]error:[/] {error}", highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("interrupted; Triton is stopped.")
        return 130
    console.print("Triton is stopped.")
    if results:
        try:
            _write(results, arguments.out, model, console)
        except OSError as error:
            console.print(f"[bold red]error:[/] {arguments.out}: {error.strerror or error}", highlight=False)
            return 1
    return 0 if len(results) == len(photos) else 1


def _predict_all(url: str, model: str, photos: list[Path], console: Console) -> list[tuple[Path, DepthMap, float]]:
    """Every photo that could be served, with its depth map and the seconds that the caller waited."""
    results = []
    with DepthClient(url) as client, warnings.catch_warnings():
        warnings.simplefilter("ignore", UntrainedWeightsWarning)  # said once, below, and louder
        for photo in track(photos, "Photos", console=console):
            started = time.monotonic()
            try:
                depth = client.predict(photo, model=model)
            except MidasClientError as error:
                console.print(f"[bold red]{photo.name}:[/] {error}", highlight=False)
            else:
                results.append((photo, depth, time.monotonic() - started))
    return results


def _write(results: list[tuple[Path, DepthMap, float]], out: Path, model: str, console: Console) -> None:
    out.mkdir(parents=True, exist_ok=True)
    weights = results[0][1].weights[:15]  # of a digest, enough to tell files apart
    remark = "UNTRAINED weights: not real depth" if weights == "untrained" else f"{weights} weights"
    table = Table(title="Milliseconds by step, and until the caller had the depth", box=SIMPLE, padding=(0, 1, 0, 0))
    for column in ("photo", "size", "input", *results[0][1].timings, "in all"):
        table.add_column(column, overflow="fold")
    pictures: list[Image.Image] = []
    for photo, depth, seconds in results:
        depth.save(out / f"{photo.stem}_depth.png")
        caption = f"{photo.name}    {model}, {remark}    {seconds * 1000:.0f} ms    bright is near"
        pictures.append(side_by_side(photo, depth, caption))
        pictures[-1].save(out / f"{photo.stem}_side_by_side.png")
        table.add_row(
            photo.name,
            "{}x{}".format(*depth.photo_size),
            "{}x{}".format(*depth.network_size),
            *(f"{milliseconds:.1f}" for milliseconds in depth.timings.values()),
            f"{seconds * 1000:.1f}",
        )
    stacked(pictures).save(out / "overview.png")
    console.print(table)
    if weights == "untrained":
        console.print(
            Panel(
                f"{model} has UNTRAINED weights: these pictures show that the way works, the depth means nothing.\n"
                f"Put the official {model}.pt into weights/ and run this again for real depth.",
                border_style="bold red",
                expand=False,
            )
        )
    else:
        console.print(f"Weights: {weights}.")
    console.print(f"{len(results)} depth maps and their pictures are in {out}/; look at {out / 'overview.png'} first.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="demo", description="Photos to depth maps through a real Triton.")
    parser.add_argument("photos", nargs="*", type=Path, help="photos or folders of photos (four samples)")
    parser.add_argument("--model", required=True, help="a depth model in the repository; or small, medium, large")
    parser.add_argument("--repository", type=Path, default=Path("model_repository"), help="(%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="where the pictures go (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
