"""Writes the sites whose builds are timed: the same examples, shown in three ways.

``peer`` is what people do today: MyST-NB pages whose cells begin with ``%%cython -a``, executed
with MyST-NB's cache. ``bare`` has the same pages and executes nothing: what Sphinx needs by itself.
``ours`` has the examples in ``.pyx`` files, listings of them, and cells that import them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

PEER, BARE, OURS = WAYS = ("peer", "bare", "ours")


class Kind(NamedTuple):
    """A kind of example: a module with one function of its name.

    Attributes:
        source: The function.
        call: A call of it. NumPy is at hand as ``np``.
        output: What printing the result yields.
    """

    source: str
    call: str
    output: str


KINDS = {
    "total": Kind(
        """\
def total(double[:] a):
    cdef double result = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        result += a[i]
    return result
""",
        "total(np.arange(6.0))",
        "15.0",
    ),
    "scale": Kind(
        """\
def scale(double[::1] a, double factor):
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        a[i] *= factor
    return list(a)
""",
        "scale(np.arange(3.0), 2)",
        "[0.0, 2.0, 4.0]",
    ),
    "dot": Kind(
        """\
def dot(double[:] a, double[:] b):
    cdef double result = 0
    cdef Py_ssize_t i
    if a.shape[0] != b.shape[0]:
        raise ValueError("the lengths differ")
    for i in range(a.shape[0]):
        result += a[i] * b[i]
    return result
""",
        "dot(np.arange(4.0), np.ones(4))",
        "6.0",
    ),
    "product": Kind(
        """\
def product(double[:, ::1] a, double[:, ::1] b, double[:, ::1] out):
    cdef Py_ssize_t i, j, k
    out[:] = 0
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            for j in range(b.shape[1]):
                out[i, j] += a[i, k] * b[k, j]
    return out[1, 1]
""",
        "product(np.ones((2, 3)), np.ones((3, 2)), np.empty((2, 2)))",
        "3.0",
    ),
    "row_maxima": Kind(
        """\
cdef double largest(double[:] row) noexcept nogil:
    cdef double result = row[0]
    cdef Py_ssize_t i
    for i in range(1, row.shape[0]):
        if row[i] > result:
            result = row[i]
    return result


def row_maxima(double[:, :] a):
    return [largest(a[i]) for i in range(a.shape[0])]
""",
        "row_maxima(np.arange(6.0).reshape(2, 3))",
        "[2.0, 5.0]",
    ),
    "smooth": Kind(
        """\
def smooth(const double[::1] a, double[::1] out):
    cdef Py_ssize_t i
    for i in range(1, a.shape[0] - 1):
        out[i] = (a[i - 1] + a[i] + a[i + 1]) / 3
    return out[1]
""",
        "smooth(np.arange(4.0), np.zeros(4))",
        "1.0",
    ),
    "histogram": Kind(
        """\
def histogram(const unsigned char[:] values, int[::1] counts):
    cdef Py_ssize_t i
    for i in range(values.shape[0]):
        counts[values[i]] += 1
    return list(counts)
""",
        "histogram(bytes([0, 2, 2]), np.zeros(3, np.intc))",
        "[1, 0, 2]",
    ),
    "transposed": Kind(
        """\
def transposed(float[:, :] a):
    cdef float[:, :] t = a.T
    return t.shape[0], t.shape[1], t.strides[0]
""",
        "transposed(np.zeros((2, 5), np.float32))",
        "(5, 2, 4)",
    ),
    "accumulate": Kind(
        """\
def accumulate(long long[:] a):
    cdef Py_ssize_t i
    for i in range(1, a.shape[0]):
        a[i] += a[i - 1]
    return a[a.shape[0] - 1]
""",
        "accumulate(np.arange(5, dtype=np.longlong))",
        "10",
    ),
    "backwards": Kind(
        """\
def backwards(int[:] a):
    cdef int[:] b = a[::-1].copy()
    return [b[i] for i in range(b.shape[0])]
""",
        "backwards(np.arange(3, dtype=np.intc))",
        "[2, 1, 0]",
    ),
    "clip": Kind(
        """\
ctypedef fused number:
    float
    double


def clip(number[:] a, number low, number high):
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        if a[i] < low:
            a[i] = low
        elif a[i] > high:
            a[i] = high
    return list(a)
""",
        "clip(np.arange(4.0), 1, 2)",
        "[1.0, 1.0, 2.0, 2.0]",
    ),
    "fill": Kind(
        """\
from cython.view cimport array


def fill(Py_ssize_t n, short value):
    cdef short[:] a = array((n,), itemsize=sizeof(short), format="h")
    a[:] = value
    return list(a)
""",
        "fill(3, 7)",
        "[7, 7, 7]",
    ),
}

# With what a kernel tells about its language, so that cells are highlighted also where none ran.
_FRONT_MATTER = """\
---
file_format: mystnb
kernelspec:
  name: python3
language_info:
  name: python
  pygments_lexer: ipython3
---

"""


@dataclass(frozen=True)
class Example:
    """One of the examples and its page.

    Attributes:
        number: Counted from zero; it decides of which kind the example is.
        edition: How often the source was edited. The page prints it.
        revision: How often the prose was edited.
    """

    number: int
    edition: int = 0
    revision: int = 0

    @property
    def kind(self) -> str:
        """The name of its kind, which is that of its function."""
        return list(KINDS)[self.number % len(KINDS)]

    @property
    def name(self) -> str:
        """The name of its page and of its module."""
        return f"{self.kind}_{self.number:03}"

    @property
    def source(self) -> str:
        """What is compiled; no two examples are alike, as if different people wrote them."""
        edition = f"def edition():\n    return {self.edition}\n"
        return f'"""Example {self.number}."""\n\n{KINDS[self.kind].source}\n\n{edition}'

    @property
    def output(self) -> str:
        """What the cell prints."""
        return f"edition {self.edition}: {KINDS[self.kind].output}"

    @property
    def prose(self) -> str:
        """What only a new version of the page has."""
        return f"This is version {self.revision} of the text."

    def page(self, way: str) -> str:
        """Return the page in MyST Markdown."""
        if way == OURS:
            shown = f"```{{cython-listing}} {self.name}\n```\n"
            load = f"from {self.name} import edition, {self.kind}\n"
        else:
            source = f"%%cython -a\n{self.source}"
            shown = f"{_cell('%load_ext cython')}\n{_cell(source)}"
            load = ""
        call = f'print(f"edition {{edition()}}: {{{KINDS[self.kind].call}}}")'
        cell = _cell(f"import numpy as np\n{load}{call}")
        return f"{_FRONT_MATTER}# {self.name}\n\n{self.prose}\n\n{shown}\n{cell}"


def _cell(code: str) -> str:
    return f"```{{code-cell}}\n{code.rstrip()}\n```\n"


class Site:
    """A site in a folder of its own, with all its caches.

    Args:
        root: The folder.
        way: One of ``WAYS``.
        count: How many examples it has.
    """

    def __init__(self, root: Path, way: str, count: int) -> None:
        self.root, self.way = root, way
        self.docs, self.sources = root / "docs", root / "examples"
        self.examples = [Example(number) for number in range(count)]
        self.docs.mkdir(parents=True)
        self.sources.mkdir()
        names = "\n".join(example.name for example in self.examples)
        index = f"# Examples\n\n```{{toctree}}\n{names}\n```\n"
        (self.docs / "index.md").write_text(index, "utf-8")
        (self.docs / "conf.py").write_text(self._settings(), "utf-8")
        for example in self.examples:
            self._write(example)

    @property
    def notebooks(self) -> Path:
        """The folder of the cache in which MyST-NB keeps executed notebooks."""
        return self.root / "notebooks"

    def _settings(self) -> str:
        common = "project = 'Examples'\nextensions = ['myst_nb'{more}]\n{settings}\n"
        if self.way == OURS:
            # The settings of this repository's own site, in short.
            return common.format(
                more=", 'sphinx_cython'",
                settings="from sphinx_cython.core.config import Config, Profile\n"
                "cython = Config(\n    examples='../examples',\n    cache='../cache',\n"
                "    profiles=(Profile('default', shared=True),),\n)",
            )
        settings = "nb_execution_mode = 'off'"
        if self.way == PEER:
            settings = (
                f"nb_execution_mode = 'cache'\nnb_execution_cache_path = {str(self.notebooks)!r}"
            )
        return common.format(more="", settings=settings)

    def _write(self, example: Example) -> None:
        self.examples[example.number] = example
        (self.docs / f"{example.name}.md").write_text(example.page(self.way), "utf-8")
        path = self.sources / f"{example.name}.pyx"
        if self.way == OURS and (not path.exists() or path.read_text("utf-8") != example.source):
            path.write_text(example.source, "utf-8")

    def edit_example(self, number: int) -> None:
        """Change what an example does."""
        example = self.examples[number % len(self.examples)]
        self._write(replace(example, edition=example.edition + 1))

    def edit_prose(self, number: int) -> None:
        """Change a sentence on the page of an example."""
        example = self.examples[number % len(self.examples)]
        self._write(replace(example, revision=example.revision + 1))

    def problems(self) -> list[str]:
        """Return what the built pages lack; a build that leaves out something must not be timed."""
        problems = []
        for example in self.examples:
            page = (self.root / "html" / f"{example.name}.html").read_text("utf-8")
            # A page that shows the call as code has no such text in it.
            expected = [example.prose] if self.way == BARE else [example.prose, example.output]
            problems += [f"{example.name}: no {text!r}" for text in expected if text not in page]
        return problems
