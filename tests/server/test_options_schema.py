"""The table of options can be published: it stands alone, and its schema and the documents say the same."""

import itertools
import re
import subprocess
import sys
from typing import Any

import jsonschema
import pytest

from midas_server.errors import InvalidRequest
from midas_server.options import CHOICES, DESCRIPTIONS, NAMES, SETTINGS, VariantRules, resolve
from midas_server.options_schema import options_schema
from tests.networks import ROOT

RULES = VariantRules("v", 256, "minimal", 1 << 24, multiple=1)
SCHEMA = ROOT / "docs" / "options.schema.json"
_HEADER = re.compile(r"^\| (?:parameter|keyword) \| values.*\n\|[-|]+\n((?:\|.*\n)+)", re.MULTILINE)
PAGES = [page for folder in (".", "client", "docs") for page in sorted((ROOT / folder).glob("*.md"))]


def test_the_schema_is_current() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "midas_server.options_schema"], capture_output=True, text=True, check=True
    ).stdout
    assert SCHEMA.read_text() == printed, "python -m midas_server.options_schema > docs/options.schema.json"


def test_the_table_has_no_arrays_behind_it() -> None:
    code = "import sys, midas_server.options_schema; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    loaded = {module.partition(".")[0] for module in modules}
    assert "midas_server" in loaded
    assert not loaded & {"cv2", "numpy", "PIL", "simplejpeg", "cmap", "torch", "tritonclient"}


def test_every_option_is_described() -> None:
    assert tuple(DESCRIPTIONS) == NAMES
    assert tuple(options_schema()["properties"]) == NAMES


def accepted(request: dict[str, Any]) -> bool:
    try:
        resolve(request, RULES)
    except InvalidRequest:
        return False
    return True


def requests() -> list[dict[str, Any]]:
    """Right and wrong values of each option, and each with each choice that it may depend on."""
    choices = [{name: value} for name, values in CHOICES.items() for value in (*values, "no such")]
    others: list[dict[str, Any]] = [{}, {"colour": "red"}, {"aspect": 1}]
    others += [{"resolution": value} for value in (127, 128, 256, 1280, 1281, "256", True, 256.5)]
    for name, setting in SETTINGS.items():
        values = [setting.default, setting.low, setting.high, setting.low / 2, setting.high + 1, "3", True]
        if setting.step > 1:
            values.append(setting.low + 1)
        if setting.whole:
            values.append(setting.low + 0.5)
        others += [{setting.option: setting.value, name: value} for value in values] + [{name: setting.default}]
    pairs = [{**one, **other} for one, other in itertools.product([*choices, *others], choices)]
    return [*others, *choices, *pairs]


def test_the_schema_takes_what_the_server_takes() -> None:
    jsonschema.Draft202012Validator.check_schema(options_schema())
    validator = jsonschema.Draft202012Validator(options_schema())
    tried = requests()
    wrong = [request for request in tried if validator.is_valid(request) != accepted(request)]
    assert not wrong
    assert 100 < sum(map(accepted, tried)) < len(tried) - 100


def tables() -> dict[str, dict[str, str]]:
    """The values of each row by its name, for each page with a table of options; a row without a name goes on."""
    found: dict[str, dict[str, str]] = {}
    for page in PAGES:
        for table in _HEADER.findall(page.read_text()):
            rows: dict[str, str] = {}
            name = ""
            for line in table.splitlines():
                first, values = (cell.strip() for cell in line.split("|")[1:3])
                name = first.strip("`") or name
                rows[name] = f"{rows[name]}, {values}" if name in rows else values
            if set(rows) & {"format", "filter"}:
                found[str(page.relative_to(ROOT))] = rows
    return found


def test_the_documents_have_tables_of_options() -> None:
    assert {"docs/options.md", "docs/postprocessing.md", "client/README.md"} <= set(tables())


@pytest.mark.parametrize("page", tables())
def test_the_documents_have_the_names_and_values(page: str) -> None:
    rows = tables()[page]
    own = {"model", "settings", "timeout"} if page == "client/README.md" else set()
    assert set(rows) - set(NAMES) == own
    assert {"resolution", *CHOICES} <= set(rows)
    assert set(SETTINGS) <= set(rows) or not set(SETTINGS) & set(rows)
    assert "128 to 1280" in rows["resolution"]
    for name, values in CHOICES.items():
        named = tuple(re.findall(r'`"?(\w+)"?`', rows[name]))
        shortened = rows[name].endswith("...")
        assert named == (values[: len(named)] if shortened and named else values), name
    for name in set(SETTINGS) & set(rows):
        setting = SETTINGS[name]
        numbers = [float(number) for number in re.findall(r"[\d.]+", rows[name])]
        expected = [setting.default, setting.high] if setting.step > 1 else [setting.default, setting.low, setting.high]
        assert numbers == expected, name
        assert ("integers" in rows[name]) == (setting.whole and setting.step == 1)
