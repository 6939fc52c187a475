"""What a gateway must refuse, and how fast it does: bombs, paths that lead out, files under a false name."""

import http.client
import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

from benchmarks.errors import BenchmarkError

_ZIP = {"Content-Type": "application/zip"}


@dataclass(frozen=True)
class Refused:
    """A request that must be refused.

    Attributes:
        name: what is wrong with it.
        status: of the answer.
        path, method, headers, body: what is sent.
    """

    name: str
    status: int
    path: str
    method: str = "POST"
    headers: Mapping[str, str] | None = None
    body: bytes = b""

    def ask(self, connection: http.client.HTTPConnection) -> float:
        """Milliseconds until all of the refusal was read. Raises BenchmarkError where it is none, or another one."""
        started = perf_counter()
        connection.request(self.method, self.path, self.body, dict(self.headers or {}))
        answer = connection.getresponse()
        content = answer.read()
        took = (perf_counter() - started) * 1000
        if answer.status != self.status:
            raise BenchmarkError(f"{self.name}: the answer was {answer.status}, {content[:200]!r}")
        return took


def refused_requests() -> list[Refused]:
    """One of each kind."""
    photo = {"Content-Type": "image/jpeg"}
    return [
        Refused("zip bomb: 100 MB of zeros", 413, "/jobs", headers=_ZIP, body=_zip({"a.png": bytes(100_000_000)})),
        Refused("zip of 60,000 entries", 413, "/jobs", headers=_ZIP, body=_zip(dict.fromkeys(_names(60_000), b""))),
        Refused("zip with ../../ in a path", 400, "/jobs", headers=_ZIP, body=_zip({"../../etc/cron.d/a.jpg": b"a"})),
        Refused("zip with an absolute path", 400, "/jobs", headers=_ZIP, body=_zip({"/etc/a.jpg": b"a"})),
        Refused("zip that ends early", 400, "/jobs", headers=_ZIP, body=_zip({"a.jpg": bytes(9999)})[:-30]),
        Refused("../../ in a result's id", 404, "/results/..%2f..%2fetc%2fpasswd", "GET"),
        Refused("../../ in a job's id", 404, "/jobs/..%2f..%2fjobs.sqlite", "GET"),
        Refused("PNG of 30,000 x 30,000 pixels", 400, "/predict", headers={"Content-Type": "image/png"}, body=_bomb()),
        Refused("text called image/jpeg", 415, "/predict", headers=photo, body=b"a letter " * 1000),
        Refused("HEIC called image/jpeg", 415, "/predict", headers=photo, body=b"\0\0\0\x18ftypheic\0\0\0\0heicmif1"),
        Refused("a zip called image/jpeg", 415, "/predict", headers=photo, body=_zip({"a.jpg": bytes(9999)})),
        Refused("a photo called a form", 400, "/predict", headers=_form(), body=b"\xff\xd8\xff" + bytes(100_000)),
    ]


def _names(count: int) -> list[str]:
    return [f"{number:05}.jpg" for number in range(count)]


def _form() -> dict[str, str]:
    return {"Content-Type": "multipart/form-data; boundary=a"}


def _zip(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def _bomb(side: int = 30_000) -> bytes:
    """A PNG of side x side black pixels, one bit each: 110 kB that take 900 MB when they are decoded."""
    rows = zlib.compressobj(9)
    row = bytes(side // 8 + 1)
    pixels = b"".join(rows.compress(row) for _ in range(side)) + rows.flush()
    header = side.to_bytes(4, "big") * 2 + b"\x01\0\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
