"""HTTP as uvicorn speaks it, but that what is no HTTP is told so as everything else is: by a problem document."""

from __future__ import annotations

import json
import secrets

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from midas_gateway.access import write_line
from midas_gateway.problems import MEDIA_TYPE, Problem, document_of


class Protocol(HttpToolsProtocol):
    """One connection."""

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
