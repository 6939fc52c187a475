"""Depth by an HTTP POST: REST and a web page in front of a Triton server that serves MiDaS.

A request's way: `access` gives it an id, a log line and its count; `admission` asks for a key and keeps the rate;
`uploads` reads the photo within the limits; `options` checks what was asked; `prediction` asks Triton by the client
SDK; `answers` makes the reply, `results` keeps what a link will fetch. What goes wrong anywhere is a `Problem`.
"""

__version__ = "0.1.0"
