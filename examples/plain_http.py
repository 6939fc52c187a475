"""Plain HTTP without the client package: one photo, with Python's standard library alone.

Run it against a server that was started with `make serve`. Other languages can follow it line by line:

    python examples/plain_http.py photo.jpg

It writes photo_depth.png to the current folder: 16-bit grey, white is near, or far where the unit is metres. It prints
the unit and the range of the depth, as depth = low + value / 65535 * (high - low). What the client package adds:
retries, deadlines, arrays, clear errors.
"""

import argparse
import http.client
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

LENGTH = "Inference-Header-Content-Length"  # of the JSON in front of the binary data, in the request and the answer


def infer(url: str, photo: bytes, parameters: dict[str, str | int]) -> dict[str, bytes]:
    """Sends a photo and returns ENCODED (a file) and INFO (JSON)."""
    data = len(photo).to_bytes(4, "little") + photo  # a BYTES tensor: each element has its length in front
    image = {"name": "IMAGE", "datatype": "BYTES", "shape": [1, 1], "parameters": {"binary_data_size": len(data)}}
    outputs = [{"name": name, "parameters": {"binary_data": True}} for name in ("ENCODED", "INFO")]
    header = json.dumps({"inputs": [image], "outputs": outputs, "parameters": parameters}).encode()
    request = urllib.request.Request(url, header + data, {LENGTH: str(len(header))})
    with urllib.request.urlopen(request, timeout=30) as response:
        body, position = response.read(), int(response.headers[LENGTH])
    found = {}
    for output in json.loads(body[:position])["outputs"]:  # the binary data follows in this order
        size = output["parameters"]["binary_data_size"]
        found[output["name"]] = body[position + 4 : position + size]  # again with its length in front
        position += size
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Depth of one photo over plain HTTP, without the client package.")
    parser.add_argument("photo", type=Path, help="a JPEG, PNG or WebP file")
    parser.add_argument("--url", default="http://localhost:8000", help="of the server (default: %(default)s)")
    arguments = parser.parse_args()
    url = f"{arguments.url}/v2/models/default/infer"
    found = infer(url, arguments.photo.read_bytes(), {"format": "png16"})

    target = Path(f"{arguments.photo.stem}_depth.png")
    target.write_bytes(found["ENCODED"])
    info = json.loads(found["INFO"])
    size = f"{info['output']['width']} x {info['output']['height']}"
    print(f"{target}: {size}, {info['unit']}, low and high: {info['range']}")


if __name__ == "__main__":
    try:
        main()
    except urllib.error.HTTPError as error:  # 400: the photo or an option is wrong; 404: no such model; 503: busy
        sys.exit(f"plain_http: HTTP {error.code}: {error.read(2000).decode(errors='replace')}")
    except OSError as error:  # no such photo, no connection, or no answer for 30 seconds
        sys.exit(f"plain_http: {getattr(error, 'reason', error)}")
    except (http.client.HTTPException, LookupError, TypeError, ValueError):
        sys.exit("plain_http: the answer is not one of a depth server. HTTP is usually http://HOST:8000")
