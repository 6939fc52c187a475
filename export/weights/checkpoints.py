"""Find, download, verify and read checkpoints.

A checkpoint is looked for in this order: the file that the user names, the folder in MIDAS_WEIGHTS, weights/ in the
project, the weights that ship with the project, the user's cache, the official release. Nothing in a checkpoint is ever
executed, and what is not whole is never used.
"""

import fcntl
import hashlib
import http.client
import os
import pickle
import queue
import re
import threading
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from export.errors import CheckpointError, DownloadError
from export.variants import VARIANTS
from export.variants.row import Variant
from export.weights import cache
from export.weights.digest import sha256_of
from export.weights.file_kinds import is_safetensors, refuse_no_checkpoint

WEIGHTS_FOLDER = Path(__file__).resolve().parents[2] / "weights"
SHIPPED_FOLDER = Path(__file__).resolve().parent / "shipped"
FOLDER_VARIABLE = "MIDAS_WEIGHTS"

CONNECT_SECONDS = 10.0  # name resolution, connection and first answer together, and then each wait for data
DOWNLOAD_SECONDS = 3600.0
_CHUNK = 1 << 18


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint file.

    Attributes:
        path: where it is.
        sha256: its whole digest, 64 hex digits.
        official: the digest begins as the official file's does.
        shipped: it is part of the project.
    """

    path: Path
    sha256: str
    official: bool
    shipped: bool = False

    @property
    def weights(self) -> str:
        """How INFO names these weights: "official", "default", or the digest of a file of the user's own."""
        if self.shipped:
            return "default"
        return "official" if self.official else f"sha256:{self.sha256}"


def find_local(variant: Variant, named: Path | None = None) -> Checkpoint | None:
    """Return the checkpoint that is on this machine, or None.

    Raises:
        CheckpointError: the file `named` by the user, or the folder in MIDAS_WEIGHTS, does not exist.
    """
    if named is not None:
        if not named.is_file():
            raise CheckpointError(f"there is no checkpoint {named}: check the path given with --weights")
        _refuse_anothers_name(variant, named)
        return _checkpoint(variant, named)
    folders = [WEIGHTS_FOLDER, SHIPPED_FOLDER]
    if os.environ.get(FOLDER_VARIABLE):
        users = Path(os.environ[FOLDER_VARIABLE]).expanduser()
        if not users.is_dir():
            raise CheckpointError(f"{FOLDER_VARIABLE} names {users}, which is not a folder: correct it or unset it")
        folders.insert(0, users)
    for folder in folders:
        for path in (folder / variant.source.file, (folder / variant.source.file).with_suffix(".safetensors")):
            if path.is_file():
                return _checkpoint(variant, path)
    path = cache.folder() / variant.source.file
    cached = _checkpoint(variant, path) if path.is_file() else None
    return cached if cached and cached.official else None  # a damaged one is downloaded again


def find(variant: Variant, named: Path | None, warn: Callable[[str], None]) -> Checkpoint | None:
    """Return the local checkpoint or download the official one, if there is one.

    Returns:
        None if there is none to download, or, after one line to `warn`, if the download fails.

    Raises:
        CheckpointError: as `find_local`.
    """
    local = find_local(variant, named)
    if local is not None or variant.source.url is None:
        return local
    try:
        checkpoint = download(variant, cache.folder())
    except DownloadError as error:
        warn(str(error))
        return None
    if variant.source.sha256 is None:
        warn(
            f"the official SHA-256 of {variant.source.file} is not known here; that of this download, "
            f"{checkpoint.sha256}, is remembered, and another file is refused from now on"
        )
    return checkpoint


def download(
    variant: Variant,
    folder: Path,
    url: str | None = None,
    *,
    connect_seconds: float | None = None,
    seconds: float | None = None,
) -> Checkpoint:
    """Fetch the official checkpoint into `folder`, with a progress bar on stderr where that is a terminal.

    It is written beside its place as `.part` and renamed when it is whole and has the official digest; where that is
    not known, the digest of the first download, which is noted beside the file.

    Args:
        variant: whose checkpoint.
        folder: where it goes; created if needed.
        url: another address of the same file; the official release by default.
        connect_seconds: for name resolution, connection and first answer together, and then for each wait for data.
        seconds: for the whole.

    Raises:
        DownloadError: no official file, no connection, an error page, fewer bytes than announced, another digest.
            `folder` then holds nothing new but perhaps a `.part`, which the next download overwrites.
    """
    url = url or variant.source.url
    if url is None:
        raise DownloadError(f"{variant.name} has no official checkpoint to download")
    path = folder / variant.source.file
    part = folder / f"{variant.source.file}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as file:
            _lock(file, part)
            file.truncate(0)
            try:
                digest = _fetch(url, file, connect_seconds or CONNECT_SECONDS, seconds or DOWNLOAD_SECONDS)
                file.flush()
                os.fsync(file.fileno())
                refuse_no_checkpoint(part)
                _refuse_other_digest(variant.source.sha256 or cache.remembered(path), digest)
                part.replace(path)
                cache.remember(path, digest)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
    except CheckpointError as error:
        raise DownloadError(f"the download of {url} was thrown away: {error}") from error
    except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
        raise DownloadError(f"could not download {url}: {_reason(error)}") from error
    return Checkpoint(path, digest, official=True)


def read_state_dict(path: Path) -> Mapping[str, object]:
    """Return the content of a checkpoint, of PyTorch or safetensors, on the CPU.

    Only tensors and plain containers are unpickled, never code.

    Raises:
        CheckpointError: a web page, a truncated file, one that wants to run code, or no checkpoint at all.
    """
    refuse_no_checkpoint(path)
    content = _read_safetensors(path) if is_safetensors(path) else _read_pickle(path)
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{path} holds a {type(content).__name__}, not a state dict")
    return content


def _read_safetensors(path: Path) -> object:
    from safetensors import SafetensorError  # noqa: PLC0415  (imports torch)
    from safetensors.torch import load_file  # noqa: PLC0415

    try:
        return load_file(path)
    except SafetensorError as error:
        raise CheckpointError(f"{path} is truncated or damaged: download it again") from error


def _read_pickle(path: Path) -> object:
    import torch  # noqa: PLC0415  (takes seconds; finding and downloading do without)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's own words about old files; what matters is told here
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "global" in str(error).lower():
            code = re.search(r"GLOBAL ([\w.]+)", str(error))
            raise CheckpointError(
                f"{path} holds more than tensors{f' ({code[1]})' if code else ''}: loading it would run code from the "
                "file, so it was refused. Take the checkpoint from the official release, or save the tensors alone "
                "where you made it: torch.save(network.state_dict(), ...)"
            ) from error
        raise CheckpointError(f"{path} is not a PyTorch checkpoint") from error
    except OSError:
        raise
    except Exception as error:  # a cut pickle breaks the reader wherever it was cut
        raise CheckpointError(f"{path} is truncated or damaged: download it again") from error


def _checkpoint(variant: Variant, path: Path) -> Checkpoint:
    digest = sha256_of(path)
    known = variant.source.sha256 or cache.remembered(path)
    official = known is not None and digest.startswith(known)
    return Checkpoint(path, digest, official, shipped=path.parent == SHIPPED_FOLDER)


def _refuse_anothers_name(variant: Variant, path: Path) -> None:
    """Nothing in a file of Depth Anything tells V1 from V2, or relative from metric: only its name does."""
    for other in VARIANTS.values():
        if path.stem == Path(other.source.file).stem and other.name != variant.name and other.family == variant.family:
            raise CheckpointError(
                f"{path} has the name of {other.name}'s weights; as {variant.name}'s they may load and give wrong "
                f"depth: export {other.name}, or rename the file if it is {variant.name}'s after all"
            )


def _refuse_other_digest(known: str | None, digest: str) -> None:
    if known and not digest.startswith(known):
        raise CheckpointError(
            f"it is not the official file, its SHA-256 begins with {digest[:8]} instead of {known[:8]}"
        )


def _lock(file: BinaryIO, path: Path) -> None:
    """Refuse to write where another download writes, or has just renamed the file that was opened here."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ours = path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat())
    except BlockingIOError:
        ours = False
    if not ours:
        raise DownloadError(f"another process is downloading {path.stem}: wait for it, then try again")


def _fetch(url: str, file: BinaryIO, connect_seconds: float, seconds: float) -> str:
    """Copy `url` into `file`, and return its SHA-256."""
    response = _connect(url, connect_seconds)
    deadline = time.monotonic() + seconds
    digest = hashlib.sha256()
    received = 0
    announced = response.headers.get("Content-Length")
    total = int(announced) if announced and announced.isdigit() else None
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with response, Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(url.rsplit("/", 1)[-1], total=total)
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            digest.update(chunk)
            received += len(chunk)
            progress.update(task, advance=len(chunk))
            if time.monotonic() > deadline:
                raise DownloadError(f"{url} took more than {seconds / 60:.0f} minutes; it was given up")
    if total is not None and received != total:
        raise DownloadError(f"{url} broke off after {received:,} of {total:,} bytes; the part was thrown away")
    return digest.hexdigest()


def _connect(url: str, seconds: float) -> Any:
    """Open `url`, within `seconds` whatever hangs: a socket's timeout does not cover name resolution."""
    answers: queue.Queue[Any] = queue.Queue()

    def connect() -> None:
        try:
            answers.put(urllib.request.urlopen(url, timeout=seconds))  # noqa: S310  (from the table of variants)
        except Exception as error:  # noqa: BLE001  (handed to the thread that waits)
            answers.put(error)

    threading.Thread(target=connect, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer within {seconds:g} s") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, Exception):
        return _reason(error.reason)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
