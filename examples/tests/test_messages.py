"""The pages on messages explain every message of the installed Cython about views and buffers.

``publishing.messages`` reads the messages from Cython's files. Each must be given in a section of
one of the two pages, by a cell or by an example that is refused, or be listed below with a reason.
"""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from publishing.messages import Message, collect

ROOT = Path(__file__).parents[2]
EXCEPTIONS, COMPILER = "guide/error-messages.md", "guide/compile-errors.md"
PAGES = (EXCEPTIONS, COMPILER)

# Messages of NumPy, CPython, the C compiler and other parts of Cython that come in place.
OTHERS = [
    Message(text, giver, kind)
    for giver, kind, texts in (
        (
            "NumPy",
            "exception",
            (
                "ndarray is not C-contiguous",
                "ndarray is not Fortran contiguous",
                "buffer source array is read-only",
                "cannot include dtype '…' in a buffer",
                "scalar buffer is readonly",
                "NumPy currently does not support importing buffers which include suboffsets …",
            ),
        ),
        (
            "CPython",
            "exception",
            (
                "a bytes-like object is required, not '…'",
                "Object is not writable.",
                "memoryview: underlying buffer is not C-contiguous",
                "memoryview: underlying buffer is not writable",
                "Existing exports of data: object cannot be re-sized",
                "unsupported operand type(s) for …: '…' and '…'",
            ),
        ),
        (
            "Cython",
            "exception",
            (
                "No matching signature found",
                "Argument '…' must not be None",
                "Argument '…' has incorrect type (expected …, got …)",
                "'…_memoryviewslice' object has no attribute '…'",
                "local variable '…' referenced before assignment",
                "no default __reduce__ due to non-trivial __cinit__",
            ),
        ),
        (
            "Cython",
            "error",
            (
                "'…' is not a cimported module",
                "Array element type '…' is incomplete",
                "Assignment to const dereference",
                "Cannot assign type '…' to 'Py_ssize_t [8]'",
                "Cannot coerce list to type '…'",
                "Invalid operand types for '…' (…)",
                "Invalid use of fused types, type cannot be specialized",
                "Operation not allowed without gil",
                "Reference-counted type '…' cannot be used as a template argument",
                "Type '…' not acceptable as a boolean",
                "Calling gil-requiring function not allowed without gil",
                "Coercion from Python not allowed without the GIL",
                "Converting to Python object not allowed without gil",
            ),
        ),
        ("the C compiler", "error", ("invalid operands to binary …",)),
    )
    for text in texts
]

NEVER_USED = "Cython defines the text and uses it nowhere."
OWN_AXES = "Cython makes the axes that are checked here itself, and makes none that fail."
OWN_COPY = "Cython makes the type of the copy itself, from the type of the view."
UNREACHABLE = {
    "A memoryview cannot have both follow and strided axis specifiers.": OWN_AXES,
    "Acquisition count is … (line …)": "Only a bug in Cython or in C code makes the count wrong.",
    "Can only create a buffer that is contiguous in memory.": "Every request for a contiguous "
    "layout has the bit for strides in common with every mode; see the test.",
    "Cannot check if memoryview … is initialized without the GIL, consider using "
    "initializedcheck(False)": NEVER_USED,
    "Invalid axes specification.": OWN_AXES,
    "Invalid axis specification for a C/Fortran contiguous array.": NEVER_USED,
    "Invalid buffer defaults specification (see docs)": "The feature, __cythonbufferdefaults__, "
    "is not documented.",
    "Invalid use of the follow specifier.": OWN_AXES,
    "Little-endian buffer not supported on big-endian compiler": "It needs a big-endian machine.",
    "Python does not define a standard format string size for long double ('g')..": "A mismatch "
    "is reported in its place; see the test.",
    "Transposing not supported for slices with indirect dimensions": "“All dimensions must be "
    "direct” is reported before.",
    "Writing to readonly buffer": "Every buffer type of Cython is marked writable.",
    "dtypes must be the same!": OWN_COPY,
    "memviewslice is already initialized!": "Cython zeroes each struct before it fills it.",
    "number of dimensions must be same": OWN_COPY,
    "to_memview must be c or f contiguous.": OWN_COPY,
    "unable to allocate shape and strides.": "Not even 16 bytes a dimension are left.",
    "unexpected base type … found": "The operand is a pointer or an array; this is checked before.",
}
# Found because a condition around them names views, and about something else.
ELSEWHERE = {
    "'…' relates to the old Python 2 buffer protocol and is no longer used.": "special methods",
    "Argument type '…' is incomplete": "structs that are declared and not defined",
    "Cannot assign None to …": "C variables of any type",
    "Deletion of global C variable": "globals of any type",
    "Missing argument name": "declarations of any type",
    "Unknown type": "casts of any type",
    "Variable type '…' is incomplete": "structs that are declared and not defined",
}
REASONS = UNREACHABLE | ELSEWHERE
# Sections on a special case of a message that another section explains.
VARIANTS = {"const-char"}


def sections(page: str) -> dict[str, str]:
    """The text of each section of a page that has a label. The text above the first has none."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    first, *rest = re.split(r"^\(([\w-]+)\)=$", text, flags=re.M)
    return {"": first, **dict(zip(rest[::2], rest[1::2], strict=True))}


def cells(text: str) -> list[str]:
    found = re.findall(r"^```\{code-cell\}\n(.*?)^```$", text, re.M | re.S)
    return [re.sub(r"^:\w.*\n", "", cell, flags=re.M) for cell in found]


@pytest.fixture(scope="session")
def given(builder, outcomes) -> dict[str, dict[str, list[str]]]:
    """What each section of the pages gives: the output of its cells, and what is refused."""
    found: dict[str, dict[str, list[str]]] = {page: {} for page in PAGES}
    for page in PAGES:
        code = ""
        for label, text in sections(page).items():
            code += f"print('\\f{label}')\n" + "".join(cells(text))
            found[page][label] = [
                problem.message.split(", in the C: ")[0]
                for key in re.findall(r"^```\{cython-refusal\} (.+)$", text, re.M)
                for problem in outcomes[key].problems
            ]
        path = os.pathsep.join([str(builder.stage(outcomes)), *map(str, helpers())])
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": path},
        )
        assert done.returncode == 0, done.stderr
        for part in done.stdout.split("\f")[1:]:
            label, *lines = part.splitlines()
            found[page][label] += lines
    return found


def helpers() -> list[Path]:
    return [ROOT / "conf" / "pictures", ROOT / "conf"]


def page_of(message: Message) -> str:
    return EXCEPTIONS if message.kind == "exception" else COMPILER


def index(page: str) -> list[tuple[str, str]]:
    """The texts in the list at the top of a page, each with the label that it links to."""
    return re.findall(r"^- \[`` (.+) ``\]\(#([\w-]+)\)$", sections(page)[""], re.M)


MESSAGES = {message.text: message for message in [*collect(), *OTHERS]}
EXPLAINED = [m for m in MESSAGES.values() if m.kind != "hint" and m.text not in REASONS]


@pytest.mark.parametrize("message", EXPLAINED, ids=lambda message: message.text)
def test_a_message_is_given_in_the_section_that_the_index_names(message, given):
    page = page_of(message)
    labels = [label for text, label in index(page) if text == message.text]
    where = [label for label, lines in given[page].items() if any(map(message.is_given_by, lines))]
    assert where, f"no section of {page} gives this message of {message.source}"
    assert len(labels) == 1, f"the list of {page} needs one row for it, to one of {where}"
    assert labels[0] in where


@pytest.mark.parametrize("page", PAGES)
def test_the_list_has_no_other_rows_and_is_in_order(page):
    texts = [text for text, _ in index(page)]
    assert set(texts) == {m.text for m in EXPLAINED if page_of(m) == page}
    assert texts == sorted(texts, key=in_order)


def in_order(text: str) -> tuple[str, str]:
    """Order by letters, whatever comes before the first."""
    return re.sub(r"^\W+", "", text).lower(), text


@pytest.mark.parametrize("page", PAGES)
def test_each_section_is_in_the_list(page):
    labels = {label for _, label in index(page)}
    assert set(sections(page)) - {"", "warnings", *VARIANTS} == labels


@pytest.mark.parametrize("page", PAGES)
def test_each_section_names_cause_and_fix(page):
    for label, text in sections(page).items():
        if label not in ("", "warnings"):
            assert "**Why.**" in text, label
            assert "**Fix.**" in text, label


@pytest.mark.parametrize("text", REASONS)
def test_a_message_with_a_reason_exists_and_is_given_nowhere(text, given):
    message = MESSAGES.get(text)
    assert message, "Cython no longer has this message"
    for page in PAGES:
        for label, lines in given[page].items():
            assert not any(map(message.is_given_by, lines)), f"it is given in {page}#{label}"


def test_a_request_for_another_order_is_not_rejected_by_cython_arrays(load):
    """Only a flag that Python does not define, Fortran order without strides, is."""
    odd = load("odd_exporter")
    get_buffer = ctypes.pythonapi.PyObject_GetBuffer
    get_buffer.argtypes = [ctypes.py_object, ctypes.c_void_p, ctypes.c_int]
    release = ctypes.pythonapi.PyBuffer_Release
    release.argtypes = [ctypes.c_void_p]
    buffer = ctypes.create_string_buffer(200)
    strides, c_order, fortran_order, any_order = 0x18, 0x38, 0x58, 0x98
    for mode in ("c", "fortran"):
        for flags in (0, 8, strides, c_order, fortran_order, any_order):
            get_buffer(odd.new_array((2, 2), mode=mode), buffer, flags)
            release(buffer)
    with pytest.raises(ValueError, match="Can only create a buffer that is contiguous"):
        get_buffer(odd.new_array((2, 2)), buffer, fortran_order - strides)


def test_a_long_double_of_standard_size_is_reported_as_a_mismatch(load):
    odd = load("odd_exporter")
    with pytest.raises(ValueError, match="expected 'long double' but got 'long double'"):
        odd.long_doubles(odd.Odd("=g", itemsize=ctypes.sizeof(ctypes.c_longdouble)))


def test_what_is_filled_in_may_be_anything():
    message = Message("Expected … dimension(s), got …", "", "exception")
    assert message.is_given_by("ValueError: Expected 1 dimension(s), got 2")
    assert message.is_given_by("Expected 1 dimension(s), got 2")
    assert not message.is_given_by("Expected 1 dimensions, got 2")
    assert not message.is_given_by("ValueError: Expected 1 dimension(s)")


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Path]:
    """A folder like Cython's, with one new message of each form."""
    (tmp_path / "Compiler").mkdir()
    (tmp_path / "Utility").mkdir()
    (tmp_path / "Compiler" / "MemoryView.py").write_text(
        'NEW_ERR = "New constant"\n'
        'def f(pos):\n    error(pos, "New %s" % 1)\n    raise CompileError(pos, f"Newer {pos}")\n'
    )
    (tmp_path / "Compiler" / "Nodes.py").write_text(
        "ERR_FAR = 'Far away'\n"
        "class A:\n    def generate_code(self, code):\n        if self.type.is_buffer:\n"
        "            error(self.pos, ERR_FAR)\n        else:\n            error(self.pos, 'Not')\n"
        "        msg = 'No memoryview: %s'\n"
        "        code.putln('PyErr_SetString(PyExc_ValueError, \"In C, a buffer\");')\n"
        "        warning(self.pos, 'Slow buffer', 1)\n"
    )
    (tmp_path / "Utility" / "MemoryView.pyx").write_text(
        'raise ValueError, f"New {dim}: {idx}."\n_err_IndexError("New %zd", dim)\n'
        '_err_dim(PyExc_ValueError, "Dim %d", i)\n'
    )
    (tmp_path / "Utility" / "MemoryView_C.c").write_text(
        'PyErr_Format(PyExc_ValueError,\n  "Of %" CYTHON_FORMAT_SSIZE_T "d "\n  "and %.200s", a);\n'
        'PyErr_SetString(PyExc_IndexError, "Axis {{dim}}");\n'
    )
    (tmp_path / "Utility" / "Buffer.c").write_text('__pyx_fatalerror("Count %d", n);\n')
    return tmp_path


def test_messages_of_every_form_are_found(fake):
    assert {(message.text, message.kind) for message in collect(fake)} == {
        ("New constant", "error"),
        ("New …", "error"),
        ("Newer …", "error"),
        ("Far away", "error"),
        ("No memoryview: …", "exception"),
        ("In C, a buffer", "exception"),
        ("Slow buffer", "hint"),
        ("New …: ….", "exception"),
        ("New …", "exception"),
        ("Dim …", "exception"),
        ("Of … and …", "exception"),
        ("Axis …", "exception"),
        ("Count …", "exception"),
    }
