"""The photo with its measures drawn where they were taken, what was known, and the piece at its true size."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from room_report.floor import CELL
from room_report.measures import CameraAbove, Distance, FloorSpan, Height, Name, Pixel, Wall
from room_report.references import CameraHeight, KnownRectangle, Reference, pixels_of
from room_report.room import Space
from room_report.survey import Survey
from room_report.svg import Drawing
from room_report.uncertainty import Value
from room_report.verdicts import Verdict
from room_report.words import Words

Floats = npt.NDArray[np.float64]

WALL_INK, HEIGHT_INK, FLOOR_INK, KNOWN_INK, PIECE_INK, POINT_INK = (
    "#0b6e8f", "#6b4fa0", "#23784a", "#8a5a00", "#b3095f", "#40525c",
)  # fmt: skip
"""Each kind of line has a colour, on the photo and in the plan."""

_NEAREST = 0.05


def annotated(
    url: str, size: tuple[int, int], references: list[Reference], found: Survey, piece: Verdict | None, words: Words
) -> str:
    """The photo as SVG.

    Args:
        url: data URL of the photo, at any size.
        size: (width, height) of the photo in the pixels that everything was measured in.
        references: what was known.
        found: what was measured.
        piece: to be drawn where it would stand.
        words: of the language.
    """
    width, height = size
    drawn = Drawing(width, height, max(size) / 960, words("photo_label"))
    drawn.picture(url, 0, 0, width, height)
    for reference in references:
        _draw_known(drawn, reference, words)
    if found.space is None:
        return str(drawn)
    if piece is not None and piece.place is not None:
        _draw_piece(drawn, found.space, piece)
    spans = {measure.name: (measure, value) for measure, value in found.values if isinstance(measure, FloorSpan)}
    if "free width" in spans:
        _draw_free(drawn, found.space, spans)
    for measure, value in found.values:
        least = f"{words('at_least')} " if isinstance(measure, Wall) and not measure.whole else ""
        text = f"{least}{value} m"
        if isinstance(measure, Wall):
            heads = (measure.left.corner is not None, measure.right.corner is not None)
            _draw_line(drawn, found.space, _on_wall(found.space, measure), text, WALL_INK, heads)
        elif isinstance(measure, Height):
            _draw_line(drawn, found.space, _upright(found.space, found), text, HEIGHT_INK)
        elif isinstance(measure, Distance):
            drawn.dimension(measure.start, measure.end, text, POINT_INK)
        else:
            assert isinstance(measure, FloorSpan | CameraAbove)
    return str(drawn)


def _draw_known(drawn: Drawing, reference: Reference, words: Words) -> None:
    """The outline or the line of what was known, with its size."""
    pixels = [(float(x), float(y)) for x, y in pixels_of(reference)]
    if isinstance(reference, KnownRectangle):
        drawn.outline(pixels, "#ffffff", wide=4.5)
        drawn.outline(pixels, KNOWN_INK, dashed=True, wide=2.4)
        text = f"{words('known')} {reference.width:.2f} × {reference.height:.2f} m"
        drawn.label((float(np.mean([x for x, _ in pixels])), float(np.mean([y for _, y in pixels]))), text, KNOWN_INK,
                    size=17)  # fmt: skip
    elif len(pixels) == 2 and not isinstance(reference, CameraHeight):
        drawn.dimension(pixels[0], pixels[1], f"{words('known')} {reference.metres:.2f} m", KNOWN_INK)
    elif pixels and not isinstance(reference, CameraHeight):
        drawn.circle(pixels[0], 6, KNOWN_INK)
        drawn.label((pixels[0][0], pixels[0][1] + 24 * drawn.unit), f"{reference.metres:.2f} m", KNOWN_INK, size=17)


def _draw_piece(drawn: Drawing, space: Space, verdict: Verdict) -> None:
    """The piece as a box, in the middle of its stretch, its back to the wall."""
    corners = box_of(verdict)
    if corners[:, 2].min() < _NEAREST:
        return
    top = corners + verdict.product.height * space.up
    foot, head = space.evidence.camera.pixels(corners), space.evidence.camera.pixels(top)
    for i in range(4):
        j = (i + 1) % 4
        drawn.outline(_pairs([foot[i], foot[j], head[j], head[i]]), PIECE_INK, fill=0.10, wide=1.6)
    drawn.outline(_pairs(head), PIECE_INK, fill=0.18, wide=2.2)
    middle = head.mean(axis=0)
    drawn.label((float(middle[0]), float(middle[1])), verdict.product.name, PIECE_INK, size=19)


def box_of(verdict: Verdict) -> Floats:
    """The corners [4,3] of a piece's footprint, the first two at the wall, in the camera's axes."""
    assert verdict.place is not None
    floor, first, last = verdict.place
    middle, half, deep = (first + last) / 2, verdict.product.width / 2 / CELL, verdict.product.depth / CELL
    places = ((middle - half, 0), (middle + half, 0), (middle + half, deep), (middle - half, deep))
    return np.array([floor.point(column, row) for column, row in places])


def stands_apart(found: Survey, verdict: Verdict) -> bool:
    """Whether a piece stands outside of the free rectangle that is drawn: it has the stretch that suits it best."""
    span = next((measure for measure, _ in found.values if measure.name == "free width"), None)
    if found.space is None or verdict.place is None or not isinstance(span, FloorSpan):
        return False
    start, end, inner = found.space.on(found.space.layout.floor, [span.start, span.end, span.inner])
    sides = np.array([end - start, inner - start])
    shares = (box_of(verdict) - start) @ sides.T / (sides**2).sum(axis=1)
    return bool((shares < -0.02).any() or (shares > 1.02).any())


def _draw_free(drawn: Drawing, space: Space, spans: dict[Name, tuple[FloorSpan, Value]]) -> None:
    """The free rectangle on the floor, with its width and depth."""
    span = spans["free width"][0]
    start, end, inner = space.on(space.layout.floor, [span.start, span.end, span.inner])
    far = end + inner - start
    if far[2] < _NEAREST:
        return
    a, b, c, d = _pairs(space.evidence.camera.pixels(np.array([start, end, far, inner])))
    drawn.outline([a, b, c, d], FLOOR_INK, fill=0.22, wide=2)
    sides: tuple[tuple[Name, tuple[Pixel, Pixel]], ...] = (("free width", (d, c)), ("free depth", (b, c)))
    for name, ends in sides:
        if name in spans:
            clipped = _clipped(*ends, drawn.width, drawn.height)
            if clipped:
                drawn.dimension(*clipped, f"{spans[name][1]} m", FLOOR_INK)


def _on_wall(space: Space, wall: Wall) -> Floats:
    """Both ends [2,3] of a wall, at the height at which most of it lies in the photo; chest height if it can be."""
    along, ends = space.along(wall.wall), []
    for end in (wall.left, wall.right):
        point = space.meet(wall.wall, end.corner) if end.corner is not None else space.on(wall.wall, end.pixel)
        ends.append(point - space.height_of(point) * space.up)
    ends[1] = ends[0] + ((ends[1] - ends[0]) @ along) * along
    foot = np.array(ends)
    return max(
        (foot + high * space.up for high in (1.5, 1.2, 0.9, 1.8, 0.6, 0.3, 2.1)),
        key=lambda points: _shown(space, points),
    )


def _upright(space: Space, found: Survey) -> Floats:
    """A line [2,3] from the floor to the ceiling, on the wall where most of it lies in the photo."""
    value = found.of("height")
    assert value is not None
    best: tuple[float, Floats] = (-1.0, np.zeros((2, 3)))
    for number in space.layout.walls:
        rows, columns = np.nonzero(space.evidence.planes[number].mask)
        left, right = columns.min(), columns.max()
        for share in (0.12, 0.88, 0.25, 0.75, 0.5):
            column = left + share * (right - left)
            row = float(np.median(rows[np.abs(columns - column) < 2])) if (np.abs(columns - column) < 2).any() else 0.0
            point = space.on(number, (float(column), row))
            foot = point - space.height_of(point) * space.up
            points = np.array([foot, foot + value.value * space.up])
            shown = _shown(space, points)
            if shown > best[0] + 0.02:
                best = shown, points
    return best[1]


def _shown(space: Space, ends: Floats) -> float:
    """The share of a line in space that lies in the photo, not too near its edges."""
    points = ends[0] + np.linspace(0, 1, 41)[:, None] * (ends[1] - ends[0])
    width, height = space.evidence.camera.size
    ahead = points[:, 2] > _NEAREST
    pixels = space.evidence.camera.pixels(np.where(ahead[:, None], points, 1.0))
    margin = 0.015 * width
    inside = (pixels > margin).all(axis=1) & (pixels[:, 0] < width - margin) & (pixels[:, 1] < height - margin)
    return float((inside & ahead).mean())


def _draw_line(
    drawn: Drawing, space: Space, ends: Floats, text: str, colour: str, heads: tuple[bool, bool] = (True, True)
) -> None:
    """A line in space, as far as the photo shows it; a head stands only at an end that is in the photo."""
    a, b = ends
    if max(a[2], b[2]) <= _NEAREST:
        return
    for _ in range(2):  # what lies behind the camera is cut off
        if a[2] < _NEAREST:
            a = a + (b - a) * ((_NEAREST - a[2]) / (b[2] - a[2]))
        a, b = b, a
    (start, end) = _pairs(space.evidence.camera.pixels(np.array([a, b])))
    clipped = _clipped(start, end, drawn.width, drawn.height)
    if clipped:
        whole = tuple(head and cut == full for head, cut, full in zip(heads, clipped, (start, end), strict=True))
        drawn.dimension(*clipped, text, colour, heads=(whole[0], whole[1]))


def _clipped(start: Pixel, end: Pixel, width: float, height: float) -> tuple[Pixel, Pixel] | None:
    """The part of a line that lies in a picture, or None (Liang and Barsky)."""
    low, high = 0.0, 1.0
    for begin, off, limit in ((start[0], end[0] - start[0], width), (start[1], end[1] - start[1], height)):
        for p, q in ((-off, begin), (off, limit - begin)):
            if p == 0:
                if q < 0:
                    return None
            elif p < 0:
                low = max(low, q / p)
            else:
                high = min(high, q / p)
    if low >= high:
        return None

    def at(t: float, whole: Pixel) -> Pixel:
        return whole if t in (0.0, 1.0) else (start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1]))

    return at(low, start), at(high, end)


def _pairs(points: Floats | list[Floats]) -> list[Pixel]:
    return [(float(x), float(y)) for x, y in points]
