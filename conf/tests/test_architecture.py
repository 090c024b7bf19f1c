"""The shape of the code: one direction, and pages for contributors that are in step with it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "conf" / "pictures"))

from rooms import Room, Rooms, in_order  # noqa: E402

import sphinx_cython  # noqa: E402
from sphinx_cython import components, core, execution  # noqa: E402


def line_of(docstring: str, prefix: str = "") -> list[str]:
    """Return the names in the drawing of a package's docstring."""
    drawing = docstring.split("::\n\n")[1].split("\n\n")[0]
    return [prefix + name for name in re.findall(r"\b\w+\b", drawing)]


CORE = line_of(core.__doc__, "core.")
PACKAGES = {
    "components": line_of(components.__doc__, "components."),
    "execution": line_of(execution.__doc__, "execution."),
}
LINE = CORE + [
    name for module in line_of(sphinx_cython.__doc__) for name in PACKAGES.get(module, [module])
]


def test_each_module_imports_only_from_those_before_it():
    rooms = {room.name: room for room in Rooms().rooms}
    assert sorted(LINE) == sorted(rooms), "the docstrings of the packages name all modules"
    for position, name in enumerate(LINE):
        assert rooms[name].imports <= set(LINE[:position]), name


def test_a_circle_is_noticed():
    circle = {"a": Room("a", "", frozenset({"b"})), "b": Room("b", "", frozenset({"a"}))}
    with pytest.raises(ValueError, match="import each other: a, b"):
        in_order(circle)


def test_the_builder_needs_no_sphinx():
    code = "import sys; sys.modules['sphinx'] = sys.modules['docutils'] = None\n"
    code += "".join(f"import sphinx_cython.{name}\n" for name in CORE)
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(ROOT / "conf")})


def test_examples_know_nothing_of_the_site():
    for path in (ROOT / "examples").rglob("*.pyx"):
        assert not re.search(r"sphinx|docs/|\.md\b", path.read_text(encoding="utf-8"), re.I), path


def test_every_invariant_names_a_test_that_is_there():
    page = (ROOT / "docs" / "contributing" / "index.md").read_text(encoding="utf-8")
    table = page.split("## What must stay true?")[1]
    named = re.findall(r"`(?P<file>[\w/]+\.py)::(?P<test>\w+)`", table)
    assert len(named) >= 20
    for file, test in named:
        source = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"^\s*def {test}\(", source, re.M), f"{file} has no test {test}"
