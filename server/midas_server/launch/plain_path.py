"""A path that survives Triton: its Python backend starts the steps through a shell, without quoting."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from midas_server.launch.leftovers import own_prefix

HARMLESS = re.compile(r"[\w/.,:+@%=-]+", re.ASCII)


@contextmanager
def plain_path(folder: Path) -> Iterator[Path]:
    """`folder` itself where a shell leaves its path alone, else a link to it that lasts as long as the context."""
    if HARMLESS.fullmatch(str(folder)):
        yield folder
        return
    with TemporaryDirectory(prefix=f"{own_prefix()}repository_") as temporary:
        link = Path(temporary) / "model_repository"
        link.symlink_to(folder, target_is_directory=True)
        yield link
