"""Measure the room in a photo, and say which furniture fits: `python -m room_report photo.jpg --door ...`.

It needs a depth server (`make serve` in the project). Points are pixels from the left and the top of the upright photo.
Without a reference a network of relative depth gives no metres.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from midas_client import DepthClient, MidasClientError, upright_rgb
from room_report.camera import Camera, assumed, from_exif, from_view
from room_report.catalogue import EXAMPLE, Catalogue
from room_report.depth import nearness_map, trust_in
from room_report.errors import FocalLengthError, RoomReportError
from room_report.passage import Way
from room_report.references import KNOWN_SIZES, CameraHeight, KnownDistance, KnownLength, KnownRectangle, Reference
from room_report.survey import Survey, survey
from room_report.verdicts import WALKWAY, Clearances, Verdict, judge


def numbers(count: int) -> Any:
    """A parser of that many numbers with commas between them."""

    def parse(text: str) -> tuple[float, ...]:
        try:
            found = tuple(float(part) for part in text.split(","))
        except ValueError:
            found = ()
        if len(found) != count:
            raise argparse.ArgumentTypeError(f"{text!r} is not {count} numbers with commas between them")
        return found

    return parse


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m room_report", description=__doc__)
    made.add_argument("photo", type=Path, help="a JPEG, PNG or WebP file")
    known = made.add_argument_group("what is known of the room (one or more)")
    known.add_argument("--door", type=numbers(8), metavar="X1,Y1,...,X4,Y4",
                       help="corners of a door: top left, top right, bottom right, bottom left")  # fmt: skip
    known.add_argument("--door-size", type=numbers(2), default=(0.86, 2.01), metavar="WIDTH,HEIGHT",
                       help="its leaf in metres (default 0.86,2.01: measure yours)")  # fmt: skip
    known.add_argument("--door-tolerance", type=float, default=0.01, metavar="METRES", help="± (default %(default)s)")
    known.add_argument("--sheet", type=numbers(8), metavar="X1,Y1,...,X4,Y4",
                       help="corners of a sheet or card that lies or hangs in the room")  # fmt: skip
    known.add_argument("--sheet-size", choices=sorted(KNOWN_SIZES), default="a4")
    known.add_argument("--distance", type=numbers(3), action="append", default=[], metavar="X,Y,METRES",
                       help="how far a point is from the camera")  # fmt: skip
    known.add_argument("--length", type=numbers(5), action="append", default=[], metavar="X1,Y1,X2,Y2,METRES",
                       help="the length between two points")  # fmt: skip
    known.add_argument("--camera-height", type=float, metavar="METRES", help="of the camera above the floor")
    made.add_argument("--fov", type=float, help="degrees across the photo's width; else from EXIF, else assumed")
    made.add_argument("--measure", type=numbers(4), action="append", default=[], metavar="X1,Y1,X2,Y2",
                      help="also measure between these two points")  # fmt: skip
    made.add_argument("--catalogue", default=str(EXAMPLE), help="CSV file, or the URL of a database (default: an "
                      "example of invented furniture)")  # fmt: skip
    made.add_argument("--kind", help="only products of that kind, such as sofa")
    made.add_argument("--walkway", action="store_true", help=f"leave {WALKWAY} m before each piece to walk past")
    made.add_argument("--entrance", type=numbers(2), metavar="WIDTH,HEIGHT", help="of the door that it comes in by")
    made.add_argument("--url", default="localhost:8001", help="of the depth server (default %(default)s)")
    made.add_argument("--model", default="default", help="of that server")
    made.add_argument("--json", type=Path, metavar="FILE", help="also write all numbers there")
    return made


def camera_of(photo: Path, size: tuple[int, int], view: float | None) -> tuple[Camera, str]:
    """The camera, and what the user is told of it."""
    if view is not None:
        return from_view(view, size), ""
    try:
        camera = from_exif(photo)
    except FocalLengthError as error:
        return assumed(size), f"Focal length assumed (± 20 %): {error}"
    return camera, ""


def references_of(options: argparse.Namespace) -> list[Reference]:
    """What the command line says is known."""
    found: list[Reference] = []
    if options.door:
        wide, high = options.door_size
        found.append(KnownRectangle(_corners(options.door), wide, high, options.door_tolerance))
    if options.sheet:
        width, height, tolerance = KNOWN_SIZES[options.sheet_size]
        found.append(KnownRectangle(_corners(options.sheet), width, height, tolerance, upright=False))
    found += [KnownDistance((x, y), metres) for x, y, metres in options.distance]
    found += [KnownLength((a, b), (c, d), metres) for a, b, c, d, metres in options.length]
    if options.camera_height is not None:
        found.append(CameraHeight(options.camera_height))
    return found


def _corners(flat: tuple[float, ...]) -> Any:
    return tuple(zip(flat[::2], flat[1::2], strict=True))


def catalogue_of(text: str) -> Catalogue:
    """A CSV file or the URL of a database."""
    return Catalogue.at(text) if "://" in text else Catalogue.from_csv(Path(text))


def as_json(found: Survey, verdicts: list[Verdict], facts: dict[str, Any]) -> str:
    """All numbers: metres, with the half-width of the 95 % interval and what it is made of."""
    measures = [
        {
            "name": measure.name,
            "value": value.value,
            "half_width": value.half_width,
            "unit": "m2" if measure.name == "free area" else "m",
            "kind": value.kind,
            "parts": value.parts,
            "at_least": not getattr(measure, "whole", True),
        }
        for measure, value in found.values
    ]
    products = [
        {
            "number": each.product.number, "name": each.product.name, "price": each.product.price,
            "verdict": each.word, "margin": each.margin, "half_width": each.half_width, "reason": each.reason,
            "advice": each.advice,
        }
        for each in verdicts
    ]  # fmt: skip
    return json.dumps({**facts, "kind": found.kind, "measures": measures, "products": products}, indent=1)


def main() -> int:
    """The command line; returns the exit status."""
    options = parser().parse_args()
    try:
        references = references_of(options)
        products = catalogue_of(options.catalogue).find(options.kind)
        with DepthClient(options.url) as client:
            depth = client.predict(options.photo, model=options.model)
        height, width = upright_rgb(options.photo).shape[:2]
        camera, told = camera_of(options.photo, (width, height), options.fov)
        ends = [((a, b), (c, d)) for a, b, c, d in options.measure]
        found = survey(nearness_map(depth, trust_in(depth.variant)), camera, references, distances=ends)
        if told:
            print(told)
        if found.kind == "relative":
            print(
                "relative: without a reference there are no metres. Mark a door (--door) or a known length (--length)."
            )
            return 0
        for measure, value in found.values:
            least = "" if getattr(measure, "whole", True) else "at least "
            unit = "m²" if measure.name == "free area" else "m"
            print(f"{measure.name:14} {least}{value} {unit} ({value.kind}; most of the ±: {value.largest_part()})")
        front = WALKWAY if options.walkway else 0.0
        verdicts = judge(found, products, Clearances(front=front), Way(door=options.entrance))
        for verdict in verdicts:
            piece = f"{verdict.product.name}, {verdict.product.price:.0f}"
            print(f"{verdict.word:13} {piece}: {verdict.reason} {verdict.advice}")
        if options.json:
            facts = {
                "photo": options.photo.name, "model": depth.model, "weights": depth.weights, "licence": depth.licence,
                "focal_length": {"pixels": camera.focal, "source": camera.source, "spread": camera.spread},
            }  # fmt: skip
            options.json.write_text(as_json(found, verdicts, facts))
    except (RoomReportError, MidasClientError, OSError) as error:
        print(f"room_report: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
