"""Environments of their own, with the real pip."""

from pathlib import Path
from zipfile import ZipFile

import pytest

from benchmarks.environment import environment
from benchmarks.errors import BenchmarkError


@pytest.fixture
def wheel(tmp_path: Path) -> str:
    """The address of a package without content, so that nothing is downloaded."""
    file = tmp_path / "tool-1-py3-none-any.whl"
    with ZipFile(file, "w") as archive:
        archive.writestr("tool-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: tool\nVersion: 1\n")
        archive.writestr("tool-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tool-1.dist-info/RECORD", "")
    return str(file)


def test_one_that_failed_is_made_anew_and_a_good_one_is_kept(tmp_path: Path, wheel: str) -> None:
    with pytest.raises(BenchmarkError, match=r"pip could not install tritonclient==0\.0\.1: "):
        environment("tool", ["tritonclient==0.0.1"], dependencies=False, root=tmp_path)
    folder = tmp_path / "tool"
    (folder / "leftover").touch()

    assert environment("tool", [wheel], dependencies=False, root=tmp_path) == folder
    assert (folder / "bin" / "python").exists()
    assert list(folder.glob("lib/python*/site-packages/tool-1.dist-info"))
    assert not (folder / "leftover").exists()
    made = (folder / "pyvenv.cfg").stat().st_mtime_ns

    assert environment("tool", [wheel], dependencies=False, root=tmp_path) == folder
    assert (folder / "pyvenv.cfg").stat().st_mtime_ns == made
