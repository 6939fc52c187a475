"""What is asked for: the options of a request, and whether the network or the server takes them."""

import argparse
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bulk.errors import BulkError, WrongUse
from export.errors import ConfigError
from export.repository.served_config import read_config, read_rules
from export.weights.digest import sha256_of
from midas_client import DepthClient, InvalidRequestError, MidasClientError, UsageError, probe_photo
from midas_server.backends.in_this_process import network_file
from midas_server.errors import InvalidRequest
from midas_server.options import NAMES, SETTINGS, resolve
from midas_server.repository import VERSION, ManifestError, names_in, network_model, weights_of

Store = Literal["files", "parquet"]
Parameters = dict[str, int | float | str]


@dataclass(frozen=True)
class Request:
    """What every worker has to know.

    Attributes:
        model: the network's name.
        parameters: the options that were given.
        store: one file for each photo, or depth in the columns of Parquet files.
        repository: the model repository; unused with `through`.
        threads: of the network in each worker.
        through: the server's address; empty runs the network in the workers.
        concurrency: photos under way at the server, for each worker.
        timeout: seconds for the answer to one photo, the client's repeated attempts included.
    """

    model: str
    parameters: Parameters
    store: Store = "files"
    repository: str = "model_repository"
    threads: int = 1
    through: str = ""
    concurrency: int = 16
    timeout: float = 120.0


def option(text: str) -> tuple[str, int | float | str]:
    """Read NAME=VALUE, for argparse."""
    name, _, value = text.partition("=")
    if name not in NAMES or not value:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE with one of {', '.join(NAMES)}")
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return name, kind(value)
    return name, value


def check(request: Request) -> dict[str, Any]:
    """Check the request against the network or the server.

    Returns:
        What a run must keep from its first start to its last: `variant`, `weights`, `network` (a digest of the model's
        file), `options` as resolved, and `store`.

    Raises:
        WrongUse: an option is not allowed.
        BulkError: there is no such network, or the server does not answer.
    """
    found = _of_server(request) if request.through else _of_repository(request)
    return {**found, "store": request.store}


def client_options(parameters: Mapping[str, int | float | str]) -> dict[str, Any]:
    """Return the options as the client's keywords: numbers of filters are in `settings`."""
    settings = {name: value for name, value in parameters.items() if name in SETTINGS}
    others: dict[str, Any] = {name: value for name, value in parameters.items() if name not in SETTINGS}
    return {**others, "settings": settings}


def _of_repository(request: Request) -> dict[str, Any]:
    repository, model = Path(request.repository), request.model
    folder = repository / network_model(model)
    try:
        if model not in names_in(repository):
            there = ", ".join(names_in(repository)) or "none"
            raise BulkError(f"there is no network {model} in {repository}; there are: {there}. make models exports one")
        rules = read_rules(repository, model)
        rules.check_default()
        resolved = resolve(request.parameters, rules)
        weights = weights_of(repository, model) or "unknown"
        digest = sha256_of(network_file(folder / VERSION, read_config(folder)))
    except InvalidRequest as error:
        raise WrongUse(str(error)) from None
    except FileNotFoundError as error:
        raise BulkError(f"there is no {error.filename}: make models exports the network") from None
    except (ConfigError, ManifestError, ValueError, OSError) as error:
        raise BulkError(f"{model} cannot be run here: {error}") from None
    return {"variant": rules.variant, "weights": weights, "network": digest, "options": resolved.as_json()}


def _of_server(request: Request) -> dict[str, Any]:
    """Ask the server for the depth of a small grey photo: it checks the options, and says what answers."""
    try:
        with DepthClient(request.through, timeout=request.timeout) as client:
            answer = client.predict(probe_photo(), model=request.model, **client_options(request.parameters))
    except (UsageError, InvalidRequestError) as error:
        raise WrongUse(str(error)) from None
    except MidasClientError as error:
        raise BulkError(str(error)) from None
    options = dict(answer.options)
    return {"variant": answer.variant, "weights": answer.weights, "network": answer.weights, "options": options}
