"""The answer as a Python object: from outputs to fields, files and colours."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from midas_client import AnswerError, DepthMap, InferRequest, InferResponse, OptionError
from midas_client._colormap import COLORMAPS, colour_table
from midas_client._depth_map import depth_map_from

REQUEST = InferRequest("some_model", b"photo", {}, "id7")

MakeResponse = Callable[..., InferResponse]
MakeInfo = Callable[..., bytes]


def png16(values: np.ndarray[tuple[int, ...], np.dtype[np.uint16]]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return file.getvalue()


def test_fields(make_response: MakeResponse) -> None:
    depth_map = depth_map_from(REQUEST, make_response())
    assert depth_map.model == "some_model"
    assert depth_map.variant == "midas_v21_small_256"
    assert depth_map.weights == "official"
    assert depth_map.photo_size == (4, 3)
    assert depth_map.network_size == (256, 192)
    assert depth_map.depth.shape == (3, 4)
    assert depth_map.depth.dtype == np.float32
    assert depth_map.options["output_size"] == "photo"
    assert depth_map.timings == {"preprocess": 1.0, "network": 2.0, "postprocess": 3.0}
    assert depth_map.encoded == b""
    assert "depth=" not in repr(depth_map)


def test_depth_is_read_only_and_travels_between_processes(make_response: MakeResponse) -> None:
    depth_map = depth_map_from(REQUEST, make_response())
    with pytest.raises(ValueError, match="read-only"):
        depth_map.depth[0, 0] = 1
    copy: DepthMap = pickle.loads(pickle.dumps(depth_map))  # noqa: S301 - our own bytes
    assert np.array_equal(copy.depth, depth_map.depth)
    assert copy.options == depth_map.options


def test_png16_is_decoded_with_the_range_of_info(make_response: MakeResponse, make_info: MakeInfo) -> None:
    values = np.array([[0, 1, 32768], [65535, 500, 2]], dtype=np.uint16)
    answer = make_response(np.zeros((0, 0), np.float32), png16(values), make_info(low=-2.0, high=10.0, format="png16"))
    depth_map = depth_map_from(REQUEST, answer)
    assert depth_map.depth.dtype == np.float32
    np.testing.assert_allclose(depth_map.depth, -2.0 + values / 65535.0 * 12.0, rtol=1e-6)
    assert depth_map.encoded == answer.encoded


def test_float16_has_the_size_of_info(make_response: MakeResponse, make_info: MakeInfo, tmp_path: Path) -> None:
    halves = np.arange(12, dtype="<f2").reshape(3, 4) / 7
    empty = np.zeros((0, 0), np.float32)
    depth_map = depth_map_from(REQUEST, make_response(empty, halves.tobytes(), make_info(format="float16")))
    assert depth_map.depth.dtype == np.float32
    np.testing.assert_array_equal(depth_map.depth, halves)
    depth_map.save(tmp_path / "depth.png")
    with Image.open(tmp_path / "depth.png") as picture:
        assert (picture.size, picture.mode[0]) == ((4, 3), "I")
    with pytest.raises(AnswerError, match="cannot reshape"):
        depth_map_from(REQUEST, make_response(empty, halves.tobytes()[:-2], make_info(format="float16")))


@pytest.mark.parametrize(("format", "ending"), [("png8", ".png"), ("color_png", ".png"), ("color_jpeg", ".jpg")])
def test_a_picture_is_passed_on_as_it_is(
    make_response: MakeResponse, make_info: MakeInfo, tmp_path: Path, format: str, ending: str
) -> None:
    empty = np.zeros((0, 0), np.float32)
    depth_map = depth_map_from(REQUEST, make_response(empty, b"a picture", make_info(format=format)))
    assert depth_map.depth.shape == (0, 0)
    assert depth_map.encoded == b"a picture"
    depth_map.save(tmp_path / f"picture{ending}")
    assert (tmp_path / f"picture{ending}").read_bytes() == b"a picture"
    with pytest.raises(OptionError, match=f"A {format} cannot be saved as '.npy'. Allowed: \\{ending}"):
        depth_map.save(tmp_path / "depth.npy")
    with pytest.raises(OptionError, match=f"no depth to colour: format={format}"):
        depth_map.colorize()
    with pytest.raises(AnswerError, match="ENCODED is empty"):
        depth_map_from(REQUEST, make_response(empty, b"", make_info(format=format)))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"info_json": b"not json"}, "Expecting value"),
        ({"info_json": b"[]"}, "list indices"),
        ({"info_json": b"{}"}, "INFO has no 'options'"),
        ({"depth": np.zeros((0, 0), np.float32)}, "DEPTH has shape"),
        ({"encoded": b"not a PNG"}, "not a PNG"),
        ({"encoded": png16(np.zeros((2, 2), np.uint16))[:40]}, ""),
    ],
)
def test_answers_of_something_else(make_response: MakeResponse, change: dict[str, object], reason: str) -> None:
    with pytest.raises(AnswerError, match=f"some_model is not a depth map.*{reason}") as caught:
        depth_map_from(REQUEST, make_response(**change))
    assert caught.value.request_id == "id7"


def test_eight_bit_png_is_not_a_depth(make_response: MakeResponse) -> None:
    file = io.BytesIO()
    Image.new("RGB", (4, 3)).save(file, "PNG")
    with pytest.raises(AnswerError, match="PNG of mode RGB"):
        depth_map_from(REQUEST, make_response(encoded=file.getvalue()))


def test_save_png(tmp_path: Path, make_response: MakeResponse) -> None:
    depth_map_from(REQUEST, make_response()).save(tmp_path / "depth.PNG")
    with Image.open(tmp_path / "depth.PNG") as picture:
        saved = np.asarray(picture)
    assert saved.dtype == np.uint16
    np.testing.assert_array_equal(saved, np.rint(np.arange(12).reshape(3, 4) / 11 * 65535).astype(np.uint16))


def test_save_png_writes_the_servers_file_unchanged(tmp_path: Path, make_response: MakeResponse) -> None:
    encoded = png16(np.arange(12, dtype=np.uint16).reshape(3, 4))
    depth_map_from(REQUEST, make_response(encoded=encoded)).save(str(tmp_path / "depth.png"))
    assert (tmp_path / "depth.png").read_bytes() == encoded


def test_save_npy(tmp_path: Path, make_response: MakeResponse) -> None:
    depth_map = depth_map_from(REQUEST, make_response())
    depth_map.save(tmp_path / "depth.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "depth.npy"), depth_map.depth)


@pytest.mark.parametrize("name", ["depth", "depth.jpg", "depth.png.zip"])
def test_save_knows_two_formats(tmp_path: Path, make_response: MakeResponse, name: str) -> None:
    with pytest.raises(OptionError, match=r"Allowed: \.png, \.npy"):
        depth_map_from(REQUEST, make_response()).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_flat_depth_has_a_picture(tmp_path: Path, make_response: MakeResponse) -> None:
    depth_map = depth_map_from(REQUEST, make_response(np.full((3, 4), 5.0, np.float32)))
    depth_map.save(tmp_path / "flat.png")
    with Image.open(tmp_path / "flat.png") as picture:
        assert not np.asarray(picture).any()
    assert (depth_map.colorize() == colour_table("inferno")[0]).all()


@pytest.mark.parametrize("colormap", COLORMAPS)
def test_colorize(make_response: MakeResponse, colormap: str) -> None:
    picture = depth_map_from(REQUEST, make_response()).colorize(colormap)  # type: ignore[arg-type]
    assert picture.shape == (3, 4, 3)
    assert picture.dtype == np.uint8
    table = colour_table(colormap)
    assert table.shape == (256, 3)
    assert (picture[0, 0] == table[0]).all()
    assert (picture[-1, -1] == table[255]).all()


def test_inferno_runs_from_black_to_light_yellow() -> None:
    table = colour_table("inferno")
    assert table[0].tolist() == [0, 0, 4]
    assert table[255].tolist() == [252, 255, 164]


def test_unknown_colormap(make_response: MakeResponse) -> None:
    with pytest.raises(OptionError, match="Allowed: inferno, magma"):
        depth_map_from(REQUEST, make_response()).colorize("sunset")  # type: ignore[arg-type]


def test_info_of_the_contract_is_understood(make_info: MakeInfo) -> None:
    assert {"variant", "weights", "photo", "network", "options", "milliseconds"} <= json.loads(make_info()).keys()
