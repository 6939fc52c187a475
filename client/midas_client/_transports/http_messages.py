"""What goes over HTTP, in tritonclient's encoding of tensors: requests, and what their answers mean."""

from __future__ import annotations

import json
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import tritonclient.http as triton

from midas_client._address import Address
from midas_client._errors import AnswerError, MidasClientError, OptionError, error_from_http
from midas_client._security import Security
from midas_client._transport import InferRequest, InferResponse
from midas_client._transports.answer import PlainOutputs, image_tensor, queue_timeout, response_from

_HEADER_LENGTH = "Inference-Header-Content-Length"


@dataclass(frozen=True)
class HttpRequest:
    """One request; path begins with a slash, body None means GET. id is the infer request's."""

    path: str
    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    id: str | None = None

    @property
    def method(self) -> str:
        return "GET" if self.body is None else "POST"


@dataclass(frozen=True)
class HttpAnswer:
    """Status, headers (whose names' case does not matter) and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class HttpMessages:
    """The requests to one server and the readings of its answers. Sends nothing.

    depth() is Transport.infer(), the others have the names of the transport's methods.

    Each request has a reader of its answer, which raises the MidasClientError that the answer is.
    """

    def __init__(self, address: Address) -> None:
        self._address = address

    def depth(self, request: InferRequest, timeout: float, outputs: PlainOutputs) -> HttpRequest:
        body, json_length = triton.InferenceServerClient.generate_request_body(
            [image_tensor(request.image, triton.InferInput)],
            outputs=outputs.requested(triton.InferRequestedOutput),
            request_id=request.id,
            parameters=dict(request.parameters),
            timeout=queue_timeout(timeout),
        )
        headers = {
            **request.all_headers(),
            _HEADER_LENGTH: str(json_length),
            "Content-Type": "application/octet-stream",
            # Or aiohttp asks for gzip: Triton then packs a depth map for longer than the network takes.
            "Accept-Encoding": "identity",
        }
        return HttpRequest(self._path(f"/v2/models/{quote(request.model, safe='')}/infer"), body, headers, request.id)

    def read_depth(self, answer: HttpAnswer, request: InferRequest, outputs: PlainOutputs) -> InferResponse:
        self._raise_for(answer, request.id)
        try:
            result = triton.InferenceServerClient.parse_response_body(
                answer.body, header_length=int(answer.headers.get(_HEADER_LENGTH, ""))
            )
            return response_from(result, request, outputs)
        except (ValueError, KeyError, TypeError, triton.InferenceServerException) as error:
            failure = self.not_triton(error, request.id)
        raise failure

    def is_ready(self, model: str | None) -> HttpRequest:
        return HttpRequest(
            self._path("/v2/health/ready" if model is None else f"/v2/models/{quote(model, safe='')}/ready")
        )

    def read_is_ready(self, answer: HttpAnswer) -> bool:
        if answer.status != 200 and answer.body and not answer.body.startswith(b"{"):
            # Triton says "not ready" without a body or with JSON; a page is somebody else's.
            self._raise_for(answer, None)
        if answer.status in (401, 403):
            self._raise_for(answer, None)
        return answer.status == 200

    def statistics(self) -> HttpRequest:
        return HttpRequest(self._path("/v2/models/stats"))

    def read_statistics(self, answer: HttpAnswer) -> list[dict[str, Any]]:
        return [{**entry, "name": str(entry["name"])} for entry in self._read_json(answer, "model_stats")]

    def config(self, model: str) -> HttpRequest:
        return HttpRequest(self._path(f"/v2/models/{quote(model, safe='')}/config"))

    def read_config(self, answer: HttpAnswer) -> dict[str, Any]:
        self._raise_for(answer, None)
        try:
            return dict(json.loads(answer.body))
        except (ValueError, TypeError) as error:
            failure = self.not_triton(error, None)
        raise failure

    def server_version(self) -> HttpRequest:
        return HttpRequest(self._path("/v2"))

    def read_server_version(self, answer: HttpAnswer) -> str:
        return str(self._read_json(answer, "version"))

    def register_region(self, name: str, size: int) -> HttpRequest:
        body = json.dumps({"key": f"/{name}", "offset": 0, "byte_size": size}).encode()
        return HttpRequest(self._path(f"/v2/systemsharedmemory/region/{name}/register"), body)

    def unregister_region(self, name: str) -> HttpRequest:
        return HttpRequest(self._path(f"/v2/systemsharedmemory/region/{quote(name, safe='')}/unregister"), b"")

    def read_done(self, answer: HttpAnswer) -> None:
        self._raise_for(answer, None)

    def region_names(self) -> HttpRequest:
        return HttpRequest(self._path("/v2/systemsharedmemory/status"))

    def read_region_names(self, answer: HttpAnswer) -> list[str]:
        self._raise_for(answer, None)
        try:
            return [str(region["name"]) for region in json.loads(answer.body)]
        except (ValueError, KeyError, TypeError) as error:
            failure = self.not_triton(error, None)
        raise failure

    def not_triton(self, error: BaseException, request_id: str | None) -> AnswerError:
        """The error for bytes that are not Triton's."""
        return AnswerError(
            f"{self._address} answered with something else than Triton's protocol: {_printable(reason(error))}",
            hint="Is this its HTTP port, usually 8000? For gRPC, usually 8001, write host:port without http://",
            request_id=request_id,
        )

    def _path(self, path: str) -> str:
        return self._address.path + path

    def _read_json(self, answer: HttpAnswer, key: str) -> Any:
        self._raise_for(answer, None)
        try:
            return json.loads(answer.body)[key]
        except (ValueError, KeyError, TypeError) as error:
            failure = self.not_triton(error, None)
        raise failure

    def _raise_for(self, answer: HttpAnswer, request_id: str | None) -> None:
        failure: MidasClientError
        if answer.status != 200:
            failure = error_from_http(answer.status, answer.body, str(self._address), request_id)
            failure.retry_after = retry_after(answer.headers.get("Retry-After"))
            raise failure


def retry_after(header: str | None) -> float | None:
    """Seconds that the header of this name asks to wait, as a number or until a date (RFC 9110, 10.2.3).

    None without the header, and where it holds neither.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    # A date without a zone is in UTC too: "-0000" is read as such.
    return max(0.0, until.replace(tzinfo=until.tzinfo or timezone.utc).timestamp() - time.time())


def tls_context(security: Security) -> ssl.SSLContext:
    """The system's authorities, or those of the caller's file, and the caller's own certificate, if there is one.

    Raises:
        OptionError: a file cannot be read, or is not what it should be.
    """
    try:
        context = ssl.create_default_context(cafile=security.ca)
        if security.certificate is not None:
            # Without a password, which a key that has one would be asked for on the terminal.
            context.load_cert_chain(security.certificate, security.key, password="")
    except OSError as error:
        raise OptionError(
            f"The TLS files cannot be used: {reason(error)}",
            hint="Is the key that of the certificate, and not encrypted?",
        ) from None
    return context


def _printable(text: str) -> str:
    """Control characters, such as those of gRPC's answer to HTTP, as escapes; not more than a line."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)[:200]


def reason(error: BaseException) -> str:
    """Why a connection failed, in a few words."""
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return f"no TLS is spoken there, or none that fits ({error.reason or error})"
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)  # asyncio's own text has the address instead
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
