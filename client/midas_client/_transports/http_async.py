"""HTTP for the client that is awaited, on aiohttp, which tritonclient's own asyncio client uses too.

aiohttp rather than that client for the sake of one encoding, one reading of answers and one set of errors for both
transports of this protocol, and for connections that fail within the connect timeout.
"""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
from yarl import URL

from midas_client._address import Address
from midas_client._errors import MidasClientError, connection_lost, no_answer, no_connection
from midas_client._security import Security
from midas_client._transport import InferRequest, InferResponse
from midas_client._transports.answer import PLAIN, PlainOutputs, closed
from midas_client._transports.http_messages import HttpAnswer, HttpMessages, HttpRequest, reason, tls_context


class AsyncHttpTransport:
    """Connections to one server, opened when needed and kept for the next call."""

    def __init__(self, address: Address, connect: float, security: Security) -> None:
        self._address = address
        self._connect_timeout = connect
        self._security = security
        self._messages = HttpMessages(address)
        self._tls = tls_context(security) if address.tls else None
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def infer(self, request: InferRequest, timeout: float, outputs: PlainOutputs = PLAIN) -> InferResponse:
        answer = await self._exchange(self._messages.depth(request, timeout, outputs), timeout)
        return self._messages.read_depth(answer, request, outputs)

    async def is_ready(self, model: str | None, timeout: float) -> bool:
        return self._messages.read_is_ready(await self._exchange(self._messages.is_ready(model), timeout))

    async def statistics(self, timeout: float) -> list[dict[str, Any]]:
        return self._messages.read_statistics(await self._exchange(self._messages.statistics(), timeout))

    async def model_config(self, model: str, timeout: float) -> dict[str, Any]:
        return self._messages.read_config(await self._exchange(self._messages.config(model), timeout))

    async def server_version(self, timeout: float) -> str:
        return self._messages.read_server_version(await self._exchange(self._messages.server_version(), timeout))

    async def register_region(self, name: str, size: int, timeout: float) -> None:
        self._messages.read_done(await self._exchange(self._messages.register_region(name, size), timeout))

    async def unregister_region(self, name: str, timeout: float) -> None:
        self._messages.read_done(await self._exchange(self._messages.unregister_region(name), timeout))

    async def region_names(self, timeout: float) -> list[str]:
        return self._messages.read_region_names(await self._exchange(self._messages.region_names(), timeout))

    async def close(self) -> None:
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _exchange(self, request: HttpRequest, timeout: float) -> HttpAnswer:
        """Send one request and read all of the answer."""
        if self._closed:
            raise closed()
        headers = {**self._security.headers(), **request.headers}
        failure: MidasClientError
        try:
            # aiohttp's limits are for parts of an exchange; this one is for all of it.
            return await asyncio.wait_for(self._send(request, headers), timeout)
        except aiohttp.ConnectionTimeoutError:
            failure = no_connection(str(self._address), "timed out")
        except (TimeoutError, asyncio.TimeoutError):
            failure = no_answer(str(self._address), request.id)
        except aiohttp.ClientConnectorCertificateError as error:
            failure = no_connection(str(self._address), reason(error.certificate_error))
        except aiohttp.ClientConnectorError as error:
            failure = no_connection(str(self._address), reason(error.os_error))
        except aiohttp.ServerDisconnectedError:
            failure = connection_lost(str(self._address), "the server closed it", request.id)
        except (aiohttp.ClientOSError, aiohttp.ClientPayloadError, OSError) as error:
            failure = connection_lost(str(self._address), reason(error), request.id)
        except aiohttp.ClientResponseError as error:
            failure = self._messages.not_triton(ValueError(error.message), request.id)
        except (aiohttp.ClientError, RuntimeError) as error:
            # A session that is closed while a call waits for it says so with one of these.
            failure = closed() if self._closed else connection_lost(str(self._address), reason(error), request.id)
        raise closed() if self._closed else failure

    async def _send(self, request: HttpRequest, headers: dict[str, str]) -> HttpAnswer:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=self._tls if self._tls is not None else True),
                timeout=aiohttp.ClientTimeout(total=None, connect=self._connect_timeout),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        # The path is quoted already.
        url = URL(f"{'https' if self._address.tls else 'http'}://{self._address.target}{request.path}", encoded=True)
        async with self._session.request(
            request.method, url, data=request.body, headers=headers, allow_redirects=False
        ) as response:
            return HttpAnswer(response.status, response.headers, await response.read())
