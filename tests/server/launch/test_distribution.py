"""The wheel's Triton is refused where it cannot run, before anything is started."""

import platform
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from midas_server.launch import CannotRunHere
from midas_server.launch.distribution import find_distribution

Version = namedtuple("Version", "major minor micro")


@pytest.mark.parametrize(
    ("module", "name", "value", "message"),
    [
        (platform, "system", lambda: "Darwin", "runs on Linux x86_64, this is Darwin x86_64: use the container"),
        (platform, "machine", lambda: "aarch64", "this is Linux aarch64: use the container"),
        (platform, "libc_ver", lambda: ("glibc", "2.31"), "needs glibc 2.35 or newer"),
        (platform, "libc_ver", lambda: ("", ""), "this machine has another C library"),
        (sys, "version_info", Version(3, 13, 0), "runs with Python 3.10, 3.11, 3.12, this is"),
    ],
)
def test_a_machine_that_cannot_run_it_is_told_why(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, value: object, message: str
) -> None:
    monkeypatch.setattr(module, name, value)
    with pytest.raises(CannotRunHere) as raised, find_distribution():
        pass
    assert message in str(raised.value)
    assert "container" in str(raised.value)


def test_the_wheel_is_found_and_laid_out() -> None:
    with find_distribution() as found:
        assert found.kind == "wheel"
        assert found.binary.is_file()
        backends = found.backend_directory
        assert (backends / "python" / "triton_python_backend_stub").is_file()
        assert (backends / "onnxruntime" / "model.py").is_file()
    assert not backends.exists()


def test_a_package_that_is_not_whole_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pytriton").mkdir()
    (tmp_path / "pytriton" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(CannotRunHere) as raised, find_distribution():
        pass
    assert f"there is no Triton server in {tmp_path / 'pytriton'}: install the package" in str(raised.value)
