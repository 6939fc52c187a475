"""HTTP as uvicorn speaks it, with two differences.

What is no HTTP is told so as everything else is: by a problem document. And a caller that would rather speak another
protocol, as Java's HttpClient asks for HTTP/2 with every request, is answered in this one: uvicorn takes the body of
such a request for the next request.
"""

from __future__ import annotations

import json
import secrets
from array import array
from typing import Any

from httptools import HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from midas_gateway.access import write_line
from midas_gateway.problems import MEDIA_TYPE, Problem, document_of


class Parser(HttpRequestParser):
    """Reads the requests of a connection."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        super().__init__(protocol)

    def feed_data(self, data: bytes | bytearray | memoryview | array[int]) -> None:
        """Read on. The head of a request that asks for another protocol is read again as if it did not."""
        try:
            super().feed_data(data)
        except HttpParserUpgrade as upgrade:
            if not self._protocol.asks_for_another():
                raise
            head = self._protocol.head_without_upgrade()
            self._protocol.parser = Parser(self._protocol)
            self._protocol.parser.feed_data(head + bytes(data)[upgrade.args[0] :])


class Protocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.parser = Parser(self)

    def asks_for_another(self) -> bool:
        """Whether the request asks to go on in another protocol. CONNECT is a request of its own kind."""
        return bool(self.parser.should_upgrade()) and self.parser.get_method() != b"CONNECT"

    def head_without_upgrade(self) -> bytes:
        """The request line and the headers that were read, but the one that names another protocol."""
        lines = [b" ".join((self.parser.get_method(), self.url, b"HTTP/" + self.parser.get_http_version().encode()))]
        lines += [b": ".join(header) for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join((*lines, b"", b""))

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        if not self.asks_for_another():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that the request has ended."""
        if not self.asks_for_another():
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be parsed, and close the connection: uvicorn's own answer is a plain text."""
        identity = secrets.token_hex(16)
        problem = Problem(400, "This is no valid HTTP request. Look at its first line, its headers and its chunks")
        body = json.dumps(document_of(problem, path="", request_id=identity)).encode()
        head = (
            f"HTTP/1.1 400 Bad Request\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
            f"X-Request-ID: {identity}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
        caller = self.client[0] if self.client else ""
        write_line(request_id=identity, caller=caller, method="", path="", status=400, size=len(body), seconds=0.0)
