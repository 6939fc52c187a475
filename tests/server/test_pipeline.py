"""The pipeline in one process gives what the server gives, bit for bit; it refuses in the same order."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tritonclient.grpc as triton_grpc
from numpy.typing import NDArray
from PIL import Image

from export.repository.served_config import read_rules
from midas_server.errors import InvalidRequest, NetworkFault
from midas_server.imaging.probe import Limits
from midas_server.launch import Triton
from midas_server.options import CHOICES, SETTINGS, VariantRules
from midas_server.pipeline import finish, prepare
from tests.networks import DEFAULT
from tests.server.calls import infer

RULES = VariantRules("v", 256, "upper_bound", 1280 * 1280)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """OpenCV as the steps have it."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(threads)


def requests_with_every_option() -> Iterator[dict[str, Any]]:
    """Each value of each option, and each setting away from its default."""
    yield {}
    yield {"resolution": 384}
    for name, values in CHOICES.items():
        needed = {"colormap": {"format": "color_png"}, "equalize": {"format": "png8"}}.get(name, {})
        yield from ({**needed, name: value} for value in values)
    for name, setting in SETTINGS.items():
        needed = {"format": "png8"} if setting.option == "equalize" else {}
        yield {**needed, setting.option: setting.value, name: setting.high}
    yield {"filter": "guided", "output_size": "network"}
    yield {"filter": "crf", "format": "color_jpeg", "equalize": "clahe", "colormap": "turbo"}


def turned(photo: bytes) -> bytes:
    """The photo as a PNG on its side, with the EXIF orientation that puts it upright."""
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.open(io.BytesIO(photo)).crop((100, 0, 400, 427)).transpose(Image.Transpose.ROTATE_90).save(
        file, "PNG", exif=exif
    )
    return file.getvalue()


def enlarged(photo: bytes) -> bytes:
    """A 1600x1067 JPEG, which is decoded at a reduced size where only the network looks at it."""
    file = io.BytesIO()
    Image.open(io.BytesIO(photo)).resize((1600, 1067)).save(file, "JPEG", quality=92)
    return file.getvalue()


def network_of(client: Any, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the served network step gives for pixels `[h, w, 3]`: both ways have the same network."""
    tensor = triton_grpc.InferInput("PIXELS", [1, *pixels.shape], "UINT8")
    tensor.set_data_from_numpy(pixels[np.newaxis])
    answer = client.infer(f"{DEFAULT}_network", [tensor], client_timeout=60)
    return np.asarray(answer.as_numpy("INVERSE_DEPTH")[0], np.float32)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("kind", ["as it is", "turned", "enlarged"])
def test_the_pipeline_answers_what_the_server_answers(
    triton: Triton, repository: Path, photo: bytes, kind: str
) -> None:
    sent = {"as it is": photo, "turned": turned(photo), "enlarged": enlarged(photo)}[kind]
    rules = read_rules(repository, DEFAULT)
    with triton_grpc.InferenceServerClient(triton.grpc_url) as client:
        for parameters in requests_with_every_option():
            prepared = prepare(sent, parameters, rules)
            result = finish(network_of(client, prepared.pixels), prepared.guide, prepared.task)
            depth, encoded, info = infer(triton, sent, DEFAULT, **parameters)
            expected = np.empty((0, 0), np.float32) if result.depth is None else result.depth
            np.testing.assert_array_equal(depth[0], expected, err_msg=str(parameters))
            assert encoded == result.encoded, parameters
            assert tuple(info["range"]) == result.value_range, parameters
            assert info["options"] == prepared.task.options.as_json()
            for name, size in (("photo", prepared.task.photo), ("network", prepared.task.network)):
                assert (info[name]["width"], info[name]["height"]) == size


@pytest.mark.parametrize(
    ("parameters", "sent", "limits", "reason"),
    [
        ({"filter": "sharpen"}, b"no photo", Limits(), "option"),
        ({}, b"no photo", Limits(), "header"),
        ({"resolution": 1280}, "photo", Limits(max_pixels=10), "header"),
        ({"resolution": 1280}, "photo", Limits(), "size"),
        ({}, "half", Limits(), "damaged"),
    ],
)
def test_a_refusal_has_a_reason(
    photo: bytes, parameters: dict[str, object], sent: str | bytes, limits: Limits, reason: str
) -> None:
    counted: list[str] = []

    @contextmanager
    def refusing(reason: str) -> Iterator[None]:
        try:
            yield
        except InvalidRequest:
            counted.append(reason)
            raise

    data = {"photo": photo, "half": photo[: len(photo) // 2]}.get(sent, sent) if isinstance(sent, str) else sent
    rules = VariantRules("v", 256, "upper_bound", 256 * 256)
    with pytest.raises(InvalidRequest):
        prepare(data, parameters, rules, limits, refusing)  # type: ignore[arg-type]
    assert counted == [reason]


def test_the_guide_is_there_for_the_filters_that_look_at_the_photo(photo: bytes) -> None:
    assert prepare(photo, {"filter": "median"}, RULES).guide is None
    for parameters, shape in [({}, (427, 640, 3)), ({"output_size": "network"}, (160, 256, 3))]:
        guide = prepare(photo, {"filter": "crf", **parameters}, RULES).guide
        assert guide is not None
        assert guide.shape == shape


def test_a_broken_network_is_told(photo: bytes) -> None:
    task = prepare(photo, {}, RULES).task
    with pytest.raises(NetworkFault, match="v gave depth of 4x4 for an input of 256x160"):
        finish(np.zeros((4, 4), np.float32), None, task)
