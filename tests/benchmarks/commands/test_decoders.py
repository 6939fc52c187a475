"""The table of JPEG libraries."""

import io

from rich.console import Console

from benchmarks.__main__ import COMMANDS
from benchmarks.commands import decoders
from benchmarks.load.photo import jpeg
from midas_server.imaging.decode import decode
from midas_server.imaging.probe import probe


def test_libraries_of_one_origin_give_the_same_pixels() -> None:
    assert "decoders" in COMMANDS
    photo = jpeg(640, 480)
    served = decode(photo, probe(photo), covering=(60, 60))
    console = Console(width=150, file=io.StringIO(), record=True)
    console.print(decoders._table(photo, served, 4, rounds=1))
    text = console.export_text()
    assert "at 1/4: 160 x 120" in text
    rows = {line.split("│")[1].strip(): line.split("│")[3].strip() for line in text.splitlines() if "│" in line}
    assert rows["simplejpeg, as served"] == rows["OpenCV"] == rows["Pillow"] == "the same"
    assert rows["imagecodecs"] in ("imagecodecs is not installed", "other size: 640 x 480")
