"""A large photo gives the same lengths at the size that it is measured at."""

import numpy as np
import pytest

from room_report.references import CameraHeight, KnownDistance, KnownLength, KnownRectangle, Reference
from room_report.regions import boxed
from room_report.survey import survey
from room_report.working_size import LONGEST, reduced
from tests.examples.room_report.box_room import DEPTH, DOOR, HEIGHT, WIDTH, look


def test_a_large_photo_gives_the_same_lengths() -> None:
    room = look(size=(1440, 1080))
    ends = (room.pixel(1.0, DEPTH, 1.0), room.pixel(3.0, DEPTH, 1.0))
    small = reduced(room.map(2.0, 0.1), room.camera, [KnownRectangle(room.door(), *DOOR)], distances=[ends], click=1.0)
    assert small.step == 2
    assert max(small.camera.size) <= LONGEST
    found = survey(small.nearness, small.camera, small.references, distances=small.distances, click=small.click)
    for name, true in (("wall", WIDTH), ("height", HEIGHT), ("distance", 2.0)):
        value = found.of(name)  # type: ignore[arg-type]
        assert value is not None
        assert value.value == pytest.approx(true, rel=0.01)


def test_pixels_of_all_kinds_are_brought_along() -> None:
    room = look(size=(1600, 1200))
    references: list[Reference] = [
        KnownDistance((401.0, 601.0), 2.0), KnownLength((100.0, 100.0), (300.0, 100.0), 1.0), CameraHeight(1.5),
    ]  # fmt: skip
    mirror = boxed("mirror", (400, 600, 799, 899), (1600, 1200))
    small = reduced(room.map(), room.camera, references, regions=[mirror])
    distance, length, height = small.references
    assert isinstance(distance, KnownDistance)
    assert distance.pixel == (200.5, 300.5)
    assert isinstance(length, KnownLength)
    assert (length.start, length.end) == ((50.0, 50.0), (150.0, 50.0))
    assert height == references[2]
    rows, columns = np.nonzero(small.regions[0].mask)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (200, 399, 300, 449)


def test_a_small_photo_stays_as_it_is() -> None:
    room = look()
    small = reduced(room.map(), room.camera)
    assert small.step == 1
    assert (small.nearness.values == room.map().values).all()
    assert small.camera == room.camera
