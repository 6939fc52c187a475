"""Where a tritonserver comes from: the container's, or the one inside the nvidia-pytriton wheel."""

import ctypes
import importlib.util
import os
import platform
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from midas_server.launch.leftovers import own_prefix

CONTAINER_ROOT = Path("/opt/tritonserver")
OUR_BACKENDS = Path(__file__).parent.parent / "backends"

SUPPORTED_PYTHONS = ((3, 10), (3, 11), (3, 12))
OLDEST_GLIBC = (2, 35)
# Where Triton 24.10 makes an empty folder for each Python-based backend, which it never removes. It asks no TMPDIR, so
# its copy gets a path that is as long, in the folder that the server runs in, which the launcher removes.
UNPACKED_ENVIRONMENTS = (b"/tmp/python_env_", b"./_______python_")

CONTAINER_ADVICE = "use the container instead: docker compose --profile cpu up"


class CannotRunHere(RuntimeError):  # noqa: N818
    """No tritonserver runs on this machine; the text says why and what to do."""


@dataclass(frozen=True)
class Distribution:
    """A tritonserver that can be started.

    Attributes:
        kind: `container` or `wheel`.
        binary: the program.
        backend_directory: what `--backend-directory` gets.
        environment: what its environment needs beyond ours.
    """

    kind: str
    binary: Path
    backend_directory: Path
    environment: dict[str, str]


@contextmanager
def find_distribution() -> Iterator[Distribution]:
    """Find a tritonserver; what had to be put together for it is removed afterwards.

    Raises:
        CannotRunHere: there is none for this machine.
    """
    binary = CONTAINER_ROOT / "bin" / "tritonserver"
    if binary.is_file():
        yield Distribution("container", binary, CONTAINER_ROOT / "backends", {})
        return
    _check_machine()
    wheel = _wheel_folder()
    with TemporaryDirectory(prefix=f"{own_prefix()}backends_") as folder:
        _assemble_backends(wheel / "tritonserver", Path(folder))
        yield Distribution(
            "wheel",
            wheel / "tritonserver" / "bin" / "tritonserver",
            Path(folder),
            {
                "LD_LIBRARY_PATH": _search_path(
                    "LD_LIBRARY_PATH", wheel.parent / "nvidia_pytriton.libs", _libpython_folder()
                ),
                # The steps run in the Python that is first on PATH.
                "PATH": _search_path("PATH", Path(sys.prefix) / "bin"),
            },
        )


def _check_machine() -> None:
    machine = f"{platform.system()} {platform.machine()}"
    if machine != "Linux x86_64":
        raise CannotRunHere(f"the pip wheel of Triton runs on Linux x86_64, this is {machine}: {CONTAINER_ADVICE}")
    if sys.version_info[:2] not in SUPPORTED_PYTHONS:
        versions = ", ".join(f"{major}.{minor}" for major, minor in SUPPORTED_PYTHONS)
        raise CannotRunHere(
            f"the pip wheel of Triton runs with Python {versions}, this is {platform.python_version()}: "
            f"set up with one of those, or {CONTAINER_ADVICE}"
        )
    library, version = platform.libc_ver()
    if library != "glibc" or tuple(int(part) for part in version.split(".")[:2]) < OLDEST_GLIBC:
        raise CannotRunHere(
            f"the pip wheel of Triton needs glibc {'.'.join(map(str, OLDEST_GLIBC))} or newer (Debian 12, Ubuntu 22.04 "
            f"and later), this machine has {library or 'another C library'} {version}: {CONTAINER_ADVICE}"
        )


def _wheel_folder() -> Path:
    # found, not imported: pytriton's own Python modules are not used
    spec = importlib.util.find_spec("pytriton")
    if spec is None or not spec.submodule_search_locations:
        raise CannotRunHere('no Triton server is installed: run "make setup", or pip install "midas-server[wheel]"')
    folder = Path(next(iter(spec.submodule_search_locations)))
    if not (folder / "tritonserver" / "bin" / "tritonserver").is_file():
        raise CannotRunHere(
            f"there is no Triton server in {folder}: install the package nvidia-pytriton there again, or take that "
            "folder off PYTHONPATH"
        )
    return folder


def _libpython_folder() -> Path | None:
    """Where the running Python's shared library lies; None where the system finds it. The wheel's stub links it."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    name = f"libpython{version}.so.1.0"
    for folder in (sysconfig.get_config_var("LIBDIR"), Path(sys.base_prefix) / "lib"):
        if folder and (Path(folder) / name).is_file():
            return Path(folder)
    try:
        ctypes.CDLL(name)
    except OSError:
        raise CannotRunHere(
            f"{name} is missing, this Python was built without it: apt-get install libpython{version} "
            f"(or your system's package of that library), or {CONTAINER_ADVICE}"
        ) from None
    return None


def _assemble_backends(tritonserver: Path, folder: Path) -> None:
    """Lay out a backend directory: Triton's Python backend with the stub of this Python, and our backends beside it."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "python"
    python.mkdir()
    library = tritonserver / "backends" / "python" / "libtriton_python.so"
    (python / library.name).write_bytes(library.read_bytes().replace(*UNPACKED_ENVIRONMENTS))
    for file in (
        tritonserver / "backends" / "python" / "triton_python_backend_utils.py",
        tritonserver / "python_backend_stubs" / version / "triton_python_backend_stub",
    ):
        # copied: the backend resolves links, and would look for the stub beside the link's target
        shutil.copy2(file, python / file.name)
    for backend in OUR_BACKENDS.iterdir():
        if (backend / "model.py").is_file():
            shutil.copytree(backend, folder / backend.name, ignore=shutil.ignore_patterns("__pycache__"))


def _search_path(variable: str, *first: Path | None) -> str:
    return os.pathsep.join(str(entry) for entry in (*first, os.environ.get(variable)) if entry)
