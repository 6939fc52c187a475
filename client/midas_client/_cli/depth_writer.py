"""Depth maps to the files that a command line asks for."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from midas_client._cli.outputs import FileKind
from midas_client._colormap import Colormap
from midas_client._depth_map import DepthMap
from midas_client._errors import OptionError
from midas_client._intrinsics import Intrinsics
from midas_client._options import Equalize, Format, Options
from midas_client._photo import upright_rgb

DEFAULT_FOV = 60.0


class DepthWriter:
    """Writes one kind of file.

    Args:
        kind: of the files.
        format: what the server is to send; None for what the kind needs.
        colormap, equalize: where a picture is wanted; the server makes it, so that only its bytes travel.
        fov: of the camera in degrees, for a point cloud.

    Raises:
        OptionError: they do not go together, or the field of view is none.
    """

    def __init__(
        self,
        kind: FileKind,
        format: Format | None,
        colormap: Colormap | None,
        equalize: Equalize | None,
        fov: float | None,
    ) -> None:
        if fov is not None and kind != "ply":
            raise OptionError("--fov is for a point cloud", hint="Add --save-as ply, or leave it out")
        Intrinsics.from_fov(DEFAULT_FOV if fov is None else fov, (1, 1))  # raises where it is none
        if format is not None and (colormap or equalize):
            raise OptionError("The server makes the picture", hint="Leave --format out")
        self._kind = kind
        self._format = format
        self._colormap = colormap
        self._equalize = equalize
        self._fov = DEFAULT_FOV if fov is None else fov

    def wishes(self) -> Options:
        """What the server is to send."""
        if self._colormap is None and self._equalize is None:
            # The server's 16-bit PNG is the file; the other kinds get all that the network computed.
            return Options(format=self._format or ("png16" if self._kind == "png" else "float32"))
        wishes = Options(equalize=self._equalize)
        if self._kind == "jpg":
            return Options(**wishes, format="color_jpeg", colormap=self._colormap)
        if self._colormap in (None, "gray"):
            return Options(**wishes, format="png8")
        return Options(**wishes, format="color_png", colormap=self._colormap)

    def write(self, depth_map: DepthMap, photo: str | bytes, output: Path | None) -> None:
        """Write the file of one photo.

        Args:
            depth_map: of the photo.
            photo: its path or bytes, for the colours of a point cloud.
            output: the file; None for standard output.

        Raises:
            OSError: it cannot be written.
            PhotoError: the photo's colours cannot be read.
        """
        if output is not None:
            output.parent.mkdir(parents=True, exist_ok=True)
            self._save(depth_map, photo, output)
            return
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"depth.{self._kind}"
            self._save(depth_map, photo, file)
            data = file.read_bytes()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def _save(self, depth_map: DepthMap, photo: str | bytes, path: Path) -> None:
        if self._kind == "ply":
            depth_map.point_cloud(fov=self._fov, colors=upright_rgb(photo)).save(path)
        else:
            depth_map.save(path)
