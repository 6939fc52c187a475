"""The report: one page that needs nothing else, in two languages, and the same numbers as JSON and CSV."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import datetime, timezone

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from room_report.album import Placed, Shot, agreed, judge_all
from room_report.annotated import _clipped, box_of, stands_apart
from room_report.catalogue import Catalogue, Product
from room_report.page import Report, make_report
from room_report.passage import Way
from room_report.pictures import jpeg_url
from room_report.plan import plan
from room_report.quality import check_photo, sharpness
from room_report.references import CameraHeight, KnownRectangle
from room_report.results import Results, known, measures_csv, products_csv
from room_report.uncertainty import Value
from room_report.verdicts import Clearances
from room_report.words import LANGUAGES, TEXTS, Language, Words
from tests.examples.room_report.box_room import DEPTH, HEIGHT, WIDTH, BoxRoom, look
from tests.examples.room_report.shots import shot

WHEN = datetime(2026, 3, 4, 5, 6, tzinfo=timezone.utc)
WIDE = Product("w", "Wide sofa", "sofa", 2.0, 0.8, 0.8, 900)
DOOR_CORNERS = ((10.0, 10.0), (50.0, 10.0), (50.0, 100.0), (10.0, 100.0))
EVERY_WORD = [
    WIDE,
    Product("t", "Tall case", "case", 0.6, 0.4, HEIGHT - 0.021, 80),
    Product("h", "High case", "case", 0.6, 0.4, 3.0, 70),
    Product("l", "Long table", "table", 3.9, 1.0, 0.7, 300),
    Product("x", "Giant", "case", 0.5, 9.0, 0.5, 10),
]


@pytest.fixture(scope="module")
def room() -> BoxRoom:
    return look(place=(1.0, 0.3, 1.6), target=(2.4, 4.0, 0.9), boxes=[((0.0, 4.0, 0.0), (1.5, DEPTH, 1.0))])


@pytest.fixture(scope="module")
def taken(room: BoxRoom) -> Shot:
    return shot(room)


def judged(shots: list[Shot], products: list[Product]) -> list[Placed]:
    return judge_all(shots, products, Clearances(), Way())


def report(shots: list[Shot], products: list[Product], language: Language = "en", **more: object) -> Report:
    return make_report(shots, judged(shots, products), language=language, created=WHEN, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_loads_nothing_and_says_the_verdict_first(taken: Shot, language: Language) -> None:
    made = report([taken], Catalogue.from_csv().find(), language)
    text = re.sub(r"data:[\w/+-]*[;,][^\"')]*", "", made.html)
    assert not re.search(r"(?:src|href)\s*=|@import|url\([^)]", re.sub(r'(?:src|href)=""|url\(\)', "", text))
    assert set(re.findall(r"https?://[^\s\"'<]+", text)) <= {"http://www.w3.org/2000/svg"}
    body = re.sub(r"<[^>]*>", " ", made.html[made.html.index("<main>") :])
    assert body.split()[0] in {Words(language)(word).split()[0] for word in ("fits", "tight", "not seen")}
    assert len(made.html.encode()) < 500_000


def test_each_language_says_it_in_its_own_words(taken: Shot) -> None:
    english, chinese = (report([taken], EVERY_WORD, language).html for language in LANGUAGES)
    assert 'lang="en"' in english
    assert 'lang="zh-Hans"' in chinese
    visible = re.sub(r"<(style|script)[^>]*>.*?</\1>|<[^>]*>", " ", chinese, flags=re.DOTALL)
    own = {"Wide", "sofa", "Tall", "case", "High", "Long", "table", "Giant", "MIT", "midas_tiny_256", "room", "jpg"}
    assert set(re.findall(r"[A-Za-z][\w]*", visible)) - own <= {"m", "m²", "cm", "ab", "sha256", "nbsp"}
    assert not re.search(r"[\u4e00-\u9fff]", re.sub(r'"[^"]*"', "", english))


def test_both_languages_have_every_text_with_the_same_values() -> None:
    for key, (english, chinese) in TEXTS.items():
        assert english.strip(), key
        assert re.search(r"[\u4e00-\u9fff]", chinese), key
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", chinese)), key


def test_chinese_has_the_marks_of_its_own_script() -> None:
    for key, (_, chinese) in TEXTS.items():
        assert not re.search(r"[\u4e00-\u9fff}][,;:?!(]|[)][\u4e00-\u9fff]", chinese), key


def test_names_of_others_cannot_become_part_of_the_page(taken: Shot, room: BoxRoom) -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    product = Product("1", evil, "sofa", 1.0, 0.5, 0.5, 10)
    made = report([shot(room, evil)], [product], catalogue=evil, left_out=[(evil, evil)])
    assert "<img src=x" not in made.html
    assert "&lt;/script&gt;&lt;img" in made.html
    assert made.html.count("</script>") == report([taken], [WIDE]).html.count("</script>")


def test_the_numbers_come_back_from_json_and_csv(taken: Shot) -> None:
    made = report([taken], [Product("1", "=1+1", "sofa", 1.0, 0.5, 0.5, 10), WIDE])
    assert Results.model_validate_json(made.results.model_dump_json()) == made.results
    rows = list(csv.DictReader(io.StringIO(measures_csv(made.results))))
    assert [row["name"] for row in rows] == [measure.name for measure, _ in taken.survey.values]
    for row, (_, value) in zip(rows, taken.survey.values, strict=True):
        assert float(row["value"]) == pytest.approx(value.value, abs=1e-4)
        assert float(row["half_width"]) == pytest.approx(value.half_width, abs=1e-4)
        squares = sum(float(row[source]) ** 2 for source in list(row)[8:])
        assert squares**0.5 == pytest.approx(value.half_width, abs=2e-4)
    products = list(csv.DictReader(io.StringIO(products_csv(made.results))))
    assert {row["name"] for row in products} == {"'=1+1", "Wide sofa"}
    assert {row["photo"] for row in products} == {"room.jpg"}


def test_the_report_is_about_the_piece_that_was_asked_for(taken: Shot) -> None:
    cheap = Product("c", "Small stool", "stool", 0.4, 0.4, 0.4, 5)
    assert report([taken], [cheap, WIDE]).results.piece == "w"  # the largest that fits
    asked = report([taken], [cheap, WIDE], piece="c")
    assert asked.results.piece == "c"
    assert "<h1>Small stool fits, " in asked.html


def test_every_verdict_has_its_reason(taken: Shot) -> None:
    margin = judged([taken], [WIDE])[0].verdict
    close = replace(WIDE, number="c", width=WIDE.width + margin.margin - 0.1 * margin.half_width)
    found = {row.number: row for row in report([taken], [*EVERY_WORD, close]).results.products}
    assert (found["w"].verdict, found["c"].verdict, found["h"].verdict) == ("fits", "tight", "does not fit")
    assert "95 % sure of at least" in found["w"].reason
    assert found["c"].advice.startswith("Tape the free width")
    assert found["h"].reason.startswith("42 cm missing in height")


def test_things_are_rows_of_the_table(taken: Shot) -> None:
    width, height = Value(1.5, 0.02, {"clicks": 0.02}, "measured"), Value(1.0, 0.03, {"planes": 0.03}, "measured")
    made = report([replace(taken, survey=replace(taken.survey, things=[("<sofa>", width, height)]))], [WIDE])
    assert "&lt;sofa&gt;: height above the floor" in made.html
    rows = {(row["name"], row["label"]): row for row in csv.DictReader(io.StringIO(measures_csv(made.results)))}
    assert float(rows["thing width", "<sofa>"]["value"]) == 1.5
    assert float(rows["thing height", "<sofa>"]["half_width"]) == pytest.approx(1.96 * 0.03, abs=1e-4)


def test_known_sizes_are_rounded_to_the_millimetre(taken: Shot) -> None:
    door = KnownRectangle(DOOR_CORNERS, 0.859823, 2.0, 0.01)
    assert known(door, Words("en")) == "door 0.86 × 2 m ± 1 cm"
    assert known(CameraHeight(1.23456, 0.0123456), Words("en")) == "camera above the floor 1.235 m ± 1.23 cm"


def test_the_caption_says_where_the_piece_stands_apart_from_the_free_rectangle(taken: Shot) -> None:
    inside = judged([taken], [WIDE])[0].verdict
    assert inside.place is not None
    assert not stands_apart(taken.survey, inside)
    floor, first, _ = inside.place
    assert stands_apart(taken.survey, replace(inside, place=(floor, first, first)))


def test_without_a_reference_there_are_no_metres(room: BoxRoom) -> None:
    made = report([shot(room, known=False)], [WIDE])
    assert (made.results.kind, made.results.products, made.results.photos[0].measures) == ("relative", [], [])
    assert "<h1>This room has no metres yet</h1>" in made.html
    body = re.sub(r"data:[^\"]*|<style>.*?</style>", "", made.html, flags=re.DOTALL)
    assert not re.search(r"\d\s*(?:m|cm)\b(?!.*dash)", re.sub(r"<[^>]*>", "", body))


def test_several_photos_give_each_product_its_best_place(room: BoxRoom, taken: Shot) -> None:
    full = look(place=(1.0, 0.3, 1.6), target=(2.4, 4.0, 0.9), boxes=[((0.0, 3.0, 0.0), (WIDTH, DEPTH, 1.0))])
    shots = [shot(full, "full.jpg"), taken]
    assert judged(shots[:1], [WIDE])[0].verdict.word != "fits"
    best = judged(shots, [WIDE])[0]
    assert (best.verdict.word, best.shot) == ("fits", 1)
    made = report(shots, [WIDE])
    assert [photo.name for photo in made.results.photos] == ["full.jpg", "room.jpg"]
    assert made.results.products[0].photo == 1
    assert made.html.count('aria-label="The photo with its measures"') == 2


def test_photos_that_differ_about_the_height_have_it_widened(taken: Shot, room: BoxRoom) -> None:
    shots, differing = agreed([taken, shot(room, "other.jpg", times=1.1)])
    assert [each.shots for each in differing] == [(0, 1)]
    for each, other in ((shots[0], shots[1]), (shots[1], shots[0])):
        here, there = each.survey.of("height"), other.survey.of("height")
        assert here is not None
        assert there is not None
        assert abs(here.value - there.value) <= here.half_width + 1e-9
    note = report(shots, [WIDE], differing=differing).results.notes[0]
    assert note.startswith("room.jpg and other.jpg differ about the room's height")
    assert agreed([taken, shot(room, "same.jpg")])[1] == []


def test_lines_lie_where_they_were_measured(room: BoxRoom, taken: Shot) -> None:
    """The wall's line ends in the corners of the room, and the piece stands on the floor at the wall."""
    made = report([taken], [WIDE])
    lines = re.findall(r'<line x1="([\d.-]+)" y1="([\d.-]+)" x2="([\d.-]+)" y2="([\d.-]+)" stroke="#0b6e8f"', made.html)
    x1, y1, x2, y2 = map(float, lines[0])
    ends = sorted([(x1, y1), (x2, y2)])
    corner = room.pixel(WIDTH, DEPTH, 0.0)[0]
    assert ends[1][0] == pytest.approx(corner, abs=1.0)
    box = box_of(judged([taken], [WIDE])[0].verdict) @ room.axes + room.place
    assert np.abs(box[:, 2]).max() < 0.01
    walls = np.array([box[:2, 0], WIDTH - box[:2, 0], box[:2, 1], DEPTH - box[:2, 1]])
    assert np.abs(walls - 0.03).max(axis=1).min() < 0.03


def test_the_plan_is_to_scale(taken: Shot) -> None:
    drawn = plan(taken.survey, judged([taken], [WIDE])[0].verdict, Words("en"))
    assert drawn is not None
    wide = float(re.findall(r'viewBox="0 0 ([\d.]+)', drawn.svg)[0])
    assert drawn.millimetres == pytest.approx(1000 * wide / drawn.scale)
    assert drawn.millimetres <= 170
    outlines = re.findall(r'<polygon points="([^"]*)" fill="#b3095f" fill-opacity="0.3"', drawn.svg)
    points = np.array([[float(x) for x in pair.split(",")] for pair in outlines[0].split()])
    sides = np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1)
    assert sides == pytest.approx([2.0, 0.8, 2.0, 0.8], abs=0.02)


def test_lines_are_cut_at_the_edges_of_the_photo() -> None:
    assert _clipped((-10, 50), (110, 50), 100, 100) == ((0, 50), (100, 50))
    assert _clipped((20, 20), (80, 70), 100, 100) == ((20, 20), (80, 70))
    assert _clipped((-10, -20), (-5, 120), 100, 100) is None


def test_a_photo_is_graded_for_measuring(taken: Shot) -> None:
    rng = np.random.default_rng(0)
    picture = np.kron(rng.integers(0, 2, (24, 32)) * 150.0 + 50, np.ones((20, 20)))
    grades = {}
    for blur in (0.0, 3.0):
        grey = ndimage.gaussian_filter(picture, blur)
        photo = np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)
        grades[blur] = next(
            each.grade for each in check_photo(photo, taken.camera, [], None) if each.name == "sharpness"
        )
    assert grades == {0.0: "good", 3.0: "poor"}
    assert sharpness(picture) > 2 * sharpness(ndimage.gaussian_filter(picture, 2.0))
    dark = check_photo(np.zeros((600, 800, 3), np.uint8), taken.camera, [], None)
    assert next(each.grade for each in dark if each.name == "light") == "poor"
    level = next(
        each for each in check_photo(taken.photo, taken.camera, [], taken.survey.space) if each.name == "level"
    )
    assert level.grade == "good"
    assert level.value < 1


def test_a_photo_that_does_not_shrink_well_is_made_smaller() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (600, 800, 3), dtype=np.uint8))
    url = jpeg_url(noise, 800, 60_000)
    assert len(url) <= 60_000 * 4 / 3 + 40
