"""Measure the room in photos, and write a report of what fits: `python -m room_report photo.jpg --door ...`.

It needs a depth server (`make serve` in the project). Points are pixels from the left and the top of the upright photo;
photo.marks.json beside photo.jpg, a file of what was marked, is read, too.
With several photos, put the name of the photo before its points: --door hall.jpg:410,120,560,131,556,468,408,455.
Without anything of known size a network of relative depth gives no metres, and the report says so.

The exit status is 0 if every photo is in the report with its measures, 1 if not, and 2 if it was called wrongly.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import SQLAlchemyError

from midas_client import DepthClient, MidasClientError, PhotoError
from room_report.album import Placed, Shot, agreed, judge_all, take
from room_report.catalogue import EXAMPLE, Catalogue
from room_report.depth import EXACT, Trust
from room_report.errors import CommandError, RoomReportError
from room_report.floor import SKIRTING
from room_report.marks import Asked, MarkedDistance, MarkedLength, MarkedRectangle, Marks, beside, read_marks
from room_report.page import make_report
from room_report.paper import pdf
from room_report.passage import Way
from room_report.references import KNOWN_SIZES
from room_report.regions import beside as regions_beside
from room_report.results import Results, measures_csv, products_csv, settings_of
from room_report.verdicts import WALKWAY, Clearances
from room_report.words import LANGUAGES, Words

Numbers = tuple[float, ...]


def numbers(count: int) -> Callable[[str], Numbers]:
    """A parser of that many numbers with commas between them."""

    def parse(text: str) -> Numbers:
        try:
            found = tuple(float(part) for part in text.split(","))
        except ValueError:
            found = ()
        if len(found) != count:
            raise argparse.ArgumentTypeError(f"{text!r} is not {count} numbers with commas between them")
        return found

    return parse


def in_photo(count: int) -> Callable[[str], tuple[str, Numbers]]:
    """A parser of that many numbers, with a photo's name and a colon before them if need be."""

    def parse(text: str) -> tuple[str, Numbers]:
        name, _, rest = text.rpartition(":")
        return name, numbers(count)(rest)

    return parse


def in_photo_file(text: str) -> tuple[str, Path]:
    """A file, with a photo's name and a colon before it if need be."""
    name, _, rest = text.rpartition(":")
    return name, Path(rest)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m room_report", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("photos", type=Path, nargs="+", help="JPEG, PNG or WebP files of one room")
    known = made.add_argument_group("what is known of the room (one or more; PHOTO: is needed with several photos)")
    known.add_argument("--marks", type=Path, action="append", default=[], metavar="FILE",
                       help="what was marked in a photo (default: photo.marks.json beside photo.jpg, if it is there)")  # fmt: skip  # noqa: E501
    known.add_argument("--door", type=in_photo(8), action="append", default=[], metavar="[PHOTO:]X1,Y1,...,X4,Y4",
                       help="corners of a door: top left, top right, bottom right, bottom left")  # fmt: skip
    known.add_argument("--door-size", type=numbers(2), default=(0.86, 2.01), metavar="WIDTH,HEIGHT",
                       help="its leaf in metres (default 0.86,2.01: measure yours)")  # fmt: skip
    known.add_argument("--door-tolerance", type=float, default=0.01, metavar="METRES", help="± (default %(default)s)")
    known.add_argument("--sheet", type=in_photo(8), action="append", default=[], metavar="[PHOTO:]X1,Y1,...,X4,Y4",
                       help="corners of a sheet or card that lies or hangs in the room")  # fmt: skip
    known.add_argument("--sheet-size", choices=sorted(KNOWN_SIZES), default="a4")
    known.add_argument("--distance", type=in_photo(3), action="append", default=[], metavar="[PHOTO:]X,Y,METRES",
                       help="how far a point is from the camera")  # fmt: skip
    known.add_argument("--length", type=in_photo(5), action="append", default=[], metavar="[PHOTO:]X1,Y1,X2,Y2,METRES",
                       help="the length between two points")  # fmt: skip
    known.add_argument("--camera-height", type=in_photo(1), action="append", default=[], metavar="[PHOTO:]METRES",
                       help="of the camera above the floor")  # fmt: skip
    made.add_argument("--depth", type=in_photo_file, action="append", default=[], metavar="[PHOTO:]FILE",
                      help="the photo's depth instead of the server's: .npy in metres, or a 16-bit PNG in millimetres")  # fmt: skip  # noqa: E501
    made.add_argument("--depth-error", type=float, metavar="SHARE", help="standard deviation of that depth as a share "
                      "of it: 0.02 is 2 %% (default: it is taken as right)")  # fmt: skip
    made.add_argument("--regions", type=in_photo_file, action="append", default=[], metavar="[PHOTO:]FILE",
                      help="labelled boxes and masks (default: photo.regions.json beside photo.jpg, if it is there)")  # fmt: skip  # noqa: E501
    made.add_argument("--fov", type=float, help="degrees across the photos' width; else from EXIF, else assumed")
    made.add_argument("--measure", type=in_photo(4), action="append", default=[], metavar="[PHOTO:]X1,Y1,X2,Y2",
                      help="also measure between these two points")  # fmt: skip
    shop = made.add_argument_group("products")
    shop.add_argument("--catalogue", default=str(EXAMPLE), help="CSV file, or the URL of a database (default: an "
                      "example of invented furniture)")  # fmt: skip
    shop.add_argument("--kind", help="only products of that kind, such as sofa")
    shop.add_argument("--piece", metavar="NUMBER", help="the product that the report is about (default: the largest "
                      "that fits for sure)")  # fmt: skip
    shop.add_argument("--walkway", action="store_true", help=f"leave {WALKWAY} m before each piece to walk past")
    shop.add_argument("--entrance", type=numbers(2), metavar="WIDTH,HEIGHT", help="of the door that it comes in by")
    report = made.add_argument_group("report")
    report.add_argument("--out", type=Path, default=Path("out/room_report"), metavar="FOLDER",
                        help="for report.html, report.json, measures.csv and products.csv (default %(default)s)")  # fmt: skip  # noqa: E501
    report.add_argument("--pdf", action="store_true", help="also report.pdf; needs WeasyPrint")
    report.add_argument("--language", choices=LANGUAGES, default="en")
    made.add_argument("--url", default="localhost:8001", help="of the depth server (default %(default)s)")
    made.add_argument("--model", default="default", help="of that server")
    return made


def marks_of(photo: Path, options: argparse.Namespace) -> Marks:
    """All that is marked in a photo: in files, and on the command line.

    Raises:
        BadReferenceError: a file is not one of marks.
        CommandError: the command line names no photo, and there are several.
    """
    files = [file for file in options.marks if len(options.photos) == 1 or read_marks(file).photo == photo.name]
    if not options.marks and beside(photo).is_file():
        files = [beside(photo)]
    marks = Marks(photo=photo.name)
    for file in files:
        found = read_marks(file)
        marks = marks.joined(found).model_copy(update={"size": found.size})

    said = partial(about, photo, options)
    width, height = options.door_size
    sheet = KNOWN_SIZES[options.sheet_size]
    return marks.joined(
        Marks(
            rectangles=[
                *(MarkedRectangle(corners=_points(each), width=width, height=height, tolerance=options.door_tolerance)
                  for each in said(options.door)),
                *(MarkedRectangle(kind="sheet", corners=_points(each), width=sheet[0], height=sheet[1],
                                  tolerance=sheet[2]) for each in said(options.sheet)),
            ],
            lengths=[MarkedLength(start=(a, b), end=(c, d), metres=metres)
                     for a, b, c, d, metres in said(options.length)],
            distances=[MarkedDistance(point=(x, y), metres=metres) for x, y, metres in said(options.distance)],
            camera_height=next((metres for (metres,) in said(options.camera_height)), None),
            measure=[Asked(start=(a, b), end=(c, d)) for a, b, c, d in said(options.measure)],
        )
    )  # fmt: skip


def about(photo: Path, options: argparse.Namespace, values: list[tuple[str, Any]]) -> list[Any]:
    """What is said of a photo among what is said of any.

    Raises:
        CommandError: something does not say of which, and there are several.
    """
    if len(options.photos) > 1 and any(not name for name, _ in values):
        raise CommandError(
            f"There are {len(options.photos)} photos, and some points or files do not say of which one they are. Put "
            f"its name before them, such as {photo.name}:410,120,..."
        )
    return [each for name, each in values if name in ("", photo.name)]


def _points(flat: Numbers) -> Any:
    return tuple(zip(flat[::2], flat[1::2], strict=True))


def check_names(options: argparse.Namespace) -> None:
    """Refuse photos of one name, and points in a photo that is not there.

    Raises:
        CommandError: with the name.
    """
    names = [photo.name for photo in options.photos]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise CommandError(f"Two photos are called {twice}. Give each another name.")
    told = (
        options.door,
        options.sheet,
        options.distance,
        options.length,
        options.camera_height,
        options.measure,
        options.depth,
        options.regions,
    )
    for name in (name for values in told for name, _ in values if name):
        if name not in names:
            raise CommandError(f"Something is said of {name}, which is not among the photos: {', '.join(names)}.")
    for file in options.marks:
        if len(names) > 1 and read_marks(file).photo not in names:
            raise CommandError(
                f"{file} has the marks of {read_marks(file).photo or 'no photo'}, which is not among the photos: "
                f"{', '.join(names)}."
            )


def trust_of(error: float | None) -> Trust:
    """How far a file's depth can be relied on, by its standard deviation as a share of it.

    Raises:
        CommandError: the share is not 0 to 1.
    """
    if error is None:
        return EXACT
    if not 0 <= error < 1:
        raise CommandError(f"--depth-error {error:g} is not 0 or more and below 1. Give a share: 0.02 is 2 %.")
    return Trust(max(error, EXACT.relative), max(error, EXACT.angle), {"distance": error})


def catalogue_of(text: str) -> Catalogue:
    """A CSV file or the URL of a database."""
    return Catalogue.at(text) if "://" in text else Catalogue.from_csv(Path(text))


def main() -> int:
    """The command line; returns the exit status."""
    made = parser()
    options = made.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        check_names(options)
        return run(options, console, errors)
    except CommandError as error:
        made.error(str(error))
    except (RoomReportError, MidasClientError, OSError, SQLAlchemyError) as error:
        errors.print(f"[bold red]error:[/] {escape(one_sentence(error))}")
        return 1
    except KeyboardInterrupt:
        errors.print("interrupted")
        return 130


def run(options: argparse.Namespace, console: Console, errors: Console) -> int:
    """Measure, judge and write; returns the exit status."""
    words = Words(options.language)
    products = catalogue_of(options.catalogue).find(options.kind)
    if options.piece and options.piece not in {product.number for product in products}:
        raise CommandError(f"The catalogue has no product {options.piece}" +
                           (f" of the kind {options.kind}." if options.kind else "."))  # fmt: skip
    marks = {photo: marks_of(photo, options) for photo in options.photos}
    if options.depth_error is not None and not options.depth:
        raise CommandError("--depth-error is about files of depth. Give one with --depth, or leave it out.")
    trust = trust_of(options.depth_error)
    shots: list[Shot] = []
    left_out: list[tuple[str, str]] = []
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as progress, DepthClient(options.url) as client:
        task = progress.add_task("")
        for number, photo in enumerate(options.photos, 1):
            progress.update(task, description=f"measuring {escape(photo.name)} ({number} of {len(options.photos)})")
            try:
                depth = next(iter(about(photo, options, options.depth)), None)
                regions = next(iter(about(photo, options, options.regions)), None)
                if regions is None and regions_beside(photo).is_file():
                    regions = regions_beside(photo)
                shots.append(take(photo, marks[photo], client, options.model, regions=regions, depth_file=depth,
                                  depth_trust=trust, view=options.fov))  # fmt: skip
            except (RoomReportError, PhotoError) as error:
                left_out.append((photo.name, words.refusal(error)))
                errors.print(f"[bold red]error:[/] {escape(photo.name)}: {escape(words.refusal(error))}")
        if not shots:
            return 1
        progress.update(task, description=f"judging {len(products)} pieces")
        clearances = Clearances(front=WALKWAY if options.walkway else 0.0)
        shots, differing = agreed(shots)
        placed = judge_all(shots, products, clearances, Way(door=options.entrance))
        progress.update(task, description="writing the report")
        report = make_report(
            shots, placed, language=options.language, differing=differing, left_out=left_out, piece=options.piece,
            catalogue=EXAMPLE.name if options.catalogue == str(EXAMPLE) else catalogue_name(options.catalogue),
            invented=options.catalogue == str(EXAMPLE),
            settings=settings_of(clearances, options.entrance, SKIRTING, words),
        )  # fmt: skip
        files: dict[str, bytes] = {"report.html": report.html.encode(), **tables(report.results)}
        if options.pdf:
            progress.update(task, description="printing the PDF")
            files["report.pdf"] = pdf(report.html)
        options.out.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (options.out / name).write_bytes(data)
    tell(report.results, placed, words, console)
    console.print(f"\n{options.out / 'report.html'}")
    return 0 if not left_out and all(shot.survey.space is not None for shot in shots) else 1


def tables(results: Results) -> dict[str, bytes]:
    """The files of numbers by their names; a spreadsheet takes the mark at a CSV file's start as UTF-8."""
    return {
        "report.json": results.model_dump_json(indent=1).encode(),
        "measures.csv": measures_csv(results).encode("utf-8-sig"),
        "products.csv": products_csv(results).encode("utf-8-sig"),
    }


def tell(results: Results, placed: list[Placed], words: Words, console: Console) -> None:
    """The measures and the best verdicts, for those who look at the terminal first."""
    for note in results.notes:
        console.print(f"[yellow]{escape(note)}[/]")
    for photo in results.photos:
        if len(results.photos) > 1:
            console.print(f"[bold]{escape(photo.name)}[/]")
        for row in photo.measures:
            least = f"{words('at_least')} " if row.at_least else ""
            largest = max(row.parts, key=lambda source: row.parts[source])
            name = f"{row.label}: {words(row.name)}" if row.label else words(row.name)
            console.print(f"{escape(name)}: {least}{row.text} {row.unit} ({words(row.kind)}; ±: {words(largest)})")
    for each in results.products[:10]:
        console.print(
            f"{words(each.verdict)}: {escape(each.name)}, {each.price:.0f}. {each.reason} {each.advice}".rstrip()
        )
    if len(placed) > 10:
        console.print(words("more", count=len(placed) - 10))


def catalogue_name(text: str) -> str:
    """A catalogue's name without its folder, and without the user and the password of a database."""
    if "://" not in text:
        return Path(text).name
    scheme, _, rest = text.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def one_sentence(error: Exception) -> str:
    """What an error says; of a database only what is wrong, not its query; of a file its name first."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, SQLAlchemyError):
        return f"The catalogue cannot be read: {str(error).splitlines()[0]}"
    return str(error)


if __name__ == "__main__":
    sys.exit(main())
