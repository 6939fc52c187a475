"""Which package may import which: an arrow that is not in the table is a mistake, and so is one that nobody uses."""

import ast
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent

ARROWS = {
    "midas_client": set(),
    "midas_server": set(),
    "midas_gateway": {"midas_client"},
    "reports": set(),
    "export": {"midas_server", "reports"},
    "accuracy": {"export", "midas_client", "midas_server", "reports"},
    "training": {"accuracy", "export", "midas_server", "reports"},
    "examples": {"accuracy", "midas_client"},  # accuracy only where room_report is checked against rendered rooms
    "demo": {"midas_client", "midas_server"},
    "deploy": {"midas_server"},
    "bulk": {"export", "midas_client", "midas_server"},
    "benchmarks": {"export", "midas_client", "midas_server", "reports"},
}
"""The packages, and those of them that each imports. Nothing imports benchmarks; the client knows the server's protocol
only."""

PURE = {"midas_server.imaging", "midas_server.pipeline"}
"""Parts of the server that import neither torch nor Triton's packages."""

_FOLDERS = {f"midas_{name}": f"{name}/midas_{name}" for name in ("client", "server", "gateway")}


@cache
def imports(package: str) -> list[tuple[str, str]]:
    """Each module of a package with the full name of each module that it imports, wherever in it."""
    found: list[tuple[str, str]] = []
    folder = PROJECT / _FOLDERS.get(package, package)
    for file in sorted(folder.rglob("*.py")):
        module = ".".join((package, *file.relative_to(folder).with_suffix("").parts))
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found += [(module, alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.append((module, node.module))
    return found


@pytest.mark.parametrize("package", ARROWS)
def test_a_package_imports_what_the_table_says(package: str) -> None:
    found: dict[str, set[str]] = {}
    for module, imported in imports(package):
        top = imported.partition(".")[0]
        if top in ARROWS and top != package:
            found.setdefault(top, set()).add(module)
    assert set(found) == ARROWS[package], found


def test_the_table_knows_every_package() -> None:
    tops = {file.parent.name for file in PROJECT.glob("[!.]*/*.py")} - {"tests", "build", "out"}
    assert tops | set(_FOLDERS) == set(ARROWS)


def test_no_arrow_leads_back() -> None:
    def reached(package: str) -> set[str]:
        return ARROWS[package].union(*map(reached, ARROWS[package]))

    assert not [package for package in ARROWS if package in reached(package)]
    assert not [package for package in ARROWS if "benchmarks" in ARROWS[package]]


def test_pure_parts_of_the_server_know_neither_torch_nor_triton() -> None:
    forbidden = {"torch", "tritonclient", "triton_python_backend_utils"}
    seen = {
        (module, imported)
        for module, imported in imports("midas_server")
        if any(module == part or module.startswith(f"{part}.") for part in PURE)
    }
    assert {module for module, _ in seen}
    assert not {pair for pair in seen if pair[1].partition(".")[0] in forbidden}
