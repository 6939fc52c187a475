"""The camera that took a photo."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from midas_client._errors import OptionError
from midas_client._resample import check_size


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole camera without distortion, in pixels of the upright photo, as OpenCV has it.

    A point (X, Y, Z) with X to the right, Y down and Z forward is seen at x = fx * X / Z + cx, y = fy * Y / Z + cy,
    where (0, 0) is the centre of the photo's top left pixel.

    Attributes:
        fx, fy: focal lengths in pixels, above 0; equal where pixels are square.
        cx, cy: where the camera's axis meets the photo; about its centre.

    Raises:
        OptionError: a number is not finite, or a focal length is not above 0.

    >>> camera = Intrinsics.from_fov(60, (640, 480))
    >>> round(camera.fx, 1), camera.cx, camera.cy
    (554.3, 319.5, 239.5)
    """

    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not _is_number(value) or (each.name in ("fx", "fy") and value <= 0):
                allowed = "a number of pixels above 0" if each.name in ("fx", "fy") else "a finite number of pixels"
                raise OptionError(f"{each.name} is {value!r}", hint=f"It must be {allowed}")

    @classmethod
    def from_fov(cls, fov: float, size: tuple[int, int]) -> Intrinsics:
        """The camera with square pixels and its axis through the photo's centre.

        Args:
            fov: the horizontal field of view in degrees, above 0 and below 180: 2 * atan(w / 2f) for a lens of f mm on
                a sensor w mm wide. A phone's main camera has about 67 when held across, 53 when held upright.
            size: (width, height) of the photo in pixels.

        Raises:
            OptionError: the field of view is outside of its range, or the size is not one.
        """
        if not _is_number(fov) or not 0 < fov < 180:
            raise OptionError(
                f"fov is {fov!r}", hint="Allowed: degrees above 0 and below 180, across the photo's width"
            )
        width, height = check_size(size)
        focal = width / 2 / math.tan(math.radians(fov) / 2)
        return cls(focal, focal, (width - 1) / 2, (height - 1) / 2)


def _is_number(value: object) -> bool:
    try:
        return not isinstance(value, (bool, str)) and math.isfinite(value)  # type: ignore[arg-type]
    except TypeError:
        return False
