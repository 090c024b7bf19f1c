"""The functions of a source, and that they are those of Cython's own parse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import Cython
import pytest
from Cython.Compiler import Errors, Nodes
from Cython.Compiler.Errors import CompileError
from Cython.Compiler.Main import Context
from Cython.Compiler.Options import CompilationOptions, default_options
from Cython.Compiler.Scanning import FileSourceDescriptor, PyrexScanner
from Cython.Compiler.Symtab import ModuleScope
from Cython.Compiler.Visitor import TreeVisitor
from Cython.Utils import open_source_file
from support import CONF, SAMPLES

from sphinx_cython.core.functions import Function, find_functions
from sphinx_cython.core.scanner import Source


def functions(source: str) -> dict[str, tuple[int, int, int]]:
    """First line, last line and line of the header of each function of a source."""
    found = find_functions(Source(dedent(source).removeprefix("\n")))
    return {name: (f.first, f.last, f.header) for name, f in found.items()}


# --- one at a time


def test_a_function_reaches_from_its_header_to_the_end_of_its_body():
    source = """
        def f(a):
            x = a

            return x


        y = 1
    """
    assert functions(source) == {"f": (1, 4, 1)}


def test_decorators_belong_to_the_function():
    source = """
        @cython.boundscheck(False)
        # a comment
        @cython.locals(
            a=object,
        )

        def f(a):
            return a
    """
    assert functions(source) == {"f": (1, 8, 7)}


def test_a_comment_that_is_indented_like_the_body_belongs_to_it():
    source = """
        def f(a):
            return a
            # about what was returned

        # about what follows
            # and more of that
        y = 1
    """
    assert functions(source) == {"f": (1, 3, 1)}


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("def f(a):", "f"),
        ("async def f(a):", "f"),
        ("async  def f(a):", "f"),
        ("cpdef f(a):", "f"),
        ("cdef f(a):", "f"),
        ("cdef inline double f(double[:, ::1] a) noexcept nogil:", "f"),
        ("cdef inline f(a):", "f"),
        ("cdef double *f(double *a) except? NULL:", "f"),
        ("cdef double **f(double *a) except? NULL:", "f"),
        ("cdef unsigned long long f(a) except -1:", "f"),
        ("cdef long double complex f(a):", "f"),
        ("cdef const char *f(a) except NULL:", "f"),
        ("cdef const double[:] f(a):", "f"),
        ("cdef (int, int) f(a):", "f"),
        ("cdef int (*f(int a))(double):", "f"),
        ("cdef numpy.ndarray[double, ndim=1] f(a):", "f"),
        ("cdef vector[pair[int, vector[int]]] f(a):", "f"),
        ("cdef module.Type[:] f(a):", "f"),
        ("cdef api int f(a):  # a comment: (with a bracket", "f"),
        ('cdef public int f "its_c_name" (a) except? -1:', "f"),
        ('cdef public f "its_c_name" (a):', "f"),
        ("cdef int __stdcall f(int a) except +:", "f"),
        ("cdef int f(int a) except *:", "f"),
        ("cdef void f(int a) except +handler nogil:", "f"),
        ("cdef void f(a) noexcept with gil:", "f"),
        ("def f(a, b=(1, 2)) -> int:", "f"),
        ("def f(a: 'x:y', *, b: dict = {1: 2}, **c) -> dict[str, int]:", "f"),
        ("def f(a=None):", "f"),
        ("def f(a=lambda x: {x: 1}):", "f"),
        ('def f(a="("):', "f"),
        ("def f(a='#'):  # def g(b):", "f"),
        ("def f(a='\\'('):", "f"),
        ('def f(a=r"\\"):"):', "f"),
        ('def f(a=f"{1:>{2}}:{"("}"):', "f"),
        ("def \\\n f(a):", "f"),
        ("cdef double[:] f(a=None):", "f"),
        ("def größe(a):", "größe"),
        ("def nogil(a):", "nogil"),
    ],
)
def test_every_kind_of_header_is_found(header: str, name: str):
    end = header.count("\n") + 2
    assert functions(f"{header}\n    return a\n") == {name: (1, end, 1)}


@pytest.mark.parametrize(
    "source",
    [
        "def f(a): return a\nx = 1\n",
        "def f(a): return a; b\nx = 1\n",
        "def f(a): return (a,\nb)\nx = 1\n",
        "cdef f(a): return '''a\nb'''\nx = 1\n",
    ],
)
def test_a_body_can_be_on_the_line_of_the_header(source: str):
    assert functions(source) == {"f": (1, source.count("\n") - 1, 1)}


def test_a_header_can_span_lines():
    source = """
        cdef double f(
            double[:] a,
            Py_ssize_t i,  # an index (from 0
            object s="):",
        ) noexcept:
            return a[i]

        x = f
    """
    assert functions(source) == {"f": (1, 6, 1)}


@pytest.mark.parametrize("quotes", ['"""', "'''"])
@pytest.mark.parametrize("prefix", ["", "r", "b", "Rb", "f", "rF"])
def test_text_at_the_start_of_a_line_does_not_end_a_function(prefix: str, quotes: str):
    source = (
        f"def f():\n    x = {prefix}{quotes}\ndef g(): pass\n # (\n{quotes}\n    return x\ny = 1\n"
    )
    assert functions(source) == {"f": (1, 6, 1)}


def test_brackets_and_continued_lines_do_not_end_a_function():
    source = "def f():\n    x = [\n1,\n]\n    y = 1 + \\\n2\ndef g():\n    pass\n"
    assert functions(source) == {"f": (1, 6, 1), "g": (7, 8, 7)}


def test_methods_are_named_after_their_classes():
    source = """
        cdef class A:
            def __init__(self):
                pass

            class B:
                def m(self):
                    pass

        class C(A): pass
        def m():
            pass
    """
    assert functions(source) == {"A.__init__": (2, 3, 2), "A.B.m": (6, 7, 6), "m": (10, 11, 10)}


def test_functions_in_functions_are_named_after_them():
    source = """
        def outer():
            def inner():
                return 1
            class A:
                def m(self): pass
            return inner
    """
    assert functions(source) == {
        "outer": (1, 6, 1),
        "outer.inner": (2, 3, 2),
        "outer.A.m": (5, 5, 5),
    }


def test_a_block_of_c_declarations_holds_functions():
    source = """
        cdef public:
            int x
            int f(int a) except -1:
                return a
        cdef nogil:
            struct S:
                int (*f)(int)
            inline int g(int a):
                return a
        cdef class A:
            cdef:
                int y
                int h(self):
                    return 1
            cpdef k(self): pass
    """
    assert functions(source) == {
        "f": (3, 4, 3),
        "g": (8, 9, 8),
        "A.h": (13, 14, 13),
        "A.k": (15, 15, 15),
    }


def test_properties_name_their_functions():
    source = """
        cdef class A:
            property x:
                "Its doc."
                def __get__(self):
                    return 1

            @property
            def y(self):
                return 1

            @y.setter
            def y(self, value):
                pass
    """
    assert functions(source) == {
        "A.x.__get__": (4, 5, 4),
        "A.y": (7, 9, 8),
        "A.y.setter": (11, 13, 12),
    }


def test_functions_of_one_name_are_numbered():
    source = """
        if X:
            def f(): return 1
        else:
            def f(): return 2
        def g(): pass
    """
    assert functions(source) == {"f#1": (2, 2, 2), "f#2": (4, 4, 4), "g": (5, 5, 5)}


@pytest.mark.parametrize(
    "line",
    [
        "cdef double x = f(1)",
        "cdef object x = lambda a: f(a)",
        "cdef int (*callback)(int)",
        "cdef extern from *:",
        'cdef extern from "math.h" nogil:',
        "double sin(double x)",
        "cdef int f(int x)",
        "ctypedef int (*f)(int)",
        "ctypedef struct S:",
        "cdef enum E:",
        "define(x)",
        "deferred(1)",
        "print('def f(): pass')",
        "# def f(): pass",
        "x = {'def': lambda y: 1}",
    ],
)
def test_what_is_no_function_is_not_taken_for_one(line: str):
    assert functions(f"{line}\n    pass\n") == {}


@pytest.mark.parametrize(
    "source",
    ["def f(:\n    pass\n", "def f()\n    return 1\n", "def (a):\n", "cdef\n", "'''", "f'{", '"\\'],
)
def test_a_broken_source_is_read_too(source: str):
    """Cython refuses them, and an example may be there to show that."""
    functions(source)
    assert "g" in functions(f"def g():\n    return 1\n\n{source}")


# --- signatures


@pytest.mark.parametrize(
    ("header", "signature"),
    [
        ("def f(a, b):", "def f(a, b)"),
        ("def f(a):  # a comment", "def f(a)"),
        ("def f(a): return a", "def f(a)"),
        ("def f(a='# no comment',  b=':'):", "def f(a='# no comment',  b=':')"),
        ("def f(a='''x\ny'''):", "def f(a='''x\ny''')"),
        ("cdef int \\\n  f(a) \\\n  except -1:", "cdef int f(a) except -1"),
        (
            "def f(\n    double[:] a,  # from (0\n    # its index\n    Py_ssize_t i,\n) -> int:",
            "def f(double[:] a, Py_ssize_t i) -> int",
        ),
        ("def f(a,\n      b=[\n          1,\n      ]):", "def f(a, b=[1])"),
    ],
)
def test_a_signature_is_the_header_on_one_line(header: str, signature: str):
    body = "\n    return 1\n" if header.rstrip().endswith((":", "comment")) else "\n"
    (function,) = find_functions(Source(f"@decorated(1)\n{header}{body}")).values()
    assert function.signature == signature


# --- against Cython's own parse


class Parsed(TreeVisitor):
    """The functions in the tree that Cython makes of a file: name and first line of each."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = str(path)
        self.found: list[tuple[str, int]] = []
        self.names: list[str] = []

    def inside(self, node: Nodes.Node, *names: str) -> None:
        self.names += names
        self.visitchildren(node)
        del self.names[-len(names) :]

    def function(self, node: Nodes.Node, name: str) -> None:
        parts = [decorator.decorator for decorator in node.decorators or ()]
        more = [
            part.attribute
            for part in parts
            if part.is_attribute and part.obj.is_name and part.obj.name == name
        ]
        if node.pos[0].filename == self.path:  # and not an included one
            self.found.append((".".join([*self.names, name, *more]), node.pos[1]))
        self.inside(node, name)

    def visit_Node(self, node):
        self.visitchildren(node)

    def visit_DefNode(self, node):
        self.function(node, node.name)

    def visit_CFuncDefNode(self, node):
        declarator = node.declarator
        while not isinstance(declarator, Nodes.CNameDeclaratorNode):
            declarator = declarator.base
        self.function(node, declarator.name)

    def visit_PyClassDefNode(self, node):
        self.inside(node, node.name)

    def visit_CClassDefNode(self, node):
        self.inside(node, node.class_name)

    def visit_CppClassNode(self, node):
        self.inside(node, node.name)

    def visit_PropertyNode(self, node):
        self.inside(node, node.name)


@contextmanager
def scanner(path: Path) -> Iterator[PyrexScanner]:
    """Give Cython's scanner of a file, at its first token."""
    options = CompilationOptions(default_options, cplus=True, include_path=[])
    context = Context.from_options(options)
    descriptor = FileSourceDescriptor(str(path))
    with descriptor.get_file_object() as stream:
        yield PyrexScanner(
            stream,
            descriptor,
            source_encoding=stream.encoding,
            scope=ModuleScope("m", None, context),
            context=context,
            parse_comments=False,
        )


def logical_lines(path: Path) -> list[tuple[int, int, int, str]]:
    """Level, first line, last line and first token of each logical line, by Cython's scanner."""
    lines: list[tuple[int, int, int, str]] = []
    level = strings = first = last = 0
    word = ""
    with scanner(path) as tokens:
        while tokens.sy != "EOF":
            if tokens.sy in ("INDENT", "DEDENT"):
                level += 1 if tokens.sy == "INDENT" else -1
            elif tokens.sy == "NEWLINE" and not strings:
                lines.append((level, first, last, word))
                first = 0
            else:
                strings += tokens.sy in ("BEGIN_STRING", "BEGIN_FT_STRING")
                strings -= tokens.sy in ("END_STRING", "END_FT_STRING")
                last = tokens.position()[1]
                if not first:
                    first, word = last, tokens.sy
            tokens.next()
    return lines


def parse(path: Path) -> list[Function]:
    """Return the functions of a file by Cython's parse, each up to its last token."""
    context = Context.from_options(CompilationOptions(default_options, cplus=True))
    Errors.open_listing_file(None, echo_to_stderr=False)
    Errors.hold_errors()  # warnings, too
    try:
        scope = ModuleScope("m", None, context)
        tree = context.parse(FileSourceDescriptor(str(path)), scope, 0, "m")
    finally:
        Errors.release_errors(ignore=True)
    visitor = Parsed(path)
    visitor.visit(tree)
    lines = logical_lines(path)
    found = []
    for name, first in visitor.found:
        at = next(n for n, line in enumerate(lines) if line[1] == first)
        while lines[at][3] == "@":
            at += 1
        end = at
        while end + 1 < len(lines) and lines[end + 1][0] > lines[at][0]:
            end += 1
        found.append(Function(name, first, lines[end][2], lines[at][1]))
    return sorted(found, key=lambda function: (function.header, function.first))


def differences(path: Path) -> list[str]:
    """Return in what the functions found in a file differ from those of Cython's parse."""
    with open_source_file(str(path)) as stream:
        text = stream.read()
    lines = text.split("\n")
    told = []
    ours = {(f.name.split("#")[0], f.header): f for f in find_functions(Source(text)).values()}
    for theirs in parse(path):
        function = ours.pop((theirs.name, theirs.header), None)
        if function is None:
            told.append(f"{theirs} is not found")
            continue
        if function.first != theirs.first:
            told.append(f"{function} does not begin at line {theirs.first}")
        # Comments after the last token belong to the function, too.
        after = lines[theirs.last : function.last]
        comments = all(not line.strip() or line.strip().startswith("#") for line in after)
        if function.last < theirs.last or not comments:
            told.append(f"{function} does not end at line {theirs.last}")
    return told + [f"{function} is none" for function in ours.values()]


NASTY = (Path(__file__).parent / "nasty.pyx").read_text(encoding="utf-8")
SHAPES = {
    "as it is": lambda text: text.encode(),
    "with a byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "with CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "with CR": lambda text: text.replace("\n", "\r").encode(),
    "with tabs": lambda text: re.sub(
        "^( {4})+", lambda m: "\t" * (len(m[0]) // 4), text.replace("\t", ""), flags=re.M
    ).encode(),
    # Between the indentation and the rest of a line, and on lines of their own.
    "with form feeds": lambda text: re.sub(
        r"^( *)(?=[a-z@])", r"\1\f", text.replace("\n\n", "\n\f\n"), flags=re.M
    ).encode(),
    "in Latin-1": lambda text: (
        b"# coding: latin-1\n" + "def \xfc(): pass\n".encode("latin-1") + text.encode()
    ),
    "without a newline at its end": lambda text: text.strip().encode(),
    "with other line separators": lambda text: text.replace(
        "def no(): pass", "def no(): pass \u2028 \x85 \x0b \x1c"
    ).encode(),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_nasty_source_reads_as_cython_parses_it(tmp_path, shape: str):
    path = tmp_path / "nasty.pyx"
    path.write_bytes(SHAPES[shape](NASTY))
    assert len(parse(path)) >= 49
    assert differences(path) == []


INSTALLED = Path(Cython.__file__).parent
SOURCES = sorted(
    [
        *CONF.parent.glob("examples/**/*.pyx"),
        *SAMPLES.rglob("*.pyx"),
        *Path(__file__).parent.glob("test_[a-f]*.py"),
        INSTALLED / "Compiler" / "Parsing.py",
        INSTALLED / "Compiler" / "CmdLine.py",
        INSTALLED / "Build" / "Dependencies.py",
    ]
)


def test_all_examples_read_as_cython_parses_them():
    assert len(SOURCES) > 60
    told = {}
    for path in SOURCES:
        try:
            told[path] = differences(path)
        except CompileError:
            # There is nothing to compare with.
            assert "refused" in path.parts, path
            told[path] = []
    assert {path: lines for path, lines in told.items() if lines} == {}
    assert len(told) > 60
