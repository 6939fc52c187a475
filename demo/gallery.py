"""Photos through every ensemble of a model repository: `python -m demo.gallery [PHOTO ...]`.

Each network is served alone, one after the other, so that the largest need no more memory than they would by
themselves.
"""

import argparse
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import track
from rich.table import Table

from demo.photos import NoPhotos, find_photos
from demo.picture import side_by_side, stacked
from midas_client import DepthClient, DepthMap, MidasClientError, UntrainedWeightsWarning
from midas_server.launch import CannotRunHere, StartFailed, Triton
from midas_server.repository import weights_of

SECONDS = 300  # for one photo; the largest networks take several on a processor


@dataclass(frozen=True)
class Shown:
    """What one network made of a photo.

    Attributes:
        photo: which.
        model: the network.
        depth: its answer.
        ready_s: seconds until its server was ready.
        answer_s: seconds that the caller waited for the depth.
    """

    photo: Path
    model: str
    depth: DepthMap
    ready_s: float
    answer_s: float


def main() -> int:
    """Send the photos through every ensemble.

    Returns:
        0 if all of them answered, 1 if not, 130 after Ctrl-C.
    """
    arguments = _parser().parse_args()
    console = Console()
    shown: list[Shown] = []
    try:
        photos = find_photos(arguments.photos) if arguments.photos else find_photos([])[-1:]
        models = ensembles(arguments.repository)
        if arguments.trained:
            models = [model for model in models if weights_of(arguments.repository, model) not in (None, "untrained")]
        for model in track(models, "Networks", console=console):
            try:
                shown += _through(arguments.repository, model, photos)
            except (StartFailed, MidasClientError) as error:
                console.print(f"[bold red]{model}:[/] {error}", highlight=False)
    except (NoPhotos, CannotRunHere) as error:
        console.print(f"[bold red]error:[/] {error}", highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("interrupted; Triton is stopped.")
        return 130
    if not models:
        console.print(f"[bold red]error:[/] {arguments.repository} holds no ensemble: run `python -m export all` first")
        return 1
    if shown:
        try:
            _write(shown, arguments.out, console)
        except OSError as error:
            console.print(f"[bold red]error:[/] {arguments.out}: {error.strerror or error}", highlight=False)
            return 1
    return 0 if len(shown) == len(models) * len(photos) else 1


def ensembles(repository: Path) -> list[str]:
    """Names of the depth models in `repository`, in alphabetical order."""
    configs = sorted(repository.glob("*/config.pbtxt"))
    return [config.parent.name for config in configs if 'platform: "ensemble"' in config.read_text()]


def _through(repository: Path, model: str, photos: list[Path]) -> list[Shown]:
    started = time.monotonic()
    with (
        Triton(repository, [model], http_port=0, grpc_port=0, metrics_port=0) as server,
        DepthClient(server.grpc_url, timeout=SECONDS) as client,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", UntrainedWeightsWarning)  # the picture says so
        ready_s = time.monotonic() - started
        shown = []
        for photo in photos:
            asked = time.monotonic()
            depth = client.predict(photo, model=model)
            shown.append(Shown(photo, model, depth, ready_s, time.monotonic() - asked))
        return shown


def _write(shown: list[Shown], out: Path, console: Console) -> None:
    table = Table(box=SIMPLE)
    for column in ("network", "photo", "weights", "input", "ready, s", "answer, s"):
        table.add_column(column, no_wrap=column == "network")
    pictures: list[Image.Image] = []
    for each in shown:
        weights = each.depth.weights[:15]  # of a digest, enough to tell files apart
        remark = "UNTRAINED weights: not real depth" if weights == "untrained" else f"{weights} weights"
        pictures.append(side_by_side(each.photo, each.depth, f"{each.model}, {remark}    {each.answer_s:.2f} s"))
        size = "{}x{}".format(*each.depth.network_size)
        table.add_row(each.model, each.photo.name, weights, size, f"{each.ready_s:.1f}", f"{each.answer_s:.2f}")
    out.mkdir(parents=True, exist_ok=True)
    stacked(pictures).save(out / "gallery.jpg", quality=88)
    console.print(table)
    console.print(f"{out / 'gallery.jpg'} shows them all.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo.gallery", description="Photos through every ensemble.")
    parser.add_argument("photos", nargs="*", type=Path, help="photos or folders of photos (the sample rocket.jpg)")
    parser.add_argument("--trained", action="store_true", help="leave networks without trained weights out")
    parser.add_argument("--repository", type=Path, default=Path("model_repository"), help="(%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="where the picture goes (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
