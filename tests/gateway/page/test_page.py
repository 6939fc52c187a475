"""What a visitor does with the page, in a real browser."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import struct
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage
from PIL import Image

from tests.networks import ROOT

pytestmark = pytest.mark.page

PHOTO = Path(skimage.__file__).parent / "data" / "rocket.jpg"
AXE = ROOT / "gateway" / "page" / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
# The first bytes of what an iPhone writes: a box of the kind ftyp, of the brand heic.
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(200)


def until(page: Any, state: Callable[[], Any]) -> Any:
    """What state() gives as soon as it is true."""
    for _ in range(300):
        if found := state():
            return found
        page.wait_for_timeout(50)
    raise AssertionError("it did not come")


def picture(page: Any) -> np.ndarray[Any, Any]:
    """The pixels of the view: uint8 RGBA [H, W, 4], transparent where nothing is drawn."""
    data = page.evaluate("document.getElementById('picture').toDataURL().split(',')[1]")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA")).astype(int)


def changes(page: Any, before: np.ndarray[Any, Any]) -> bool:
    after = picture(page)
    return bool(after.shape == before.shape and (np.abs(after - before).max(axis=2) > 8).mean() > 0.05)


def upload(page: Any, name: str, content: bytes, kind: str = "image/jpeg") -> None:
    page.set_input_files("#file", {"name": name, "mimeType": kind, "buffer": content})


def at(page: Any, x: float, y: float) -> None:
    box = page.locator("#surface").bounding_box()
    page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def has_changed(page: Any, before: np.typing.NDArray[Any]) -> bool:
    """Whether the stage shows another picture than it did."""
    return not np.array_equal(picture(page), before)


def test_a_chosen_photo_gets_its_depth_with_all_its_levels(page: Any) -> None:
    upload(page, "rocket.jpg", PHOTO.read_bytes())
    page.wait_for_selector("body[data-state=result]")
    text = page.text_content("#details")
    assert "640 × 427" in text
    found = re.search(r"([\d,]+) levels", text)
    assert found
    assert int(found[1].replace(",", "")) >= 10_000


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_photo_can_be_dropped_and_pasted(page: Any, kind: str) -> None:
    page.evaluate(
        """async (kind) => {
            const transfer = new DataTransfer();
            const file = await (await fetch("samples/cat.webp")).blob();
            transfer.items.add(new File([file], "cat.webp", { type: "image/webp" }));
            const event = kind === "drop"
                ? new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true })
                : new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true });
            document.body.dispatchEvent(event);
        }""",
        kind,
    )
    page.wait_for_selector("body[data-state=result]")


@pytest.mark.parametrize("page", [PHONE], indirect=True)
def test_a_phone_offers_its_camera_and_nothing_is_wider_than_it(page: Any) -> None:
    assert page.get_attribute("#shot", "capture") == "environment"
    assert page.is_visible("#camera")
    fits = "document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(fits)
    page.click("[data-sample=cat]")
    page.wait_for_selector("body[data-state=result]")
    for view in ("space", "parallax", "measure", "compare"):
        page.click(f"#tab-{view}")
        assert page.evaluate(fits), view


def test_the_slider_moves_the_line_between_photo_and_depth(shown: Any) -> None:
    def share() -> float:
        return float(shown.evaluate("parseFloat(document.getElementById('frame').style.getPropertyValue('--split'))"))

    shown.focus("#split")
    shown.keyboard.press("Home")
    assert share() == 0
    shown.keyboard.press("End")
    assert share() == 100
    box = shown.locator("#surface").bounding_box()
    shown.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 20)
    shown.mouse.down()
    shown.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 20)
    shown.mouse.up()
    assert 28 < share() < 32


def test_colours_range_and_inversion_change_at_once_without_a_request(shown: Any) -> None:
    count = len(shown.asked)
    for change in (
        lambda: shown.check("#maps input[value=viridis]", force=True),
        lambda: shown.check("#invert", force=True),
        lambda: shown.check("input[name=contrast][value=global]", force=True),
        lambda: shown.check("input[name=contrast][value=clahe]", force=True),
        lambda: (shown.focus("#clip"), [shown.keyboard.press("ArrowRight") for _ in range(8)]),
        lambda: shown.check("#contours", force=True),
        lambda: (shown.focus("#far"), [shown.keyboard.press("ArrowRight") for _ in range(80)]),
    ):
        before = picture(shown)
        change()
        until(shown, partial(has_changed, shown, before))
    assert len(shown.asked) == count


def test_the_value_under_the_pointer_is_that_of_the_file(shown: Any) -> None:
    with shown.expect_download() as download:
        shown.click("[data-file=npy]")
    depth = np.load(download.value.path())
    box = shown.locator("#surface").bounding_box()
    shown.mouse.move(box["x"] + 0.41 * box["width"], box["y"] + 0.63 * box["height"])
    text = until(shown, lambda: re.search(r"Value ([\d.-]+)", shown.text_content("#reading")))
    height, width = depth.shape
    around = depth[int(0.63 * height) - 1 : int(0.63 * height) + 2, int(0.41 * width) - 1 : int(0.41 * width) + 2]
    assert np.abs(around - float(text[1])).min() <= (depth.max() - depth.min()) / 65535 + 5e-5


def test_points_are_drawn_and_turn_and_edges_are_cut(shown: Any) -> None:
    shown.click("#tab-space")
    covered = until(shown, (picture(shown)[..., 3] > 0).mean)
    assert covered > 0.5
    assert len(np.unique(picture(shown)[..., :3].reshape(-1, 3), axis=0)) > 1000
    before = picture(shown)
    shown.focus("#surface")
    for _ in range(5):
        shown.keyboard.press("ArrowLeft")
    until(shown, lambda: changes(shown, before))
    # Where every small step counts as an edge, fewer points are left.
    left = (picture(shown)[..., 3] > 0).sum()
    shown.focus("#jump")
    shown.keyboard.press("Home")
    until(shown, lambda: (picture(shown)[..., 3] > 0).sum() < left)


def test_the_pointer_moves_the_parallax(shown: Any) -> None:
    shown.click("#tab-parallax")
    box = shown.locator("#surface").bounding_box()
    shown.mouse.move(box["x"] + 5, box["y"] + box["height"] / 2)
    until(shown, (picture(shown)[..., 3] == 255).all)
    before = picture(shown)
    shown.mouse.move(box["x"] + box["width"] - 5, box["y"] + box["height"] / 2)
    until(shown, lambda: changes(shown, before))


def test_there_are_no_metres_before_a_known_length_and_then_with_their_uncertainty(shown: Any) -> None:
    shown.click("#tab-measure")
    shown.check("input[name=line][value=unknown]", force=True)
    at(shown, 0.2, 0.5)
    at(shown, 0.5, 0.5)
    assert "No metres yet" in shown.text_content("#lengths")
    assert not re.search(r"\d\s*(cm|m)\b", shown.text_content("#lengths") + (shown.text_content("#marks") or ""))
    shown.check("input[name=line][value=known]", force=True)
    at(shown, 0.2, 0.5)
    at(shown, 0.5, 0.5)
    shown.fill("#length", "-1")
    shown.keyboard.press("Enter")
    assert "above 0" in shown.text_content("#length-wrong")
    shown.fill("#length", "0,2")
    shown.keyboard.press("Enter")
    # The line over the known one is as long as that one.
    found = until(shown, lambda: re.search(r"([\d.]+) ± ([\d.]+) cm", shown.text_content("#lengths")))
    assert abs(float(found[1]) - 20) <= 2 * float(found[2])
    assert 0 < float(found[2]) < 15


def test_the_language_changes_everything_and_stays(shown: Any) -> None:
    shown.click("#language")
    assert shown.evaluate("document.documentElement.lang") == "zh-Hans"
    shown.reload()
    assert shown.text_content("#choose") == "选择照片"
    shown.wait_for_selector("select[name=model] option", state="attached")
    left = shown.evaluate(
        "[...document.querySelectorAll('[data-t]')].filter((each) => !each.textContent.trim()).length"
    )
    assert left == 0


def test_all_of_it_goes_by_keyboard(page: Any) -> None:
    def focused() -> str:
        return str(page.evaluate("document.activeElement.id || document.activeElement.dataset.sample || ''"))

    def tab_to(wanted: str) -> None:
        for _ in range(60):
            if focused() == wanted:
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {wanted}")

    tab_to("coffee")
    page.keyboard.press("Enter")
    page.wait_for_selector("body[data-state=result]")
    page.evaluate("document.activeElement.blur()")
    tab_to("tab-compare")
    for view in ("space", "parallax", "measure"):
        page.keyboard.press("ArrowRight")
        assert focused() == f"tab-{view}"
    tab_to("surface")
    page.keyboard.press("Enter")
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert focused() == "length"
    page.keyboard.type("0.1")
    page.keyboard.press("Enter")
    assert "10 cm" in page.text_content("#lengths")
    tab_to("share")


@pytest.mark.parametrize(
    ("name", "content", "kind", "words"),
    [
        ("notes.txt", b"not a photo\n", "text/plain", "not a photo that can be read"),
        ("IMG_1.heic", HEIC, "image/heic", "Save it as JPEG"),
        ("large.jpg", b"\xff\xd8\xff" + bytes(33_000_000), "image/jpeg", "too large"),
    ],
)
def test_what_cannot_be_read_is_told_in_words(page: Any, name: str, content: bytes, kind: str, words: str) -> None:
    upload(page, name, content, kind)
    page.wait_for_selector("#trouble")
    assert words in page.text_content("#trouble-text")
    assert page.is_visible("#choose")


def test_a_server_that_is_away_is_told_and_can_be_tried_again(browser: Any, start_gateway: Any) -> None:
    context = browser.new_context(locale="en")
    page = context.new_page()
    with start_gateway() as gateway:
        page.goto(gateway.url)
        page.wait_for_selector("select[name=model] option", state="attached")
        gateway.process.kill()
        gateway.process.wait()
        upload(page, "rocket.jpg", PHOTO.read_bytes())
        page.wait_for_selector("#trouble")
        assert "does not answer" in page.text_content("#trouble-text")
        assert page.is_visible("#try-again")
    context.close()


@pytest.mark.parametrize("page", [{"color_scheme": "light"}, {"color_scheme": "dark"}, PHONE], indirect=True)
def test_axe_finds_nothing(page: Any) -> None:
    def violations() -> list[str]:
        found = page.evaluate("axe.run().then((result) => result.violations)")
        return [f"{each['id']}: {[node['html'][:120] for node in each['nodes']]}" for each in found]

    page.evaluate(AXE.read_text())
    assert violations() == []
    page.click("[data-sample=cat]")
    page.wait_for_selector("body[data-state=result]")
    page.wait_for_selector("#wait", state="hidden")
    for view in ("compare", "space", "parallax", "measure"):
        page.click(f"#tab-{view}")
        assert violations() == [], view


def downloaded(page: Any, kind: str) -> bytes:
    with page.expect_download() as download:
        page.click(f"[data-file={kind}]")
    return Path(download.value.path()).read_bytes()


def test_every_option_that_changes_the_depth_can_be_chosen(shown: Any) -> None:
    schema = json.loads((ROOT / "docs" / "options.schema.json").read_text())["properties"]
    # Colours and their contrast are the browser's own work; how the depth travels, and its size, is fixed.
    own = {"format", "colormap", "equalize", "clahe_clip", "clahe_tiles", "output_size"}
    assert shown.locator("#maps input").count() == len(schema["colormap"]["enum"])
    contrasts = "[...document.querySelectorAll('input[name=contrast]')].map((each) => each.value)"
    assert shown.evaluate(contrasts) == schema["equalize"]["enum"]
    for name in ("clip", "tiles"):
        limits = schema[f"clahe_{name}"]
        found = [float(shown.get_attribute(f"#{name}", each)) for each in ("min", "max", "value")]
        assert found == [limits["minimum"], limits["maximum"], limits["default"]]
    seen = {"resolution", "aspect", "filter"}
    for name in seen:
        assert shown.locator(f"select[name={name}] option").count() > 1, name
    for choice in schema["filter"]["enum"]:
        with shown.expect_response("**/predict") as answer:
            shown.select_option("select[name=filter]", choice)
            shown.dispatch_event("select[name=filter]", "change")
        assert answer.value.status == 200
        for field in shown.query_selector_all("#settings input"):
            name = field.get_attribute("name")
            limits = schema[name]
            least, most = (limits["minimum"], limits["maximum"]) if "minimum" in limits else limits["enum"]
            found = [float(field.get_attribute(each)) for each in ("min", "max", "value")]
            assert found == [least, most, limits["default"]], name
            seen.add(name)
            with shown.expect_response("**/predict") as answer:
                field.fill(str(most))
                field.dispatch_event("change")
            assert answer.value.status == 200, name
            assert json.loads(answer.value.headers["x-depth-info"])["options"][name] == most
            field.fill(str(limits["default"]))
    assert seen | own == schema.keys()


def test_the_files_are_what_they_say(shown: Any) -> None:
    grey = Image.open(io.BytesIO(downloaded(shown, "png16")))
    assert grey.mode.startswith("I;16")
    assert Image.open(io.BytesIO(downloaded(shown, "colour"))).size == grey.size
    ply = downloaded(shown, "ply")
    count = int(re.search(rb"element vertex (\d+)", ply)[1])  # type: ignore[index]
    assert len(ply) == ply.index(b"end_header\n") + 11 + count * 15
    assert count > 0.5 * grey.size[0] * grey.size[1]
    glb = downloaded(shown, "glb")
    magic, version, length, size = struct.unpack("<4sIII", glb[:16])
    assert (magic, version, length) == (b"glTF", 2, len(glb))
    assert json.loads(glb[20 : 20 + size])["accessors"][0]["count"] == count
    assert len(downloaded(shown, "video")) > 10_000


def test_a_link_opens_the_depth_but_not_the_photo(shown: Any) -> None:
    upload(shown, "rocket.jpg", PHOTO.read_bytes())
    until(shown, lambda: "640 × 427" in shown.text_content("#details"))
    shown.check("#maps input[value=turbo]", force=True)
    shown.click("#share")
    address = until(shown, lambda: shown.url if "result=" in shown.url else "")
    other = shown.context.new_page()
    other.goto(address)
    other.wait_for_selector("body[data-state=result]")
    assert other.is_checked("#maps input[value=turbo]")
    assert "photo was not shared" in other.text_content("#share-note")
    assert "640 × 427" in other.text_content("#details")


def jpeg(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def size_of(page: Any) -> tuple[int, int] | None:
    found = re.search(r"(\d+) × (\d+)", page.text_content("#details") or "")
    return (int(found[1]), int(found[2])) if found else None


def photo_pixel(page: Any, x: float, y: float) -> list[int]:
    """The photo's colour at a place, each 0 to 1 of its sides."""
    script = """([x, y]) => {
        const paper = document.getElementById("photo");
        const at = [Math.floor(x * paper.width), Math.floor(y * paper.height)];
        return [...paper.getContext("2d").getImageData(...at, 1, 1).data];
    }"""
    return list(page.evaluate(script, [x, y]))


ROCKET = Image.open(PHOTO)


@pytest.mark.parametrize(
    ("content", "kind", "size"),
    [
        (png(ROCKET.resize((1, 1))), "image/png", (1, 1)),
        (jpeg(ROCKET.convert("L")), "image/jpeg", (640, 427)),
        (jpeg(ROCKET.convert("CMYK")), "image/jpeg", (640, 427)),
        (png(ROCKET.convert("L")), "image/png", (640, 427)),
        (jpeg(ROCKET.resize((120, 2000))), "image/jpeg", (120, 2000)),
        (jpeg(ROCKET.resize((4000, 3000))), "image/jpeg", (1155, 866)),
    ],
    ids=["one pixel", "grey", "CMYK", "grey PNG", "tall panorama", "12 megapixels"],
)
def test_unusual_photos_are_shown_with_their_depth(page: Any, content: bytes, kind: str, size: tuple[int, int]) -> None:
    upload(page, "photo", content, kind)
    page.wait_for_selector("body[data-state=result]")
    assert size_of(page) == size
    for view in ("space", "parallax", "measure", "compare"):
        page.click(f"#tab-{view}")
    assert page.locator("#surface").bounding_box()["width"] >= 100


def test_a_phone_photo_that_lies_on_its_side_has_photo_and_depth_upright(page: Any) -> None:
    stored = Image.new("RGB", (400, 300), "white")
    # Stored on its side: what is on the left is at the top when it is looked at.
    stored.paste((200, 0, 0), (0, 0, 100, 300))
    exif = Image.Exif()
    exif[0x0112] = 6
    upload(page, "phone.jpg", jpeg(stored, exif=exif))
    page.wait_for_selector("body[data-state=result]")
    assert size_of(page) == (300, 400)
    red, green, _, _ = photo_pixel(page, 0.5, 0.1)
    assert red > 150
    assert green < 50
    assert photo_pixel(page, 0.5, 0.9)[1] > 200


def test_what_is_seen_through_lies_on_white(page: Any) -> None:
    image = ROCKET.convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 320, 427))
    upload(page, "logo.png", png(image), "image/png")
    page.wait_for_selector("body[data-state=result]")
    assert photo_pixel(page, 0.1, 0.5) == [255, 255, 255, 255]


def test_a_second_photo_takes_the_place_of_the_first(page: Any) -> None:
    large = jpeg(ROCKET.resize((6000, 4000)))
    upload(page, "large.jpg", large)
    upload(page, "rocket.jpg", PHOTO.read_bytes())
    page.wait_for_selector("body[data-state=result]")
    page.wait_for_selector("#wait", state="hidden")
    assert size_of(page) == (640, 427)
    upload(page, "large.jpg", large)
    page.click("[data-sample=cat]")
    until(page, lambda: size_of(page) not in (None, (640, 427)))
    page.wait_for_selector("#wait", state="hidden")
    # The first one was dropped before it was sent, or its answer was.
    assert size_of(page) != (1225, 816)
    assert page.is_hidden("#trouble")


def test_cancel_brings_back_what_was_there(page: Any) -> None:
    # The server is held up, so that there is something to cancel.
    page.route("**/predict", lambda route: None)
    upload(page, "rocket.jpg", PHOTO.read_bytes())
    page.wait_for_selector("body[data-state=working]")
    assert photo_pixel(page, 0.5, 0.5)[3] == 255
    page.click("#cancel")
    page.wait_for_selector("body[data-state=empty]")
    page.unroute("**/predict")
    page.click("[data-sample=coffee]")
    page.wait_for_selector("body[data-state=result]")
    page.wait_for_selector("#wait", state="hidden")
    before = size_of(page), photo_pixel(page, 0.5, 0.5)
    page.route("**/predict", lambda route: None)
    upload(page, "rocket.jpg", PHOTO.read_bytes())
    page.wait_for_selector("body[data-preview]")
    page.click("#cancel")
    page.wait_for_selector("body:not([data-preview])")
    assert (size_of(page), photo_pixel(page, 0.5, 0.5)) == before
    # The link is that of what is shown.
    page.click("#share")
    assert "sample=coffee" in until(page, lambda: page.url if "#" in page.url else "")


def test_a_link_that_is_too_old_says_so_and_the_page_goes_on(page: Any) -> None:
    address = page.url.split("#")[0]
    page.goto(f"{address}#view=compare&result=AAAAAAAAAAAAAAAAAAAAAA&range=0,1")
    page.wait_for_selector("#trouble")
    assert "too old" in page.text_content("#trouble-text")
    page.click("[data-sample=cat]")
    page.wait_for_selector("body[data-state=result]")
    assert page.is_hidden("#trouble")


def test_a_link_survives_a_reload_and_the_way_back(shown: Any) -> None:
    upload(shown, "rocket.jpg", PHOTO.read_bytes())
    until(shown, lambda: size_of(shown) == (640, 427))
    shown.click("#share")
    until(shown, lambda: "result=" in shown.url)
    shown.reload()
    shown.wait_for_selector("body[data-state=result]")
    assert size_of(shown) == (640, 427)
    assert "It took" not in shown.text_content("#reading")
    assert shown.is_disabled("select[name=filter]")
    shown.click("#language")
    assert "链接" in shown.text_content("#share-note")
    shown.goto(shown.url.split("#")[0] + "healthz")
    shown.go_back()
    shown.wait_for_selector("body[data-state=result]")
    assert size_of(shown) == (640, 427)


def test_a_dropped_link_is_told_in_words(page: Any) -> None:
    page.evaluate(
        """() => {
            const transfer = new DataTransfer();
            transfer.setData("text/uri-list", "https://example.com/photo.jpg");
            const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
            document.body.dispatchEvent(new DragEvent("drop", options));
        }"""
    )
    page.wait_for_selector("#trouble")
    assert "a link, not a photo" in page.text_content("#trouble-text")


@pytest.mark.parametrize("page", [{"viewport": {"width": 640, "height": 450}}], indirect=True, ids=["zoom 200 %"])
def test_at_twice_the_size_nothing_is_cut_off(page: Any) -> None:
    page.click("[data-sample=room]")
    page.wait_for_selector("body[data-state=result]")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_is_tried_alone_in_node_holds() -> None:
    node = shutil.which("node")
    assert node, "There is no node: apt-get install nodejs"
    done = subprocess.run([node, "--test", "test/"], cwd=AXE.parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_without_webgl_the_rest_works_and_says_so(browser: Any, gateway: Any) -> None:
    context = browser.new_context(locale="en", reduced_motion="reduce")
    page = context.new_page()
    page.add_init_script(
        "const before = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {"
        "  return kind === 'webgl2' ? null : before.call(this, kind, ...rest); };"
    )
    page.goto(gateway.url)
    page.click("[data-sample=cat]")
    page.wait_for_selector("body[data-state=result]")
    assert "no WebGL2" in page.text_content("#no-webgl")
    assert page.is_disabled("#tab-space")
    assert page.is_disabled("#tab-parallax")
    assert len(np.unique(picture(page)[..., :3].reshape(-1, 3), axis=0)) > 100
    context.close()
