"""Directives that describe the extension from its docstrings: directives, settings, kinds of C.

Not ``sphinx.ext.autodoc``: it lists methods and annotations, each of which is a reference that a
strict build cannot resolve, and it has no idea of the options of a directive.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from textwrap import dedent, indent
from types import ModuleType
from typing import TYPE_CHECKING, Any

from docutils import languages, nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

from sphinx_cython import markup
from sphinx_cython.core import ckinds

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_SECTION = re.compile(r"^(Argument|Content|Options|Attributes):\n((?:(?: {4}.*)?\n)+)", re.M)
_ENTRY = re.compile(r"^(\w+)(?: \((.+?)\))?: (.*(?:\n(?: .*)?)*)", re.M)


class Undescribed(Exception):
    """A docstring lacks something, or there is nothing of the name."""


@dataclass(frozen=True)
class Entry:
    """An entry of a section.

    Attributes:
        name: What is described.
        note: What is in parentheses behind the name: when it is required.
        text: What it means, as reStructuredText.
    """

    name: str
    note: str
    text: str


@dataclass
class Docstring:
    """A docstring taken apart.

    Attributes:
        text: What is in no section.
        prose: The sections that are text, by their titles.
        entries: The entries of the other sections, by their names.
    """

    text: str
    prose: dict[str, str] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)


def read_docstring(documented: type) -> Docstring:
    """Take the docstring of a class apart, not that of a base."""
    text = inspect.cleandoc(documented.__dict__.get("__doc__") or "") + "\n"
    result = Docstring(_SECTION.sub("", text).strip())
    for title, section in _SECTION.findall(text):
        content = dedent(section).strip()
        if title in ("Argument", "Content"):
            result.prose[title] = content
        else:
            for name, note, words in _ENTRY.findall(content):
                result.entries[name] = Entry(name, note, " ".join(words.split()))
    return result


@dataclass(frozen=True)
class Part:
    """What an author can write in a directive.

    Attributes:
        name: An option, or ``argument`` or ``content``.
        required: When it must be there: ``yes``, ``no``, or a condition.
        text: What it means.
    """

    name: str
    required: str
    text: str


def describe(directive: type[Any]) -> tuple[str, list[Part]]:
    """Return what a directive does, and what can be written in it.

    Raises:
        Undescribed: Something that can be written in it has no description in a docstring.
    """
    docstrings = [read_docstring(base) for base in directive.__mro__ if base is not object]

    def prose(title: str) -> str:
        return next((doc.prose[title] for doc in docstrings if title in doc.prose), "")

    parts = []
    if directive.required_arguments or directive.optional_arguments:
        required = "yes" if directive.required_arguments else "no"
        parts.append(Part("argument", required, prose("Argument")))
    if directive.has_content:
        parts.append(Part("content", "yes", prose("Content")))
    entries: dict[str, Entry] = {}
    for docstring in docstrings:
        entries = {**entries, **{n: e for n, e in docstring.entries.items() if n not in entries}}
    options = directive.option_spec or {}
    known = [name for name in entries if name in options]
    for name in known + [name for name in options if name not in entries]:
        entry = entries.get(name, Entry(name, "", ""))
        flag = " It has no value." if options[name] is directives.flag else ""
        required = {"": "no", "required": "yes"}.get(entry.note, entry.note)
        parts.append(Part(f":{name}:", required, entry.text and entry.text + flag))
    text = docstrings[0].text
    missing = [part.name for part in parts if not part.text] + ["text"] * (not text)
    if missing:
        raise Undescribed(f"no docstring of {directive.__qualname__} describes {missing}")
    return text, parts


def default_value(attribute: Field[Any]) -> str:
    """Return the default of a field of a dataclass as Python, or nothing if it is required."""
    if attribute.default_factory is not MISSING:
        return _short(attribute.default_factory())
    return "" if attribute.default is MISSING else _short(attribute.default)


def _short(value: object) -> str:
    """Return a value as Python, without the fields of a dataclass that have their defaults."""
    if isinstance(value, tuple) and value:
        return f"({', '.join(map(_short, value))}{',' * (len(value) == 1)})"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:_}"
    if not is_dataclass(value):
        return repr(value)
    given = [
        f"{item.name}={getattr(value, item.name)!r}"
        for item in fields(value)
        if getattr(value, item.name) != item.default
    ]
    return f"{type(value).__name__}({', '.join(given)})"


def settings(documented: type[Any]) -> Iterator[tuple[str, str]]:
    """Yield name and meaning, with type and default, of the fields of a dataclass.

    Raises:
        Undescribed: A field has no description.
    """
    entries = read_docstring(documented).entries
    if not is_dataclass(documented):
        raise Undescribed(f"no docstring of {documented.__qualname__} describes fields")
    for item in fields(documented):
        if item.name not in entries:
            raise Undescribed(f"the docstring of {documented.__qualname__} lacks {item.name!r}")
        default = default_value(item)
        kind = f"``{item.type}``, " + (f"by default ``{default}``" if default else "required")
        yield f"``{item.name}``", f"{entries[item.name].text}\n\n{kind}"


def kinds_of_c() -> Iterator[tuple[str, str]]:
    """Yield kind and meaning, with the sample, of the rows of the table of C."""
    words = {
        **dict(markup.KINDS),
        ckinds.PLAIN: "plain C",
        ckinds.OWN: "call of a C function of the module",
    }
    for rules in ckinds.TABLE.values():
        for rule in rules:
            yield words[rule.kind], f"{rule.meaning}:\n\n``{' '.join(rule.sample.split())}``"


def list_table(header: Iterable[str], rows: Iterable[Iterable[str]], classes: str = "") -> str:
    """Return a table as reStructuredText.

    It stays out of the search index, which every reader who searches loads: options and generated
    names are looked up on the page.
    """
    lines = [".. list-table::", "   :header-rows: 1", f"   :class: no-search {classes}", ""]
    for row in (header, *rows):
        for number, cell in enumerate(row):
            lines.append(f"   {' ' if number else '*'} - {indent(cell, ' ' * 7).lstrip()}")
    return "\n".join(lines)


Sources = tuple[type | ModuleType, ...]


class Reference(SphinxDirective):
    """Base: turns reStructuredText into nodes, whichever syntax the page has."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Parse the text, and have the page read again when a module changes that it is from."""
        try:
            text, sources = self.read()
        except Undescribed as error:
            raise self.error(str(error)) from error
        for source in sources:
            self.env.note_dependency(inspect.getfile(source))
        if self.env.doc2path(self.env.docname).suffix != ".rst":
            text = f"````````{{eval-rst}}\n{text}\n````````"
        return self.parse_text_to_nodes(text)

    def read(self) -> tuple[str, Sources]:
        """Return the text, and what it is from; ``Undescribed`` for what there is not."""
        raise NotImplementedError


class DirectiveReference(Reference):
    """``directive-reference``: what a directive does, and a table of what is written in it."""

    def read(self) -> tuple[str, Sources]:
        """Describe the directive that the argument names."""
        (name,) = self.arguments
        english = languages.get_language("en", self.state.document.reporter)
        directive, _messages = directives.directive(name, english, self.state.document)
        if directive is None:
            raise Undescribed(f"no directive {name!r}")
        text, parts = describe(directive)
        if parts:
            rows = [(f"``{part.name}``", part.text, part.required) for part in parts]
            text += "\n\n" + list_table(("part", "meaning", "required"), rows)
        return text, directive.__mro__[:-1]


class SettingReference(Reference):
    """``setting-reference``: a dataclass of settings as a table."""

    def read(self) -> tuple[str, Sources]:
        """Describe the dataclass that the argument names with its module."""
        module, _, name = self.arguments[0].rpartition(".")
        try:
            documented = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            raise Undescribed(f"no class {self.arguments[0]!r}: {error}") from error
        table = list_table(("setting", "meaning"), settings(documented))
        return f"{read_docstring(documented).text}\n\n{table}", (documented,)


class KindReference(Reference):
    """``kind-reference``: the kinds of C as a table."""

    required_arguments = 0

    def read(self) -> tuple[str, Sources]:
        """Describe each row of the extension's own table."""
        header = ("kind", "what the C does, with a sample")
        return list_table(header, kinds_of_c(), "words"), (ckinds, markup)


def setup(app: Sphinx) -> None:
    """Register the directives."""
    app.add_directive("directive-reference", DirectiveReference)
    app.add_directive("setting-reference", SettingReference)
    app.add_directive("kind-reference", KindReference)
