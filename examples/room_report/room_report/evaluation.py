"""How right the measures are, on rendered rooms of known sizes: `python -m room_report.evaluation FOLDER`.

Four cases, each worse than the one before: the exact depth and focal length; a focal length that is known within
± 3 %, which is twice its standard deviation; besides that a map of unknown scale and shift, with a door marked by hand;
and the map of a real network with that door.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from midas_client import DepthClient, MidasClientError
from room_report.camera import EXIF_SPREAD, Camera
from room_report.catalogue import Catalogue, Product
from room_report.depth import EXACT, NearnessMap, Trust, nearness_map, trust_in
from room_report.errors import RoomReportError
from room_report.floor import CELL
from room_report.measures import Name, Wall
from room_report.references import KnownRectangle
from room_report.room import Space
from room_report.scale import Scale
from room_report.survey import Survey, survey
from room_report.truth import TrueRoom, read_rooms
from room_report.uncertainty import COVER
from room_report.verdicts import Verdict, judge

Floats = npt.NDArray[np.float64]
Case = Literal["exact", "focal", "door", "network"]
CASES: dict[Case, str] = {
    "exact": "exact depth and focal length",
    "focal": "exact depth, focal length within ± 3 % in 95 % of the rooms (1 sigma: 1.5 %)",
    "door": "exact depth of unknown scale and shift, a marked door, focal length ± 3 %",
    "network": "the network's depth, a marked door, focal length ± 3 %",
}
CLICK = 0.7
DOOR_TOLERANCE = 0.01


@dataclass
class Tally:
    """The errors of one measure over many rooms.

    Attributes:
        errors: relative.
        spreads: the standard deviations that were stated, relative.
        missing: rooms that have it and where it was not found.
        surplus: rooms that have none and where one was found.
    """

    errors: list[float] = field(default_factory=list)
    spreads: list[float] = field(default_factory=list)
    missing: int = 0
    surplus: int = 0

    def line(self, name: str) -> str:
        """A row of the table."""
        if not self.errors:
            return f"{name:14} none; missing {self.missing}"
        size = np.abs(self.errors)
        spreads = np.array(self.spreads)
        covered = float((size <= COVER * spreads).mean())
        return (
            f"{name:14} n {size.size:4}  median {np.median(size):6.2%}  p90 {np.quantile(size, 0.9):6.2%}  "
            f"p95 {np.quantile(size, 0.95):6.2%}  worst {size.max():7.2%}  covered {covered:6.1%}  "
            f"mean half-width {COVER * spreads.mean():6.2%}  missing {self.missing}  surplus {self.surplus}"
        )


@dataclass
class Result:
    """A case over a set of rooms."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    verdicts: Counter[str] = field(default_factory=Counter)
    false_fits: int = 0
    false_misfits: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def print(self) -> None:
        """Write the tables to standard output."""
        for name, tally in self.tallies.items():
            print(tally.line(name))
        total = sum(self.verdicts.values())
        if total:
            words = ", ".join(f"{word} {count}" for word, count in self.verdicts.most_common())
            print(f"{total} verdicts: {words}")
            print(f"false 'fits' {self.false_fits} ({self.false_fits / max(self.verdicts['fits'], 1):.1%} of the fits, "
                  f"{self.false_fits / total:.2%} of all); false 'does not fit' {self.false_misfits}")  # fmt: skip
        if self.refused:
            print("refused: " + "; ".join(f"{count} x {text}" for text, count in self.refused.items()))


def survey_room(room: TrueRoom, case: Case, rng: np.random.Generator, depth: NearnessMap | None = None) -> Survey:
    """Measure a rendered room as a user would."""
    height, width = room.depth.shape
    focal = room.focal if case == "exact" else room.focal * (1 + EXIF_SPREAD * rng.standard_normal())
    camera = Camera(focal, (width, height), 0.0 if case == "exact" else EXIF_SPREAD, "exif")
    if case == "network":
        assert depth is not None
        nearness = depth
    else:
        valid = np.isfinite(room.depth)
        scale, shift = (1.0, 0.0) if case != "door" else (rng.uniform(0.1, 10), rng.uniform(-0.3, 0.3))
        values = np.where(valid, (1 / np.where(valid, room.depth, 1.0) - shift) / scale, 0.0)
        nearness = NearnessMap(values, valid, False, EXACT)
    if case in ("exact", "focal"):
        return survey(nearness, camera, known_scale=Scale(1.0, 0.0, "measured"))
    clicked = np.clip(np.array(room.door) + CLICK * rng.standard_normal((4, 2)), 0, [width - 1, height - 1])
    size = np.array(room.door_size) + DOOR_TOLERANCE / 2 * rng.standard_normal(2)
    corners = tuple((float(x), float(y)) for x, y in clicked)
    door = KnownRectangle(corners, float(size[0]), float(size[1]), DOOR_TOLERANCE)  # type: ignore[arg-type]
    return survey(nearness, camera, [door], click=CLICK)


def evaluate(
    rooms: Sequence[TrueRoom], case: Case, products: Sequence[Product], maps: dict[str, NearnessMap] | None = None
) -> Result:
    """Measure all rooms in one case and compare with what is true."""
    result = Result()
    for room in rooms:
        rng = np.random.default_rng([15, int(room.name)])
        try:
            found = survey_room(room, case, rng, (maps or {}).get(room.name))
        except RoomReportError as error:
            result.refused[type(error).__name__] += 1
            continue
        seen = room.with_door_clear() if case in ("door", "network") else room
        for row, (name, true) in _rows(seen, found).items():
            tally = result.tallies.setdefault(row, Tally())
            value = found.of(name)
            if true > 0 and value is not None:
                tally.errors.append(value.value / true - 1)
                tally.spreads.append(value.spread / true)
            elif true > 0:
                tally.missing += 1
            elif value is not None:
                tally.surplus += 1
        for verdict in judge(found, products):
            result.verdicts[verdict.word] += 1
            if verdict.place is not None and verdict.word in ("fits", "does not fit"):
                fits = _truly_fits(seen, found, verdict)
                result.false_fits += verdict.word == "fits" and not fits
                result.false_misfits += verdict.word == "does not fit" and fits
    return result


def _rows(room: TrueRoom, found: Survey) -> dict[str, tuple[Name, float]]:
    """The rows of the table: which measure is compared with what.

    A wall is said to reach from corner to corner, or at least so far as the photo shows it: the row `wall` compares
    it with that, the row `longest wall` with the longest that the photo shows.
    """
    rows: dict[str, tuple[Name, float]] = {}
    for name, true in room.values().items():
        rows["longest wall" if name == "wall" else name] = (name, true)
    wall = next((measure for measure, _ in found.values if isinstance(measure, Wall)), None)
    if wall is not None and found.space is not None:
        corners = wall.left.corner is not None, wall.right.corner is not None
        rows["wall"] = ("wall", room.wall_between(_wall_number(room, found.space, wall.wall), *corners))
    return rows


def _wall_number(room: TrueRoom, space: Space, wall: int) -> int:
    """Which of the room's four walls a measured one is."""
    outward = space.outward(wall) @ room.axes
    return int(np.argmax(outward[:2] @ np.array([[0, 1, 0, -1], [-1, 0, 1, 0]])))


def _truly_fits(room: TrueRoom, found: Survey, verdict: Verdict) -> bool:
    """Whether the piece fits where the verdict puts it, in the room as it is, hidden parts too.

    What was taken for the wall may stand before it, such as a wardrobe up to the ceiling: the piece stands before that.
    """
    assert verdict.place is not None and found.space is not None
    floor, first, last = verdict.place
    wall = _wall_number(room, found.space, floor.wall)
    if verdict.product.height > room.size[2]:
        return False
    true = room.floor(wall, hidden=True)
    centre = room.in_room(floor.point((first + last) / 2, 0)) - true.origin
    column, back = int(centre @ true.along / CELL), max(0, round(float(centre @ true.inward) / CELL))
    front = back + int((verdict.product.depth + verdict.product.swing) / CELL) - 1
    if not (0 <= column < true.free.shape[1] and front <= true.free.shape[0]):
        return False
    free = true.free[back:front].all(axis=0)
    if not free[column]:
        return False
    right = int(np.argmin(free[column:])) if not free[column:].all() else free.size - column
    left = int(np.argmin(free[column::-1])) if not free[column::-1].all() else column + 1
    return (left + right - 1) * CELL >= verdict.product.width


def calibrated(result: Result) -> dict[str, float]:
    """The bias of a network by measure: the smallest with which 95 % of these errors lie in their intervals."""
    found = {}
    for name, tally in result.tallies.items():
        errors, spreads = np.abs(tally.errors), np.array(tally.spreads)
        candidates = np.linspace(0, 10, 2001)
        covered = [(errors <= COVER * np.hypot(spreads, bias)).mean() for bias in candidates]
        found[name] = float(candidates[int(np.argmax(np.array(covered) >= 0.95))])
    found.pop("longest wall", None)
    for side in ("free width", "free depth"):  # an area is off by twice as much as its sides
        found[side] = found.get("free area", 0.0) / 2
    return found


def predicted(rooms: Sequence[TrueRoom], url: str, model: str, trust: Trust) -> Iterator[tuple[str, NearnessMap]]:
    """The maps that a server gives of the rooms' photos."""
    with DepthClient(url) as client:
        for room in rooms:
            if room.photo is not None:
                yield room.name, nearness_map(client.predict(room.photo, model=model), trust)


def predicted_here(rooms: Sequence[TrueRoom], repository: Path, model: str, trust: Trust) -> (
    Iterator[tuple[str, NearnessMap]]
):  # fmt: skip
    """The maps of the rooms' photos by an exported network, in this process; needs the project that this is part of."""
    from accuracy.predictors import OnnxPredictor  # noqa: PLC0415  (the example works without it)

    network = OnnxPredictor.exported(repository, model)
    for room in rooms:
        if room.photo is not None:
            file = io.BytesIO()
            Image.fromarray(room.photo).save(file, "PNG")
            values = network.predict(file.getvalue()).depth.astype(np.float64)
            yield room.name, NearnessMap(values, np.isfinite(values), False, trust)


def main() -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m room_report.evaluation", description=__doc__)
    parser.add_argument("rooms", type=Path, help="folder that `python -m training.scenes.rooms` wrote")
    parser.add_argument("--cases", nargs="+", choices=list(CASES), default=["exact", "focal", "door"])
    parser.add_argument("--first", type=int, default=200, help="rooms to take (default 200)")
    parser.add_argument("--skip", type=int, default=0, help="rooms to leave out before those (default 0)")
    parser.add_argument("--url", default="localhost:8001", help="of the server for the case `network`")
    parser.add_argument("--predicted", type=Path, metavar="REPOSITORY", help="in place of a server: the model "
                        "repository of an exported network, which is run in this process")  # fmt: skip
    parser.add_argument("--model", default="default", help="which network")
    parser.add_argument("--calibrate", type=Path, metavar="ROOMS", help="other rooms, to count the network's bias "
                        "on; without them the intervals are those that a report states")  # fmt: skip
    parser.add_argument("--relative", type=float, default=0.05, help="with --calibrate: trust in a distance by the "
                        "map, 1 sigma")  # fmt: skip
    parser.add_argument("--angle", type=float, default=0.06, help="with --calibrate: trust in an angle by the map, in "
                        "radians, 1 sigma")  # fmt: skip
    options = parser.parse_args()
    products = Catalogue.from_csv().find()[::2]

    def maps_of(rooms: Sequence[TrueRoom], trust: Trust) -> dict[str, NearnessMap]:
        if options.predicted:
            return dict(predicted_here(rooms, options.predicted, options.model, trust))
        return dict(predicted(rooms, options.url, options.model, trust))

    try:
        rooms = list(islice(read_rooms(options.rooms), options.skip, options.skip + options.first))
        trust = Trust(options.relative, options.angle) if options.calibrate else trust_in(options.model)
        for case in options.cases:
            print(f"\n{len(rooms)} rooms: {CASES[case]}")
            maps = None
            if case == "network":
                if options.calibrate:
                    others = list(islice(read_rooms(options.calibrate), options.first))
                    bias = calibrated(evaluate(others, case, [], maps_of(others, trust)))
                    print(f"calibrated on {len(others)} other rooms: {json.dumps(bias)}")
                    trust = replace(trust, bias=bias)
                maps = maps_of(rooms, trust)
            evaluate(rooms, case, products, maps).print()
    except (OSError, MidasClientError, RoomReportError) as error:
        print(f"room_report.evaluation: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
