"""Triton's model repository API over HTTP, with the key that our launcher restricts it to."""

import json
import urllib.error
import urllib.request
from typing import Any

# The header's name is ours to choose and Triton's to check.
KEY_HEADER = "midas-launcher-key"
# The largest networks take a minute.
LOADED_WITHIN = 300.0


class RepositoryApiError(RuntimeError):
    """Triton refused a call, or gave no answer; the text is its own."""


class RepositoryApi:
    """Loads and lists models of a server that this process has started.

    Every call opens a connection of its own: one kept open would hold up the server's exit.
    """

    def __init__(self, url: str, key: str) -> None:
        self._url = f"http://{url}/v2"
        self._key = key
        # not by way of the proxy that the environment may name
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def live(self) -> bool:
        """Whether the server answers at all."""
        try:
            self._call("health/live", timeout=2)
        except RepositoryApiError:
            return False
        return True

    def ready(self) -> bool:
        """What Triton itself thinks: of 24.10 that is no word about steps that are dead or hang."""
        try:
            self._call("health/ready", timeout=2)
        except RepositoryApiError:
            return False
        return True

    def index(self) -> list[dict[str, str]]:
        """Every model of the repository: `name`, and where loading was tried `state` and `reason`."""
        models: list[dict[str, str]] = json.loads(self._call("repository/index", {}, timeout=10))
        return models

    def config(self, model: str) -> dict[str, Any]:
        """The config that a loaded model runs with."""
        config: dict[str, Any] = json.loads(self._call(f"models/{model}/config", timeout=10))
        return config

    def load(self, model: str, config: dict[str, Any]) -> None:
        """Load a model with this config, or swap a loaded one for it without a gap."""
        self._call(
            f"repository/models/{model}/load", {"parameters": {"config": json.dumps(config)}}, timeout=LOADED_WITHIN
        )

    def _call(self, path: str, body: dict[str, Any] | None = None, *, timeout: float) -> bytes:
        """GET, or POST where there is a body."""
        request = urllib.request.Request(  # noqa: S310  (the address is our own server's)
            f"{self._url}/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={KEY_HEADER: self._key},
        )
        try:
            with self._open(request, timeout=timeout) as response:
                return bytes(response.read())
        except urllib.error.HTTPError as error:
            raise RepositoryApiError(_message(error.read()) or f"{path}: HTTP {error.code}") from error
        except OSError as error:
            raise RepositoryApiError(f"{path}: {error}") from error


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return ""
