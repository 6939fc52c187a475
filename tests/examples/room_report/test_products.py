"""Products: the catalogue, the way in, and verdicts by margin and uncertainty."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from room_report.catalogue import EXAMPLE, Catalogue, Product, read_csv
from room_report.depth import Trust
from room_report.errors import CatalogueError
from room_report.note import Note
from room_report.passage import Way, gets_in, room_at_corner
from room_report.references import KnownRectangle
from room_report.scale import Scale
from room_report.survey import Survey, survey
from room_report.verdicts import judge
from room_report.words import Words, advice, reason
from tests.examples.room_report.box_room import DEPTH, BoxRoom, look

EN = Words("en")

HEADER = "number,name,kind,width,depth,height,price,swing\n"


def product(width: float, depth: float = 0.5, height: float = 0.8) -> Product:
    return Product("1", "a box", "box", width, depth, height, 100)


@pytest.fixture(scope="module")
def room() -> BoxRoom:
    """A room whose back wall is free for 2.5 m, between a cupboard and the corner."""
    return look(place=(1.0, 0.3, 1.6), target=(2.4, 4.0, 0.7), boxes=[((0.0, 4.0, 0.0), (1.5, DEPTH, 1.0))])


@pytest.fixture(scope="module")
def measured(room: BoxRoom) -> Survey:
    return survey(room.map(), room.camera, known_scale=Scale(1.0, 0.0, "measured"))


def test_the_example_has_sixty_pieces_and_they_come_cheapest_first() -> None:
    assert len(read_csv(EXAMPLE)) == 60
    found = Catalogue.from_csv().find("sofa", widest=2.0)
    assert found
    assert all(each.kind == "sofa" and each.width <= 2.0 for each in found)
    assert [each.price for each in found] == sorted(each.price for each in found)


def test_another_database_stands_behind_the_same_calls(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE stock (id TEXT, title TEXT, cm_wide INTEGER, eur REAL)"))
        connection.execute(text("INSERT INTO stock VALUES ('a', 'Chair', 45, 30), ('b', 'Bench', 120, 80)"))
        connection.execute(
            text(
                "CREATE VIEW products AS SELECT id AS number, title AS name, 'seat' AS kind, cm_wide / 100.0 AS width, "
                "0.5 AS depth, 0.8 AS height, eur AS price, 0.0 AS swing FROM stock"
            )
        )
    assert [each.name for each in Catalogue.at(url).find(widest=1.0)] == ["Chair"]


@pytest.mark.parametrize(
    ("text_", "said"),
    [
        ("number,name\n1,a\n", "no column"),
        (HEADER + "1,a,b,wide,1,1,1,0\n", r"line 2.*could not convert"),
        (HEADER + "1,a,b,-1,1,1,1,0\n", "line 2: the width is -1"),
        (HEADER + "1,a,b,185,1,1,1,0\n", "below 10"),
    ],
)
def test_a_row_that_is_no_product_is_refused(tmp_path: Path, text_: str, said: str) -> None:
    file = tmp_path / "c.csv"
    file.write_text(text_)
    with pytest.raises(CatalogueError, match=said):
        read_csv(file)


def test_the_verdict_follows_the_margin(measured: Survey) -> None:
    words = {width: judge(measured, [product(width)])[0] for width in (1.2, 2.0, 2.3, 3.8)}
    assert words[1.2].word == words[2.0].word == "fits"
    assert words[2.0].margin > 0
    assert "cm to spare in width" in reason(words[2.0], EN)
    assert words[1.2].margin - words[2.0].margin == pytest.approx(0.8)
    # the floor goes on where the photo ends, so nobody can say that there is no room for it
    assert words[3.8].word == "not seen"
    assert "missing" in reason(words[3.8], EN)


def test_what_is_too_tall_does_not_fit(measured: Survey) -> None:
    verdict = judge(measured, [product(1.0, height=2.7)])[0]
    assert verdict.word == "does not fit"
    assert "height" in reason(verdict, EN)


def test_an_uncertain_room_gives_fewer_sure_verdicts_and_says_what_to_tape() -> None:
    room = look(place=(1.0, 0.3, 1.6), target=(2.4, 4.0, 0.7), boxes=[((0.0, 4.0, 0.0), (1.5, DEPTH, 1.0))])
    corners = tuple(room.pixel(x, DEPTH, z) for x, z in ((2.6, 1.7), (3.5, 1.7), (3.5, 0.0), (2.6, 0.0)))
    mirror = KnownRectangle(corners, 0.9, 1.7, tolerance=0.3)  # type: ignore[arg-type]  # no door: floor stays free
    vague = survey(room.map(2.0, 0.1), room.camera, [mirror], click=3.0)
    verdict = judge(vague, [product(2.9)])[0]
    assert verdict.word in ("tight", "probably not")
    assert advice(verdict, EN).startswith("Tape")
    assert "±" in advice(verdict, EN)


def test_better_verdicts_come_first_and_then_cheaper_ones(measured: Survey) -> None:
    pieces = [Product(str(n), "x", "box", width, 0.5, 0.8, price) for n, (width, price) in
              enumerate([(4.5, 1), (1.2, 300), (1.0, 200)])]  # fmt: skip
    assert [verdict.product.price for verdict in judge(measured, pieces)] == [200, 300, 1]


def test_what_does_not_get_through_the_door_does_not_fit(measured: Survey) -> None:
    wide = product(1.2, 1.0, 1.1)
    assert reason(judge(measured, [wide], way=Way(door=(0.8, 2.0)))[0], EN).startswith("It does not get in")
    assert judge(measured, [product(1.2)], way=Way(door=(0.8, 2.0)))[0].word == "fits"


def test_round_a_corner_the_longest_stick_is_the_known_one() -> None:
    # a stick of no depth gets round if it is no longer than (a^(2/3) + b^(2/3))^(3/2)
    longest = (1.0 ** (2 / 3) + 1.2 ** (2 / 3)) ** 1.5
    assert room_at_corner(longest * 0.999, 1.0, 1.2) > 0 > room_at_corner(longest * 1.002, 1.0, 1.2)
    assert gets_in((2.0, 0.9, 0.8), Way(corridor=(1.2, 1.2), ceiling=2.3))
    assert not gets_in((2.6, 0.9, 0.9), Way(corridor=(1.0, 1.0), ceiling=2.3))


def test_with_a_map_that_does_not_tell_the_floor_nothing_is_said_to_fit_or_not(room: BoxRoom, measured: Survey) -> None:
    weak = replace(room.map(), trust=Trust(0.001, 0.003, {"free area": 4.0}))
    vague = survey(weak, room.camera, known_scale=Scale(1.0, 0.0, "measured"))
    assert vague.notes == [Note("floor_not_measured")]
    for verdict in judge(vague, [product(0.5), product(3.0)]):
        assert (verdict.word, verdict.cause) == ("not seen", "floor not known")
        assert "does not tell" in reason(verdict, EN)
    assert judge(measured, [product(0.5)])[0].word == "fits"
