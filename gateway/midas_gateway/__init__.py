"""Depth by an HTTP POST: REST and a web page in front of a Triton server that serves MiDaS.

A request's way: `protocol` reads HTTP; `access` gives it an id, a log line and its count; `admission` asks for one of
the `keys` and keeps the `rates`; `uploads` reads the photo within the limits; `options` checks what was asked;
`prediction` asks Triton by the client SDK; `answers` makes the reply, `result_store` keeps what a link will fetch. What
goes wrong anywhere is a `Problem`.
"""

__version__ = "0.1.0"
