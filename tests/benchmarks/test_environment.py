"""Environments of their own, with the real pip."""

from pathlib import Path

import pytest

from benchmarks.environment import environment
from benchmarks.errors import BenchmarkError


def test_one_that_failed_is_made_anew_and_a_good_one_is_kept(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"pip could not install tritonclient==0\.0\.1: "):
        environment("tool", ["tritonclient==0.0.1"], dependencies=False, root=tmp_path)
    folder = tmp_path / "tool"
    (folder / "leftover").touch()

    # pip is what every environment holds already: nothing is downloaded
    assert environment("tool", ["pip"], dependencies=False, root=tmp_path) == folder
    assert (folder / "bin" / "python").exists()
    assert not (folder / "leftover").exists()
    made = (folder / "pyvenv.cfg").stat().st_mtime_ns

    assert environment("tool", ["pip"], dependencies=False, root=tmp_path) == folder
    assert (folder / "pyvenv.cfg").stat().st_mtime_ns == made
