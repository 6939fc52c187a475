"""The page that helps to choose a network has the table that the command writes."""

from accuracy.choosing import table
from export.variants import VARIANTS
from tests.networks import ROOT


def test_the_pages_table_is_what_the_command_writes() -> None:
    written = table()
    assert written in (ROOT / "docs" / "choosing.md").read_text()
    assert all(f"`{name}`" in written for name in VARIANTS)
