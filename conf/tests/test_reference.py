"""What the pages for contributors take from docstrings, and that the docstrings are true."""

from __future__ import annotations

import pickle
import re
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from docutils.parsers.rst import directives
from support import Site
from test_snapshots import SNAPSHOTS

from publishing.reference import Undescribed, describe, kinds_of_c, read_docstring, settings
from sphinx_cython import components
from sphinx_cython.core.ckinds import TABLE
from sphinx_cython.core.config import Config, Profile

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "contributing"


class Recorder:
    """Stands in for Sphinx and keeps the directives."""

    def __init__(self) -> None:
        self.directives: dict[str, type[Any]] = {}

    def __getattr__(self, name: str) -> object:
        return lambda *args, **options: None

    def add_directive(self, name: str, directive: type[Any]) -> None:
        self.directives[name] = directive


def registered() -> dict[str, type[Any]]:
    recorder = Recorder()
    components.setup(recorder)
    return recorder.directives


DIRECTIVES = registered()


@pytest.mark.parametrize("name", DIRECTIVES)
def test_every_directive_and_option_is_described(name: str):
    text, parts = describe(DIRECTIVES[name])
    options = {part.name.strip(":") for part in parts} - {"argument", "content"}
    assert options == set(DIRECTIVES[name].option_spec or ())
    assert all(part.text.endswith(".") for part in parts), parts
    assert text.endswith(".")
    page = (REFERENCE / "directives.md").read_text("utf-8")
    assert f"## `{name}`\n\n```{{directive-reference}} {name}\n```" in page


@pytest.mark.parametrize("name", DIRECTIVES)
def test_a_docstring_describes_no_option_that_is_not_there(name: str):
    own = read_docstring(DIRECTIVES[name]).entries
    assert set(own) <= set(DIRECTIVES[name].option_spec or ())


def test_an_option_without_a_description_is_an_error():
    class Documented:
        """Shows something."""

        required_arguments = optional_arguments = 0
        has_content = False
        option_spec: dict[str, Any] = {"depth": directives.unchanged}  # noqa: RUF012

    with pytest.raises(Undescribed, match=r"Documented describes \[':depth:'\]"):
        describe(Documented)


def test_a_description_may_have_several_lines_and_a_condition():
    class Documented:
        """Shows something.

        And more.

        Options:
            depth (if there is one): The first line
                and the second.
            flag: Another.
        """

        required_arguments = optional_arguments = 0
        has_content = False
        option_spec: dict[str, Any] = {"flag": directives.flag, "depth": str}  # noqa: RUF012

    text, (depth, flag) = describe(Documented)
    assert text == "Shows something.\n\nAnd more."
    assert depth.required == "if there is one"
    assert depth.text == "The first line and the second."
    assert flag.text == "Another. It has no value."


@pytest.mark.parametrize("documented", [Config(), Profile("some")], ids=["Config", "Profile"])
def test_each_setting_is_described_with_its_default(documented: Config | Profile):
    rows = list(settings(type(documented)))
    assert [name for name, _ in rows] == [f"``{item.name}``" for item in fields(documented)]
    for item, (_, text) in zip(fields(documented), rows, strict=True):
        meaning, kind = text.split("\n\n")
        assert meaning.endswith(".")
        default = re.fullmatch(r"``(.+)``, by default ``(.*)``", kind)
        if item.name == "name":
            assert kind == "``str``, required"
        else:
            assert eval(default[2], {"Profile": Profile}) == getattr(documented, item.name)
    page = (REFERENCE / "settings.md").read_text("utf-8")
    address = f"{type(documented).__module__}.{type(documented).__name__}"
    assert f"```{{setting-reference}} {address}\n" in page


def test_each_row_of_the_table_of_c_is_shown():
    rows = list(kinds_of_c())
    assert len(rows) == sum(map(len, TABLE.values()))
    assert "{kind-reference}" in (REFERENCE / "directives.md").read_text("utf-8")


def without(page: str, part: str) -> str:
    """Return a page with one directive, and without a part of it."""
    if part == "argument":
        return re.sub(r"^(```\{.+\}).*", r"\1", page, flags=re.M)
    if part == "content":
        return re.sub(r"\n\n[^`#]+\n```", "\n```", page)
    return re.sub(rf"^{part}.*\n", "", page, flags=re.M)


def test_what_is_said_to_be_required_is(tmp_path: Path, cache: Path):
    site = Site(tmp_path, cache)
    shutil.copytree(SNAPSHOTS / "examples", site.root / "examples")
    site.configure()
    site.write({"docs/index.md": "# Index\n\n```{toctree}\n:glob:\n*\n```\n"})
    required = {}
    for name in DIRECTIVES:
        page = (SNAPSHOTS / name.removeprefix("cython-") / "page.md").read_text("utf-8")
        for part in describe(DIRECTIVES[name])[1]:
            rest = without(page, part.name)
            if rest != page:
                key = f"{name}-without-{part.name.strip(':')}"
                site.write({f"docs/{key}.md": rest})
                required[key] = part.required != "no"
    warned = re.findall(r"([\w-]+)\.md:\d+: (?:WARNING|ERROR)", site.build().err)
    assert {key for key, value in required.items() if value} == set(warned)
    assert len(required) > len(warned) > len(DIRECTIVES)


MD = """
# Reference

```{directive-reference} cython-excerpt
```

```{setting-reference} sphinx_cython.core.config.Config
```

```{kind-reference}
```
"""
RST = """
Reference
=========

.. directive-reference:: cython-excerpt

.. setting-reference:: sphinx_cython.core.config.Config

.. kind-reference::
"""


def test_pages_have_the_tables_and_are_read_again_when_docstrings_change(site: Site):
    site.configure(more="extensions.append('publishing.reference')")
    site.write({"docs/index.md": f"{MD}\n```{{toctree}}\nother\n```\n", "docs/other.rst": RST})
    site.passes()
    pages = [site.page(name) for name in ("index", "other")]
    options, fields_, kinds = pages[0].select("table")
    assert [str(t) for t in pages[1].select("table")] == [str(options), str(fields_), str(kinds)]
    assert [th.get_text() for th in options.select("th")] == ["part", "meaning", "required"]
    assert "function" in options.get_text()
    assert len(fields_.select("tbody tr")) == len(fields(Config))
    assert len(kinds.select("tbody tr")) == sum(map(len, TABLE.values()))
    with (site.root / "doctrees" / "environment.pickle").open("rb") as stream:
        environment = pickle.load(stream)
    for page in ("index", "other"):
        read = {Path(name).name for name in environment.dependencies[page]}
        assert {"base.py", "excerpt.py", "config.py", "ckinds.py"} <= read


@pytest.mark.parametrize(
    ("directive", "message"),
    [
        ("{directive-reference} cython-nothing", "no directive 'cython-nothing'"),
        ("{setting-reference} sphinx_cython.core.config.Nothing", "no class 'sphinx_cython.core"),
        ("{setting-reference} Nothing", "no class 'Nothing'"),
        ("{setting-reference} fractions.Fraction", "docstring of Fraction"),
    ],
)
def test_what_is_not_there_is_an_error_at_its_line(site: Site, directive: str, message: str):
    site.configure(more="extensions.append('publishing.reference')")
    site.write({"docs/index.md": f"# Reference\n\n```{directive}\n```\n"})
    (error,) = site.fails().warnings
    assert "index.md:3: ERROR: " in error
    assert message in error
