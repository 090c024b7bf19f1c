"""Examples in packages, and examples whose names are taken: they are built and imported as such."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import CONF, QUICK, Site, write

from sphinx_cython.core.annotation import load_annotation
from sphinx_cython.core.artefact import Artefact, Failure
from sphinx_cython.core.builder import Builder
from sphinx_cython.core.config import Config, Profile
from sphinx_cython.core.example import Examples
from sphinx_cython.core.stage import read_digests, used_origins

PACKAGE = {
    "geo/__init__.py": """
        from . import helpers
        from .shapes import Square
        NAME = __name__
    """,
    "geo/helpers.py": "from .shapes import Square\nUNIT = Square(1)\n",
    "geo/shapes.pxd": """
        cdef class Square:
            cdef readonly int side
            cdef int area(self) noexcept
    """,
    "geo/shapes.pyx": """
        include "parts/text.pxi"
        from .units cimport to_mm
        from .units.more cimport PER_INCH

        cdef class Square:
            def __init__(self, int side):
                self.side = side

            cdef int area(self) noexcept:
                return self.side * self.side

            def in_mm(self):
                return to_mm(self.area())

        def per_inch():
            return PER_INCH

        def fail():
            raise ValueError(TEXT)
    """,
    "geo/parts/text.pxi": 'TEXT = "failed"\n',
    "geo/units/__init__.pxd": "cdef int to_mm(int inches) noexcept\n",
    "geo/units/__init__.pyx": """
        from ..shapes cimport Square

        cdef int to_mm(int inches) noexcept:
            return 25 * inches

        def area_of(Square square):
            return square.area()
    """,
    # Declarations only; the header is beside them.
    "geo/units/more.pxd": 'cdef extern from "inch.h":\n    int PER_INCH\n',
    "geo/units/inch.h": "#define PER_INCH 25\n",
    # Outside any package.
    "apart/uses.pyx": """
        from geo.shapes cimport Square
        from other cimport twice

        def doubled(int side):
            return twice(Square(side).area())
    """,
    "apart/other.pxd": "cdef int twice(int x) noexcept\n",
    "apart/other.pyx": "cdef int twice(int x) noexcept:\n    return 2 * x\n",
}


def run(code: str, stage: Path, **variables: str) -> str:
    """Run code as a page does; return what it prints."""
    env = os.environ | {"PYTHONPATH": str(stage), "PYTHONDONTWRITEBYTECODE": "1"} | variables
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=env, capture_output=True, text=True, cwd=stage.parent)
    assert done.returncode == 0, done.stderr
    return done.stdout


def build(builder: Builder) -> tuple[dict[str, Artefact], Path]:
    """Build everything, and expect it to compile."""
    outcomes = builder.build_all()
    failed = [outcome.summary for outcome in outcomes.values() if isinstance(outcome, Failure)]
    assert failed == []
    return outcomes, builder.stage(outcomes)  # type: ignore[return-value]


@pytest.fixture
def geo(make_builder, cache) -> Builder:
    other = Profile("un-checked", flags=("-O0",), examples=("geo/shapes",))
    shared = Profile("shared", flags=("-O0",), shared=True, examples=("geo/*", "apart/*"))
    return make_builder(PACKAGE, QUICK, other, shared, cache=cache)


# --- a package


def test_a_package_is_imported_with_all_that_is_in_it(geo: Builder):
    _, stage = build(geo)
    code = """
import pickle, geo, uses
from geo import units
square = geo.Square(3)
print(geo.NAME, geo.helpers.UNIT.side, square.in_mm(), units.area_of(square), uses.doubled(2))
print(geo.shapes.per_inch(), type(square), type(square).__module__, geo.shapes.__name__)
print(geo.shapes.fail.__module__)
copy = pickle.loads(pickle.dumps(square))
print(type(copy) is geo.Square, copy.side)
try:
    geo.shapes.fail()
except ValueError as error:
    last = error.__traceback__.tb_next
    print(last.tb_frame.f_code.co_filename, last.tb_lineno, last.tb_frame.f_code.co_qualname, error)
"""
    assert run(code, stage).splitlines() == [
        "geo 1 225 9 8",
        "25 <class 'geo.shapes.Square'> geo.shapes geo.shapes",
        "geo.shapes",
        "True 3",
        "geo/shapes.pyx 19 geo.shapes.fail failed",
    ]


def test_the_own_pxd_of_a_module_makes_fields(geo: Builder):
    """Called by a bare name, the module would be compiled without its declarations."""
    outcomes, _ = build(geo)
    artefact = outcomes["geo/shapes"]
    example = artefact.variant.example
    line = load_annotation(artefact.html_file, example)[
        example.find_line("return self.side * self.side") - 1
    ]
    assert re.search(r"__pyx_r = \(__pyx_v_self->side \* __pyx_v_self->side\);", line.c)
    assert "__Pyx_PyObject_GetAttr" not in line.c


@pytest.mark.parametrize("key", ["geo/shapes", "geo/units/__init__", "apart/uses"])
def test_the_c_is_that_of_cython_left_to_itself(geo: Builder, tmp_path, key: str):
    outcomes, _ = build(geo)
    ordinary = tmp_path / "ordinary.c"
    command = [sys.executable, "-m", "cython", "-3", f"{key}.pyx", "-o", str(ordinary)]
    subprocess.run(command, cwd=geo.examples.root, check=True)
    assert outcomes[key].c_file.read_text() == ordinary.read_text()


def test_variants_of_a_package_stay_apart_from_the_default(geo: Builder):
    _, stage = build(geo)
    code = """
import sys
import variants.un_checked.geo as other
import variants.un_checked.geo.shapes as shapes
import geo, uses
print(other.__name__, shapes.__name__, shapes is geo.shapes, other.helpers is geo.helpers)
print(shapes.__file__ != geo.shapes.__file__, other.Square is shapes.Square)
import variants.un_checked.geo.units as units
print(units.__name__, sys.modules["geo.shapes"] is geo.shapes)
from variants.shared import geo as shared
from variants.shared.geo import units
from variants.shared import uses
print(shared.Square(2).in_mm(), uses.doubled(3), "_cyutility" in sys.modules)
"""
    assert run(code, stage).splitlines() == [
        "variants.un_checked.geo variants.un_checked.geo.shapes False False",
        "True True",
        "variants.un_checked.geo.units True",
        "100 18 True",
    ]


def test_it_is_known_what_was_imported_from_a_stage(geo: Builder):
    outcomes, stage = build(geo)
    code = """
import json, sys
import variants.un_checked.geo.units, other
files = [m.__file__ for m in list(sys.modules.values()) if getattr(m, "__file__", None)]
print(json.dumps(files))
"""
    used = used_origins(stage, json.loads(run(code, stage)))
    assert set(used) == {
        "apart/other",
        "geo/__init__.py",
        "geo/helpers.py",
        "geo/shapes",
        "geo/shapes@un-checked",
        "geo/units/__init__",
    }
    assert used.items() <= read_digests(stage).items()
    assert used["geo/shapes"] == outcomes["geo/shapes"].digest


def test_a_change_of_a_plain_file_makes_another_stage_and_compiles_nothing(geo: Builder):
    _, stage = build(geo)
    path = geo.examples.root / "geo" / "helpers.py"
    path.write_text("UNIT = 2\n")
    again = Builder(
        type(geo.examples).scan(geo.examples.root), geo.config, geo.cache, geo.toolchain
    )
    changed = again.stage(again.build_all())
    assert changed != stage
    assert run("import geo; print(geo.helpers.UNIT)", changed) == "2\n"
    before, after = read_digests(stage), read_digests(changed)
    assert {key for key in after if before[key] != after[key]} == {"geo/helpers.py"}


def test_a_package_around_the_examples_folder_comes_along(tmp_path, toolchain, cache):
    write(
        tmp_path,
        {
            "outer/__init__.py": "from .plain import VALUE\n",
            "outer/plain.py": "VALUE = 1\n",
            "outer/sub/__init__.py": "",
            "outer/sub/mod.pxd": "cdef int f(int x)\n",
            "outer/sub/mod.pyx": "from ..plain import VALUE\ncdef int f(int x):\n    return x\n",
        },
    )
    root = tmp_path / "outer" / "sub"
    builder = Builder(Examples.scan(root), Config(profiles=(QUICK,)), cache, toolchain)
    _, stage = build(builder)
    code = "import outer.sub.mod as m; print(m.__name__, m.VALUE)"
    assert run(code, stage) == "outer.sub.mod 1\n"


# --- names that are taken


TAKEN = {
    "plain/copy.pyx": "cdef class P:\n    pass\n\ndef who():\n    return __name__\n",
    "plain/copy.pxd": "cdef class P:\n    cdef public int n\n",
    "plain/same.pyx": "from plain.copy cimport P\nn = 'first'\ndef f(P p): return p.n\n",
    "other/same.pyx": "n = 'second'\n",
    "random.pyx": "cdef class R:\n    pass\n\ndef g(R r): return r.n\n",
    "random.pxd": "cdef class R:\n    cdef int n\n",
    # Beside the examples, and not meant for Cython or the compiler.
    "types.py": "raise SystemExit('shadowed')\n",
    "plain/re.py": "raise SystemExit('shadowed')\n",
    "enum/__init__.py": "raise SystemExit('shadowed')\n",
    "Cython/__init__.py": "raise SystemExit('shadowed')\n",
}


def test_nothing_in_the_examples_folder_hides_a_module_of_python(make_builder, cache):
    _, stage = build(make_builder(TAKEN, cache=cache))
    code = """
import copy, types, re, enum, random
import plain.copy, plain.same, other.same, examples.random
print(hasattr(copy, "deepcopy"), hasattr(random, "randint"))
print(plain.copy.who(), plain.copy.P, plain.same.n, other.same.n, examples.random.R)
import copy as again
print(again is copy, plain.same.f(plain.copy.P()))
"""
    assert run(code, stage).splitlines() == [
        "True True",
        "plain.copy <class 'plain.copy.P'> first second <class 'examples.random.R'>",
        "True 0",
    ]
    assert not list(stage.glob("types.py")), "plain files outside packages are no examples"


def test_the_own_pxd_is_used_where_the_name_is_taken(make_builder, cache):
    outcomes, _ = build(make_builder(TAKEN, cache=cache))
    artefact = outcomes["random"]
    line = load_annotation(artefact.html_file, artefact.variant.example)[3]
    assert "__pyx_v_r->n" in line.c


def test_a_variant_is_not_taken_for_the_default_module(make_builder):
    files = {"sub/m.pyx": "cdef extern from *:\n    int N\nn = N\n", "plain/copy.pyx": "x = 1\n"}
    default = Profile("default", flags=("-O0",), macros=(("N", "1"),))
    two = Profile("two", flags=("-O0",), macros=(("N", "2"),))
    _, stage = build(make_builder(files, default, two))
    for code in (
        "from variants.two import m as v; import m; print(m.n, v.n)",
        "import m; from variants.two import m as v; print(m.n, v.n)",
        "import variants.two.m as v; import importlib; m = importlib.import_module('m');"
        "print(m.n, v.n)",
    ):
        assert run(code, stage) == "1 2\n", code
    code = (
        "import variants.two.plain.copy as v, copy, plain.copy as d; print(v.x, v is d, copy.copy)"
    )
    assert run(code, stage).startswith("1 False <function copy at")


def test_a_variant_whose_default_module_is_missing_does_not_take_its_place(make_builder):
    files = {"m.pyx": "cdef extern from *:\n    int N\nn = N\nif n == 1: raise ValueError\n"}
    default = Profile("default", flags=("-O0",), macros=(("N", "1"),))
    two = Profile("two", flags=("-O0",), macros=(("N", "2"),))
    _, stage = build(make_builder(files, default, two))
    code = """
from variants.two import m as v
print(v.n)
try:
    import m
except ValueError:
    print("raised")
"""
    assert run(code, stage) == "2\nraised\n"


# --- headers


@pytest.mark.parametrize(
    "files",
    [
        {"m.pyx": "from lib.a cimport N\nprint(N)\n"},
        {"sub/m.pyx": "from a cimport N\nprint(N)\n", "sub/a.pxd": "from lib.a cimport N\n"},
        {"m.pyx": "cimport lib.a\nprint(lib.a.N)\n"},
    ],
)
def test_a_header_is_found_beside_the_pxd_that_declares_it(make_builder, files):
    more = {"lib/a.pxd": 'cdef extern from "a.h":\n    int N\n', "lib/a.h": "#define N 7\n"}
    _, stage = build(make_builder(files | more))
    assert run("import m", stage) == "7\n"


def test_the_headers_of_numpy_are_found_however_they_are_reached(make_builder):
    files = {
        "a.pyx": "from lib.arrays cimport size\ndef f(x): return size(x)\n",
        "lib/arrays.pxd": """
            cimport numpy as cnp
            cdef inline Py_ssize_t size(cnp.ndarray a):
                return a.shape[0]
        """,
        "b.pyx": 'cdef extern from "b.h":\n    int WORDS\nwords = WORDS\n',
        "b.h": "#include <Python.h>\n#include <numpy/ndarraytypes.h>\n#define WORDS NPY_MAXDIMS\n",
    }
    _, stage = build(make_builder(files))
    code = "import numpy, a, b; print(a.f(numpy.zeros(3)), b.words >= 32)"
    assert run(code, stage) == "3 True\n"


def test_numpy_is_not_imported_to_find_its_headers_and_need_not_be_there():
    code = """
import sys
from sphinx_cython.core.compile import numpy_flags
import os
flags = numpy_flags()
assert os.path.isdir(flags[0][2:] + "/numpy"), flags
assert "numpy" not in sys.modules
sys.modules["numpy"] = None
import importlib.util
importlib.util.find_spec = lambda name: None
print(numpy_flags())
"""
    assert run(code, CONF) == "[]\n"


# --- errors


def test_a_source_that_cannot_be_decoded_is_an_error_of_that_example(make_builder):
    builder = make_builder({"bad.pyx": "", "odd.pyx": "", "fine.pyx": "x = 1\n"})
    builder.examples["bad"].path.write_bytes(b"x = 1\ny = '\xe9'\n")
    builder.examples["odd"].path.write_bytes(b"# coding: nonsense\nx = 1\n")
    outcomes = builder.build_all()
    assert isinstance(outcomes["fine"], Artefact)
    (problem,) = outcomes["bad"].problems
    assert (problem.file, problem.line) == ("bad.pyx", 2)
    assert problem.message.startswith("Decoding error")
    assert "unknown encoding: nonsense" in outcomes["odd"].summary


def test_an_error_is_told_at_the_file_it_is_in(make_builder):
    files = {
        "geo/__init__.py": "",
        "geo/bad.pyx": "from .more cimport f\ndef g():\n    return nothing\n",
        "geo/more.pxd": "cdef int f(int x)\n",
        "apart/bad_call.pyx": """
            cdef extern from "math.h":
                double sin(double x, double y)
            def f(double x):
                return sin(x, x)
        """,
    }
    outcomes = make_builder(files).build_all()
    told = {(p.file, p.line) for outcome in outcomes.values() for p in outcome.problems}
    assert told == {("geo/bad.pyx", 3), ("apart/bad_call.pyx", 4)}


# --- on pages


def test_pages_show_and_import_modules_of_packages_and_of_cxx(site: Site):
    site.write({f"examples/{name}": text for name, text in PACKAGE.items()})
    site.write(
        {
            "examples/plain/copy.pyx": "def f(x):\n    return x\n",
            "examples/cxx/doubled.pyx": """
                # distutils: language = c++
                from libcpp.vector cimport vector

                def doubled(int x):
                    cdef vector[int] v
                    v.push_back(x)
                    v.push_back(x)
                    return v
            """,
            "docs/index.md": "# Index\n\n```{toctree}\n:glob:\n*\n```\n",
            "docs/package.md": """
                # Package

                ```{code-cell}
                import copy, geo, plain.copy
                print(geo.helpers.UNIT.side, plain.copy.f(2), copy.copy([3]))
                ```

                ```{cython-excerpt} geo.shapes
                :function: Square.area
                :line: return self.side * self.side
                ```

                ```{cython-assembly} geo/shapes
                :function: area
                :line: return self.side * self.side
                ```
            """,
            "docs/cxx.md": """
                # C++

                ```{cython-example} cxx/doubled
                ```

                ```{code-cell}
                import doubled
                print(doubled.doubled(4))
                ```
            """,
        }
    )
    site.passes("-j", "1")
    package, cxx = site.page("package"), site.page("cxx")
    assert package.select_one(".cell_output").get_text().strip() == "1 2 [3]"
    assert "__pyx_v_self->side * __pyx_v_self->side" in package.select_one(".cy-excerpt").get_text()
    assert cxx.select_one(".cell_output").get_text().strip() == "[4, 4]"
    assert "__pyx_v_v.push_back(__pyx_v_x);" in cxx.select_one(".cy-listing").get_text()
    (link,) = cxx.select('.cy-links a[href$=".cpp"]')
    assert (site.root / "html" / link["href"]).is_file()

    site.write({"examples/geo/helpers.py": "from .shapes import Square\nUNIT = Square(5)\n"})
    run = site.passes()
    assert (run.compiled, run.executed) == (set(), {"package"})
    assert site.page("package").select_one(".cell_output").get_text().strip() == "5 2 [3]"
