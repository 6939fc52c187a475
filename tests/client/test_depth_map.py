"""The answer as a Python object: from outputs to fields, files and colours."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from midas_client import AnswerError, DepthMap, InferRequest, InferResponse, MetricDepth, MetricFitError, OptionError
from midas_client._colormap import COLORMAPS, colour_table
from midas_client._depth_map import depth_map_from
from midas_client._options import Format
from midas_server.imaging.geometry import resize_depth

REQUEST = InferRequest("some_model", b"photo", {}, "id7")

MakeResponse = Callable[..., InferResponse]
MakeInfo = Callable[..., bytes]


def map_of(
    depth: npt.NDArray[np.float32],
    photo_size: tuple[int, int] = (40, 30),
    format: Format = "float32",
    sent: bytes = b"",
) -> DepthMap:
    return DepthMap(depth, "m", "v", "default", photo_size, (32, 32), {"network": 2.0}, {"format": format}, sent)


def noise(width: int, height: int) -> npt.NDArray[np.float32]:
    """Values around 1e4, as MiDaS v2.1 gives them."""
    return (np.random.default_rng(0).random((height, width)) * 300 + 1e4).astype(np.float32)


def opened(png: bytes) -> npt.NDArray[np.uint8]:
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB"))


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
    assert "DepthMap(depth=" not in repr(depth_map)


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


@pytest.mark.parametrize("name", ["depth.tif", "depth.tiff", "depth.PFM"])
def test_save_floats(tmp_path: Path, name: str) -> None:
    depth = noise(7, 5)
    map_of(depth).save(tmp_path / name)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / name), cv2.IMREAD_UNCHANGED), depth)


@pytest.mark.parametrize("name", ["depth", "depth.jpg", "depth.png.zip", "depth.exr"])
def test_save_knows_five_endings(tmp_path: Path, make_response: MakeResponse, name: str) -> None:
    with pytest.raises(
        OptionError, match=r"Allowed: \.png, \.npy, \.tif, \.tiff, \.pfm; and \.png or \.jpg with a colormap"
    ):
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


@pytest.mark.parametrize("size", [(64, 48), (53, 100), (531, 371), (54, 37), (53, 38)])
def test_larger_as_the_server_does_it(size: tuple[int, int]) -> None:
    depth = noise(53, 37)
    resized = map_of(depth).resize(size)
    assert resized.depth.dtype == np.float32
    np.testing.assert_allclose(resized.depth, resize_depth(depth, size), rtol=5e-7)


@pytest.mark.parametrize("size", [(20, 10), (52, 36), (1, 1), (26, 37), (53, 1)])
def test_smaller_by_averages(size: tuple[int, int]) -> None:
    depth = noise(53, 37)
    expected = cv2.resize(depth, size, interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(map_of(depth).resize(size).depth, expected, rtol=5e-7)


def test_each_axis_on_its_own() -> None:
    depth = noise(40, 6)
    by_steps = map_of(depth).resize((10, 6)).resize((10, 30))
    np.testing.assert_array_equal(map_of(depth).resize((10, 30)).depth, by_steps.depth)


@pytest.mark.parametrize("size", [(64, 48), (7, 5), (64, 5), (7, 48)])
def test_flat_depth_stays_flat(size: tuple[int, int]) -> None:
    resized = map_of(np.full((31, 43), 0.1, np.float32)).resize(size)
    assert (resized.depth == np.float32(0.1)).all()


def test_resizing_changes_nothing_else() -> None:
    depth = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    before = map_of(depth, format="png16", sent=png16(np.zeros((3, 4), np.uint16)))
    after = before.resize((8, 6))
    for name in ("model", "variant", "weights", "photo_size", "network_size", "timings", "options"):
        assert getattr(after, name) == getattr(before, name)
    assert after.encoded == b""
    assert before.depth.shape == (3, 4)
    with pytest.raises(ValueError, match="read-only"):
        after.depth[0, 0] = 1
    assert not np.shares_memory(before.resize((4, 3)).depth, before.depth)


def test_a_resized_png16_is_saved_as_it_is_now(tmp_path: Path) -> None:
    depth = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    resized = map_of(depth, format="png16", sent=png16(np.zeros((3, 4), np.uint16))).resize((8, 6))
    resized.save(tmp_path / "depth.png")
    saved = cv2.imread(str(tmp_path / "depth.png"), cv2.IMREAD_UNCHANGED)
    assert saved.dtype == np.uint16
    assert (saved.shape, saved.max()) == ((6, 8), 65535)


@pytest.mark.parametrize("size", [(0, 5), (5,), (5, 5, 5), (2.0, 2), "ab", 5, (True, True), (-1, 5), None])
def test_sizes_that_are_none(size: object) -> None:
    with pytest.raises(OptionError, match=r"size is .*\(width, height\)"):
        map_of(noise(4, 3)).resize(size)  # type: ignore[arg-type]


def test_a_picture_has_no_depth_for_anything() -> None:
    picture = map_of(np.zeros((0, 0), np.float32), format="png8", sent=b"a picture")
    with pytest.raises(OptionError, match="no depth to resize: format=png8"):
        picture.resize((4, 3))
    with pytest.raises(OptionError, match="no depth to project: format=png8"):
        picture.point_cloud(fov=60)
    with pytest.raises(MetricFitError, match=r"no depth to fit: format=png8 asked for a picture\. Ask for float32"):
        picture.to_metric([(0, 0, 1), (1, 1, 2)])


def test_a_notebook_shows_colours() -> None:
    depth_map = map_of(noise(40, 30))
    np.testing.assert_array_equal(opened(depth_map._repr_png_()), depth_map.colorize("inferno"))


@pytest.mark.parametrize(("size", "shown"), [((1536, 4), (768, 2)), ((5, 1000), (4, 768)), ((769, 1), (768, 1))])
def test_a_notebook_shows_at_most_768_pixels(size: tuple[int, int], shown: tuple[int, int]) -> None:
    assert opened(map_of(noise(*size))._repr_png_()).shape == (shown[1], shown[0], 3)


def test_a_notebook_shows_the_servers_picture() -> None:
    colours = np.full((6, 8, 3), (200, 100, 50), np.uint8)
    files = {}
    for kind in ("PNG", "JPEG"):
        file = io.BytesIO()
        Image.fromarray(colours).save(file, kind)
        files[kind] = file.getvalue()
    empty = np.zeros((0, 0), np.float32)
    assert map_of(empty, format="color_png", sent=files["PNG"])._repr_png_() == files["PNG"]
    shown = opened(map_of(empty, format="color_jpeg", sent=files["JPEG"])._repr_png_())
    np.testing.assert_allclose(shown, colours, atol=3)


@pytest.mark.parametrize("name", ["depth.png", "depth.jpg", "depth.JPEG"])
def test_save_as_a_picture(tmp_path: Path, name: str) -> None:
    depth_map = map_of(np.linspace(0, 1, 64 * 48, dtype=np.float32).reshape(48, 64))
    depth_map.save(tmp_path / name, colormap="turbo")
    with Image.open(tmp_path / name) as picture:
        assert (picture.mode, picture.size) == ("RGB", (64, 48))
        difference = np.abs(np.asarray(picture).astype(int) - depth_map.colorize("turbo"))
    assert difference.mean() < 4
    with pytest.raises(OptionError, match=r"A picture cannot be saved as '.tif'. Allowed: .png, .jpg"):
        depth_map.save(tmp_path / "depth.tif", colormap="turbo")


@pytest.mark.filterwarnings("error")
def test_values_that_are_not_finite_are_saved_without_warnings(tmp_path: Path) -> None:
    depth = np.array([[np.nan, -np.inf, 1.0], [2.0, 3.0, np.inf]], np.float32)
    depth_map = DepthMap(depth, "m", "v", "default", (3, 2), (3, 2), {}, {"format": "float32"})
    depth_map.save(tmp_path / "depth.png")
    with Image.open(tmp_path / "depth.png") as picture:
        assert np.asarray(picture).tolist() == [[0, 0, 0], [32768, 65535, 65535]]
    depth_map.save(tmp_path / "depth.jpg", colormap="turbo")
    metric = MetricDepth(np.array([[np.nan, np.inf, 3e38]], np.float32), 1.0, 0.0, 0.0, np.zeros(2), (3, 1))
    metric.save(tmp_path / "metres.png")
    with Image.open(tmp_path / "metres.png") as picture:
        assert np.asarray(picture).tolist() == [[0, 65535, 65535]]
