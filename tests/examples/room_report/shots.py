"""Photos of the box room, as if a network with exact depth had seen them."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from midas_client import DepthMap
from room_report.album import Shot
from room_report.references import KnownRectangle
from room_report.scale import Scale
from room_report.survey import survey
from tests.examples.room_report.box_room import DOOR, BoxRoom


def shot(room: BoxRoom, name: str = "room.jpg", times: float = 1.0, *, known: bool = True) -> Shot:
    """A photo of the room with all its lengths that many times too large; without its metres if not `known`."""
    width, height = room.camera.size
    grey = np.uint8(255 * np.clip(1 - room.depth / 8, 0.1, 0.9))
    photo = Image.fromarray(np.repeat(np.asarray(grey)[..., None], 3, axis=2))
    ImageDraw.Draw(photo).polygon(room.door(), outline=(120, 60, 20))
    references = [KnownRectangle(room.door(), *DOOR)] if known else []
    scale = Scale(1 / times, 0.0, "measured") if known else Scale(1.0, 0.0, "relative")
    measured = survey(room.map(), room.camera, references, known_scale=scale)
    depth = DepthMap(
        depth=room.map().values.astype(np.float32),
        model="default",
        variant="midas_tiny_256",
        weights="sha256:0123456789abcdef",
        photo_size=(width, height),
        network_size=(256, 192),
        timings={},
        options={},
        encoded=b"",
        licence="MIT",
    )
    return Shot(name, np.asarray(photo), depth, room.camera, list(references), measured)
