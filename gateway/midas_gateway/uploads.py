"""A photo out of a request, within the limits: of its bytes, of its time, and of all uploads together.

The body is read here and nowhere else, as it comes. Nothing is spooled to disk, and what is refused is not read on: a
framework's own form would have taken all of it before anything of ours could look. (Starlette's `max_body_size` is not
used since it answers with a plain text.)

    body -> chunks within the limits -> multipart | JSON | the photo itself -> Upload
"""

from __future__ import annotations

import base64
import binascii
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import anyio
from fastapi import Request
from python_multipart.multipart import parse_options_header

from midas_gateway.form import Form
from midas_gateway.metrics import UPLOADS
from midas_gateway.problems import Problem

PHOTO_TYPES = ("image/jpeg", "image/png", "image/webp")
# Of a form or a JSON document beside its photo.
_BESIDE = 64_000
_MOST_PARTS = 64


@dataclass
class Upload:
    """What a request brought.

    Attributes:
        photo: the encoded file.
        fields: the options beside it, by name.
    """

    photo: bytes = field(repr=False)
    fields: dict[str, object]


class UploadMemory:
    """The bytes that the uploads under way hold in this process.

    Args:
        limit: for all of them.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    @contextmanager
    def share(self) -> Iterator[Share]:
        """A share for one upload, which gives all back when it is left."""
        share = Share(self)
        try:
            yield share
        finally:
            self.held -= share.held
            UPLOADS.dec(share.held)


class Share:
    """What one upload holds of the memory for all."""

    def __init__(self, memory: UploadMemory) -> None:
        self._memory = memory
        self.held = 0

    def take(self, count: int) -> None:
        """Hold so many bytes more. Raises Problem (503) where all uploads together would hold too much."""
        if self._memory.held + count > self._memory.limit:
            raise Problem(503, "Too many uploads are under way. Send this one again in a few seconds", headers=_CLOSE)
        self._memory.held += count
        UPLOADS.inc(count)
        self.held += count


# The rest of the body is not wanted.
_CLOSE = {"Connection": "close"}


@asynccontextmanager
async def upload(request: Request, memory: UploadMemory, *, photo_bytes: int, seconds: float) -> AsyncIterator[Upload]:
    """The photo and the options that a request brings; its memory counts until the context is left.

    Args:
        request: multipart/form-data with the photo as `image` (or `file`); JSON with `image` as base64 or data URL; or
            the photo itself, with its own media type.
        memory: of all uploads.
        photo_bytes: the largest photo.
        seconds: how long all of the body may take.

    Raises:
        Problem: 400, 408, 413, 415 or 503: what the request brings cannot be used.
    """
    media_type, parameters = content_type(request)
    # Its value is the buffer itself, not a copy.
    whole = io.BytesIO()
    with memory.share() as share:
        if media_type == "multipart/form-data":
            form = Form(
                parameters.get("boundary", ""), file_bytes=photo_bytes, most_parts=_MOST_PARTS, open_sink=io.BytesIO
            )
            await read_body(request, form.feed, share=share, limit=photo_bytes + _BESIDE, seconds=seconds)
            fields, files = form.finish()
            if len(files) > 1:
                raise Problem(400, f"The form has {len(files)} files. Send one photo, or send all of them to /jobs")
            if len(files) != 1 or files[0].field not in ("image", "file"):
                raise Problem(400, "The form must have one photo, in the field `image`: curl -F image=@photo.jpg")
            sink = files[0].sink
            assert isinstance(sink, io.BytesIO)
            yield Upload(sink.getvalue(), dict(fields))
        elif media_type == "application/json":
            # Base64 is longer by a third.
            limit = photo_bytes * 4 // 3 + _BESIDE
            await read_body(request, whole.write, share=share, limit=limit, seconds=seconds)
            yield _from_json(whole.getvalue(), photo_bytes)
        elif media_type.startswith("image/") or media_type == "application/octet-stream":
            await read_body(request, whole.write, share=share, limit=photo_bytes, seconds=seconds)
            photo = whole.getvalue()
            if not photo:
                raise Problem(400, "The body is empty. It must be a photo: JPEG, PNG or WebP")
            yield Upload(photo, {})
        else:
            raise Problem(
                415,
                f"A body of type {media_type or '(none)'} cannot be read. Send a form with the photo as `image`, the "
                "photo itself with its type, or JSON with `image` in base64",
                allowed=["multipart/form-data", "application/json", *PHOTO_TYPES],
                headers=_CLOSE,
            )


async def read_body(
    request: Request, take: Callable[[bytes], object], *, share: Share | None, limit: int, seconds: float
) -> None:
    """Read the body as it comes.

    Args:
        request: whose body has not been read.
        take: gets the bytes piece by piece.
        share: counts them; None where take() writes them to disk.
        limit: the most bytes.
        seconds: how long all of it may take.

    Raises:
        Problem: 408, 413, 503; or 400 where the caller goes away before its end.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    count = 0
    try:
        with anyio.fail_after(seconds):
            while True:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise Problem(400, "The connection was closed before the upload was complete")
                chunk: bytes = message.get("body", b"")
                count += len(chunk)
                if count > limit:
                    raise _too_large(limit)
                if share is not None:
                    share.take(len(chunk))
                take(chunk)
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        raise Problem(
            408, f"The upload was not complete after {seconds:g} s. Send a smaller photo", headers=_CLOSE
        ) from None


def content_type(request: Request) -> tuple[str, dict[str, str]]:
    """The media type of the body, in small letters, and its parameters."""
    media_type, parameters = parse_options_header(request.headers.get("content-type", ""))
    return media_type.decode("latin-1").lower(), {
        name.decode("latin-1"): value.decode("latin-1") for name, value in parameters.items()
    }


def _too_large(limit: int) -> Problem:
    return Problem(413, f"The upload is larger than {limit:,} bytes. Send a smaller photo", headers=_CLOSE)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Problem(400, "The JSON has a name twice in one object. Give it once")
    return found


def _from_json(text: bytes, photo_bytes: int) -> Upload:
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise Problem(400, 'The body is not a JSON object. It must be like {"image": "<base64>", "filter": "guided"}')
    encoded = document.pop("image", None)
    if not isinstance(encoded, str) or not encoded:
        raise Problem(400, "`image` must be the photo as base64 text, or as a data URL of it")
    if encoded.startswith("data:"):
        head, _, encoded = encoded.partition(",")
        if not head.endswith(";base64"):
            raise Problem(400, "The data URL must be like data:image/jpeg;base64,...")
    elif "://" in encoded[:32]:
        raise Problem(400, "`image` is a URL, and the gateway fetches nothing. Send the photo itself, as base64")
    try:
        photo = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise Problem(400, "`image` is not valid base64") from None
    if not photo:
        raise Problem(400, "The photo is empty")
    if len(photo) > photo_bytes:
        raise _too_large(photo_bytes)
    return Upload(photo, document)
