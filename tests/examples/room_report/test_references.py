"""References that cannot be right are refused, each with its reason; none gives a number."""

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from room_report.camera import Camera, from_exif, from_view
from room_report.errors import BadReferenceError, FocalLengthError, NoFloorError, RoomReportError, ScaleError
from room_report.references import CameraHeight, KnownDistance, KnownLength, KnownRectangle
from room_report.scale import Scale
from room_report.survey import survey
from tests.examples.room_report.box_room import DOOR, WIDTH, look

TL, TR, BR, BL = (10.0, 10.0), (50.0, 12.0), (50.0, 90.0), (10.0, 92.0)


@pytest.mark.parametrize(
    ("corners", "said"),
    [
        ((TL, TL, BR, BL), "same point"),
        ((TR, TL, BL, BR), "mirrored"),
        ((TL, BR, TR, BL), "cross"),
        ((BR, BL, TL, TR), "top corners lie below"),
        ((TL, (30.0, 11.0), TR, BL), "on a line"),
        ((TL, TR, BR, (math.nan, 3.0)), "four corners"),
    ],
)
def test_a_wrong_rectangle_is_refused(corners: tuple[tuple[float, float], ...], said: str) -> None:
    with pytest.raises(BadReferenceError, match=said):
        KnownRectangle(corners, *DOOR)  # type: ignore[arg-type]


@pytest.mark.parametrize("metres", [0.0, -2.0, math.nan, math.inf])
def test_a_length_that_is_none_is_refused(metres: float) -> None:
    for make in (
        lambda: KnownRectangle((TL, TR, BR, BL), metres, 2.0),
        lambda: KnownRectangle((TL, TR, BR, BL), 0.9, metres),
        lambda: KnownDistance((5, 5), metres),
        lambda: KnownLength((5, 5), (50, 50), metres),
        lambda: CameraHeight(metres),
    ):
        with pytest.raises(BadReferenceError, match="above 0"):
            make()


def test_equal_points_are_refused() -> None:
    with pytest.raises(BadReferenceError, match="same point"):
        KnownLength((40, 40), (40.5, 40), 1.0)
    room = look()
    twice = [KnownDistance((40, 40), 3.0), KnownDistance((40, 41), 3.1)]
    with pytest.raises(BadReferenceError, match="same point"):
        survey(room.map(), room.camera, twice)
    with pytest.raises(BadReferenceError, match="the same"):
        survey(room.map(), room.camera, [CameraHeight(1.5)], distances=[((40, 40), (41, 40))])


def test_a_point_outside_of_the_photo_is_refused() -> None:
    room = look()
    with pytest.raises(BadReferenceError, match="outside of the photo, which is 160 x 120"):
        survey(room.map(), room.camera, [KnownDistance((300, 40), 3.0)])


def test_a_point_in_the_sky_is_refused() -> None:
    room = look(target=(1.6, 4.0, 1.6), roof=False)
    assert np.isinf(room.depth[2, 80])
    with pytest.raises(BadReferenceError, match="sky"):
        survey(room.map(), room.camera, [CameraHeight(1.5), KnownDistance((80, 2), 3.0)])


def test_a_point_that_the_map_puts_at_infinity_is_refused() -> None:
    # a network's sky is no hole in the map: it is the far end of its values
    room = look(target=(1.6, 4.0, 1.6), roof=False)
    far = np.where(np.isfinite(room.depth), room.depth, 1e5)
    flat = type(room)(room.place, room.axes, room.camera, far)
    with pytest.raises(RoomReportError, match=r"sky|contradict"):
        survey(flat.map(2.0, -0.1), room.camera, [KnownRectangle(room.door(), *DOOR), KnownDistance((80, 2), 30.0)])


def test_no_floor_is_refused() -> None:
    up = look(place=(2.0, 1.0, 1.5), target=(2.0, 3.0, 2.8), view=50)
    with pytest.raises(NoFloorError, match="no floor"):
        survey(up.map(), up.camera, known_scale=Scale(1.0, 0.0, "measured"), up=up.axes[:, 2].tolist())
    # with a distance alone the floor is missed even earlier: nothing says what the shift is
    with pytest.raises(RoomReportError, match="floor"):
        survey(up.map(), up.camera, [KnownDistance((80, 100), float(up.depth[100, 80]))], up=up.axes[:, 2].tolist())


def test_a_table_is_no_floor() -> None:
    """The camera looks over a table, which hides nearly all of the floor: walls reach below it."""
    table = ((0.0, 0.0, 0.74), (WIDTH, 1.8, 0.78))
    room = look(place=(2.0, 0.3, 1.2), target=(2.0, 5.0, 1.1), boxes=[table])
    with pytest.raises(NoFloorError, match="no floor"):
        survey(room.map(), room.camera, known_scale=Scale(1.0, 0.0, "measured"))


def test_one_distance_alone_is_refused() -> None:
    # a wall from straight ahead: nothing says what the shift is
    wall = look(place=(2.0, 3.5, 1.3), target=(2.0, 5.0, 1.3), view=50)
    with pytest.raises(ScaleError, match="shift"):
        survey(wall.map(3.0, 0.1), wall.camera, [KnownDistance((80, 60), 1.5)])


def test_distances_that_contradict_the_map_are_refused() -> None:
    room = look()
    near, far = (80, 115), (70, 40)
    swapped = [KnownDistance(near, float(room.depth[40, 70])), KnownDistance(far, float(room.depth[115, 80]))]
    with pytest.raises(ScaleError, match="contradict"):
        survey(room.map(), room.camera, swapped)


def test_without_a_reference_there_are_no_metres() -> None:
    room = look()
    found = survey(room.map(), room.camera)
    assert found.kind == "relative"
    assert found.values == []


def photo_with_exif(path: Path, size: tuple[int, int], taken: tuple[int, int] | None, film: int | None) -> Path:
    exif = Image.Exif()
    details = exif.get_ifd(ExifTags.IFD.Exif)
    if taken:
        details[ExifTags.Base.ExifImageWidth], details[ExifTags.Base.ExifImageHeight] = taken
    if film:
        details[ExifTags.Base.FocalLengthIn35mmFilm] = film
    Image.new("RGB", size).save(path, exif=exif)
    return path


def test_the_focal_length_by_exif_compares_diagonals(tmp_path: Path) -> None:
    # a phone's main camera: 3.99 mm over pixels of 1.22 µm are 3270 pixels; its tag says 28 mm
    camera = from_exif(photo_with_exif(tmp_path / "a.jpg", (4032, 3024), (4032, 3024), 28))
    assert camera.focal == pytest.approx(3270, rel=0.01)
    half = from_exif(photo_with_exif(tmp_path / "b.jpg", (2016, 1512), (4032, 3024), 28))
    assert half.focal == pytest.approx(camera.focal / 2)
    assert half.source == "exif"


@pytest.mark.parametrize(
    ("size", "taken", "film", "said"),
    [
        ((400, 400), (400, 300), 28, "cropped: it was taken at 400 x 300"),
        ((400, 190), (400, 190), 28, "unusual shape"),
        ((400, 300), None, 28, "may be cropped"),
        ((400, 300), (400, 300), None, "does not say its focal length"),
    ],
)
def test_exif_of_a_cropped_photo_is_refused(
    tmp_path: Path, size: tuple[int, int], taken: tuple[int, int] | None, film: int | None, said: str
) -> None:
    with pytest.raises(FocalLengthError, match=said):
        from_exif(photo_with_exif(tmp_path / "a.jpg", size, taken, film))


@pytest.mark.parametrize("degrees", [0.0, -10.0, 180.0, math.nan])
def test_a_field_of_view_that_is_none_is_refused(degrees: float) -> None:
    with pytest.raises(FocalLengthError, match="not possible"):
        from_view(degrees, (640, 480))


def test_a_map_of_another_size_is_refused() -> None:
    room = look()
    with pytest.raises(BadReferenceError, match="one size"):
        survey(room.map(), Camera(200, (480, 360)), [CameraHeight(1.5)])
