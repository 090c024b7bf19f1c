"""The kinds of generated C, as a table.

A row names a form of C, gives its kind and its meaning, and has samples: in ``sample`` the pieces
that the row gives its kind are between « and »; in ``counter`` is C that looks alike and has no
such piece. A test reads every sample with its row and without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

# The kinds that a reader sees.
ADDRESS, ACCESS, CHECK, REFCOUNT, FAILURE, CALL = (
    "address",
    "access",
    "check",
    "refcount",
    "failure",
    "call",
)
# Plain C has no kind.
PLAIN = ""
# A call of a C function of the module: it does the work of a line, and has no color.
OWN = "own"


_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Facts:
    """What some C shows about its variables.

    Attributes:
        flags: Those that hold the axis whose index is out of bounds.
        references: Temporaries whose references are counted.
        iterators: Temporaries that hold the function that returns the next item.
        elements: Temporaries that hold the address of an element.
    """

    flags: frozenset[str] = frozenset()
    references: frozenset[str] = frozenset()
    iterators: frozenset[str] = frozenset()
    elements: frozenset[str] = frozenset()


@dataclass(slots=True)
class Piece:
    """A statement, a block, an ``if``, a branch of an ``if`` with ``else``, or a ``catch``.

    Attributes:
        form: ``"statement"``, ``"block"``, ``"if"``, ``"branch"`` or ``"catch"``.
        text: The C.
        header: Of an ``if``, the length of what comes before its body.
        exits: Whether it jumps to an error label: a statement itself, the others anywhere inside.
        ends: Whether the last statement of an ``if`` or a branch jumps to an error label.
        has_else: Whether an ``if`` has an ``else``.
        facts: What the C around it shows.
    """

    form: str
    text: str
    header: int = 0
    exits: bool = False
    ends: bool = False
    has_else: bool = False
    facts: Facts = field(default_factory=Facts)

    @property
    def first(self) -> str:
        """The first word."""
        match = _WORD.match(self.text)
        return match[0] if match else ""


@dataclass(frozen=True)
class Rule:
    """A row of the table.

    Attributes:
        kind: The kind of such C; ``PLAIN`` where a later row would give another.
        meaning: What the C does, as the rest of a sentence that starts with "It".
        sample: C with the pieces of this kind between « and ».
        counter: C that looks alike, with no piece of this kind.
        pattern: A regular expression: a called name or a label matches it as a whole, and an
            access to an element starts with it.
        fact: Which of the ``Facts`` the name must be among, if any.
        holds: Whether a statement is of this kind.
    """

    kind: str
    meaning: str
    sample: str
    counter: str
    pattern: str = ""
    fact: str = ""
    holds: Callable[[Piece], bool] = lambda piece: False

    @property
    def c(self) -> str:
        """The sample without marks."""
        return re.sub("[«»]", "", self.sample)

    @property
    def marked(self) -> list[str]:
        """The marked pieces of the sample."""
        return re.findall("«(.*?)»", self.sample, re.S)


@dataclass(frozen=True)
class Macro:
    """A macro that is a statement by itself, without a semicolon.

    Attributes:
        name: Its name, as a regular expression.
        meaning: What it does.
        sample: A use of it.
    """

    name: str
    meaning: str
    sample: str


# --- names that are called; of several rows that match, the first counts

CALLED: tuple[Rule, ...] = (
    Rule(
        REFCOUNT,
        "takes, releases or hands over a reference",
        "«__Pyx_XDECREF(x);»",
        "y = PyLong_FromLong(n);",
        r"__Pyx_\w*(?:INCREF|DECREF|GOTREF|GIVEREF|CLEAR)\w*|Py_X?(?:INCREF|DECREF|CLEAR|SETREF)",
    ),
    Rule(
        REFCOUNT,
        "returns an object with one reference more",
        "«Py_NewRef(x);»",
        "PyList_New(0);",
        r"Py_X?NewRef|__Pyx_X?NewRef",
    ),
    Rule(
        REFCOUNT,
        "counts the users of a view's memory",
        "«__PYX_XCLEAR_MEMVIEW(&__pyx_t_1, 1);»",
        "__pyx_v_a.memview = NULL;",
        r"__P[Yy][Xx]_X?(?:INC|DEC|CLEAR|XCLEAR)_MEMVIEW\w*",
    ),
    Rule(
        REFCOUNT,
        "checks reference counts in Cython's own tests, and is empty elsewhere",
        "«__Pyx_RefNannyDeclarations»\n  Py_buffer *buf;",
        "__Pyx_BufFmt_StackElem stack[1];",
        r"__Pyx_RefNanny\w*",
    ),
    Rule(
        CALL,
        "converts between an object and a C value, whatever the name of the C type ends in",
        "x = «__Pyx_PyLong_As_PY_LONG_LONG»(o);",
        "x = PyTuple_GET_ITEM(o, 0);",
        r"__Pyx_PyLong_(?:As|From)_\w+|__Pyx_PyObject_to_MemoryviewSlice_\w+"
        r"|__pyx_(?:convert_|PyComplex_From|Py_From|memview_[gs]et_)\w+",
    ),
    Rule(
        PLAIN,
        "computes the address of an element",
        "p = __Pyx_BufPtrStrided1d(double *, a.buf, i, a.strides);",
        "__Pyx_SafeReleaseBuffer(&a);",
        r"__Pyx_BufPtr\w+|__pyx_memviewslice_index_full\w*",
    ),
    Rule(
        PLAIN,
        "looks at the type of an object",
        "x = PyMethod_Check(m) && PyBool_Check(b) && PyList_CheckExact(a);",
        "x = PyObject_IsInstance(a, b);",
        r"(?:_?Py|__Pyx_)[A-Za-z]+_Check(?:Exact)?|__Pyx_IsSameCFunction",
    ),
    Rule(
        PLAIN,
        "computes with C numbers, or compares them",
        "x = __Pyx_mod_int(a, b, 0) + __Pyx_add_int_checking_overflow(a, b, &o);",
        "x = __Pyx_PyNumber_Add_object_object(a, b, 0);",
        r"__Pyx_(?:div|mod|pow|divmod|abs|c_[a-z_]+)_\w+|__Pyx_\w+_checking_overflow"
        r"|__Pyx_long_cast|__Pyx_fits_\w+|__Pyx_is_valid_index",
    ),
    Rule(
        PLAIN,
        "reads or sets a field: a macro whose name ends in capitals",
        "x = PyTuple_GET_ITEM(a, 0) == __Pyx_PyUnicode_KIND_04(u);",
        "x = PyTuple_GetItem(a, 0);",
        r"(?:_?Py|__P[Yy][Xx])\w*?_[A-Z]{2,}[A-Z_]*(?:_\d+)?",
    ),
    Rule(
        PLAIN,
        "reads a field: a macro whose name looks like that of a function",
        "n = __Pyx_MemoryView_Len(a) + (__Pyx_as_FusedFunctionObject(f) == f);",
        "n = PyObject_Size(a);",
        r"__Pyx_MemoryView_Len|__Pyx_as_\w+Object"
        r"|__Pyx_get_(?:tp|object)_dict_version|__Pyx_object_dict_version_matches",
    ),
    Rule(
        PLAIN,
        "names the state of the thread, or is a lock that a build with the GIL leaves out",
        "__Pyx_FastGIL_Remember(); __Pyx_PyCriticalSection_End(&s);",
        "s = PyEval_SaveThread();",
        r"__Pyx_PyThreadState_(?:declare|assign)|__Pyx_FastGIL_(?:Remember|Forget)"
        r"|__Pyx_PyCriticalSection2?_(?:Begin|End)",
    ),
    Rule(
        PLAIN,
        "reads the characters of a string in C",
        "n = __Pyx_ssize_strlen(p); __Pyx_init_unicode_iteration(s, &n, &d, &k);",
        "s = PyUnicode_FromString(p);",
        r"__Pyx_ssize_strlen|__Pyx_init_unicode_iteration|__Pyx_UnicodeContainsUCS4",
    ),
    Rule(
        PLAIN,
        "slices, transposes or copies a view in C, and calls Python only to raise",
        "x = __pyx_memoryview_copy_contents(a, b, 1, 1, 0);",
        "x = __pyx_memoryview_fromslice(a, 1);",
        r"__pyx_memoryview_(?:copy_contents|slice_memviewslice)|__pyx_memslice_transpose"
        r"|__pyx_memviewslice_is_contig\w*",
    ),
    Rule(
        PLAIN,
        "makes a complex number of two C numbers, or reads a setting of the module",
        "z = __pyx_t_double_complex_from_parts(0, __pyx_assertions_enabled());",
        "z = __pyx_PyComplex_FromComplex(c);",
        r"__pyx_t_\w+_from_parts|__pyx_assertions_enabled",
    ),
    Rule(
        CALL,
        "calls a function of Python's C-API",
        "x = «PyNumber_Add»(a, b);",
        "x = Python_add(a, b) + Py_ssize_t(c);",
        r"_?Py(?:[A-Z][A-Za-z]*_|_(?=[A-Z]))(?=\w*[a-z])\w+",
    ),
    Rule(
        CALL,
        "calls a helper of Cython's around the C-API",
        "x = «__Pyx_PyObject_GetItem»(a, i);",
        "x = __Pyx_CREAL(a);",
        r"__Pyx_(?=\w*[a-z])\w+",
    ),
    Rule(
        CALL,
        "makes an object: a memoryview, an array, a function, an instance of an extension type",
        "x = «__pyx_memoryview_fromslice»(a, 1, 0, 0, 0);",
        "x = __pyx_memoryview_copy_contents(a, b, 1, 1, 0);",
        r"__pyx_memoryview_(?:fromslice|new|copy_slice_\w+)|__pyx_array_new"
        r"|__pyx_format_from_typeinfo|__pyx_tp_new_\w+|__pyx_FusedFunction_New"
        r"|__pyx_ff_\w+|__pyx_import_star",
    ),
    Rule(
        CALL,
        "calls a slot of a type",
        "x = m->«mp_subscript»(a, b);",
        "x = m->mp_subscript;",
        r"(?:am|bf|mp|nb|sq|tp)_[a-z_]+",
    ),
    Rule(
        CALL,
        "calls, by a pointer, the function that returns the next item of an iterator",
        "__pyx_t_3 = «__Pyx_PyObject_GetIterNextFunc»(x); y = «__pyx_t_3»(x);",
        "y = __pyx_t_3(x);",
        r"__pyx_t_\d+",
        fact="iterators",
    ),
    Rule(
        OWN,
        "calls a C function of this module, or of a module that was cimported",
        "x = __pyx_f_1m_total(a, 0);",
        "x = __pyx_pf_1m_2total(self, a);",
        r"(?:__pyx_fuse_\d+)*__pyx_f_\w+",
    ),
    Rule(
        PLAIN,
        "calls a C function that is in a variable, or the body of one that Python calls too",
        "r = __pyx_pf_1m_2total(self, a) + __pyx_v_f(1);",
        "r = __Pyx_PyObject_Call(f, a, NULL);",
        r"(?:__pyx_fuse_\d+)*__pyx_(?:p[wf]|gb|lambda|v)_\w+",
    ),
)

# --- accesses to elements


# ``((double *) ( /* dim=0 */ …``: what Cython writes in front of an address.
_CAST = r"\(\([\w ]+\*[* ]*\) \( /\* dim="
# A variable, or a field that it leads to; not the fields that describe the memory of a view.
_VARIABLE = r"__pyx_(?:[vt]_|cur_scope\b)\w*(?:(?:->|\.)(?!(?:shape|strides|suboffsets)\b)\w+)*"

ELEMENTS: tuple[Rule, ...] = (
    Rule(
        ACCESS,
        "loads an element of a view, or stores one in a field of it",
        "x = «(*»((double *) ( /* dim=0 */ (__pyx_v_a.data + i) ))«)»;",
        "x = (*(&y));",
        r"\(\*",
    ),
    Rule(
        ACCESS,
        "stores an element of a view",
        "«*»((double *) ( /* dim=0 */ (__pyx_v_a.data + i) )) = x;",
        "*((double *) (p)) = x;",
        rf"\*(?={_CAST})",
    ),
    Rule(
        ACCESS,
        "stores an element of a buffer",
        "«*»__Pyx_BufPtrStrided1d(double *, a.buf, i, a.strides) = x;",
        "*__pyx_t_2 = x;",
        r"\*(?=__Pyx_BufPtr)",
    ),
    Rule(
        ADDRESS,
        "keeps the address of an element, as Cython does where elements are objects",
        "p = «((PyObject * *) ( /* dim=0 */ (__pyx_v_a.data + i) ))»;",
        "p = ((PyObject *) (q));",
        _CAST,
    ),
    Rule(
        ACCESS,
        "stores an element by an address that was kept",
        "__pyx_t_3 = ((PyObject * *) ( /* dim=0 */ (a.data + i) ));\n«*»__pyx_t_3 = x;",
        "__pyx_t_3 = &y;\n*__pyx_t_3 = x;",
        r"\*__pyx_t_\d+",
        fact="elements",
    ),
    Rule(
        ACCESS,
        "stores a value in each element, one after the other",
        "«*»((double *) __pyx_temp_pointer_0) = __pyx_temp_scalar;",
        "*((double *) __pyx_v_p) = x;",
        r"\*(?=\(\([\w ]+\*[* ]*\) __pyx_temp_pointer)",
    ),
    Rule(
        ACCESS,
        "loads or stores what a pointer or a C array holds at an index",
        "x = «(»__pyx_v_p[__pyx_v_i]«)» + «(»((double *)__pyx_v_q)[2]«)»;",
        "x = (__pyx_v_p[0] + __pyx_v_a.shape[0]) + (__pyx_v_a.shape[1]);",
        rf"\((?:{_VARIABLE}\[|\()",
    ),
)

# --- labels


LABELS: tuple[Rule, ...] = (
    Rule(
        FAILURE,
        "starts what runs when something has failed, up to the next label",
        "goto __pyx_L0;\n«__pyx_L1_error:;\nx = 1;»\n__pyx_L0:;\ny = 1;",
        "__pyx_L5_done:;\nx = 1;",
        r"__pyx_L\w*_error",
    ),
)

# --- statements; of several rows that hold, the first counts


# In what is skipped if nothing failed, though it need not lead to an error label.
_RARE = re.compile(r"\bunlikely\(|\bexc_type\b|\b__pyx_parallel_why\b")


def _leads_to_an_error(piece: Piece) -> bool:
    if not piece.exits or piece.has_else:
        return False
    header = piece.text[: piece.header]
    return piece.ends or _RARE.search(header) is not None or "__Pyx_AddTraceback(" in piece.text


# A length of a view, or what the C of a slice calls it.
_LENGTH = re.compile(r"\.shape\b|\b__pyx_tmp_shape\b")


def _adjusts_or_checks_an_index(piece: Piece) -> bool:
    """Whether an ``if`` changes nothing but an index and the flag for an index out of bounds."""
    header, body = piece.text[: piece.header], piece.text[piece.header :]
    assigned = set(re.findall(r"(\w+) (?:\+)?= ", body))
    indices = set(re.findall(r"(\w+) (?:<|>=) ", header))
    flags = piece.facts.flags
    judges = bool(_LENGTH.search(piece.text)) or bool(assigned & flags)
    return bool(assigned) and assigned <= flags | indices and judges


_RESET = re.compile(r"(__pyx_t_\d+) = (?:0|NULL);\Z")
_SET = re.compile(r"(\w+) = -?\d+;\Z")


def _resets_a_temporary(piece: Piece) -> bool:
    match = _RESET.match(piece.text)
    return match is not None and match[1] in piece.facts.references


def _sets_a_flag(piece: Piece) -> bool:
    match = _SET.match(piece.text)
    return match is not None and match[1] in piece.facts.flags


_REPLACES = re.compile(r"\{\s*PyObject \*__pyx_temp;")


def _counts_references(piece: Piece) -> bool:
    rule = called(piece.first)
    return rule is not None and rule.kind == REFCOUNT


_FLAG = "if (unlikely(__pyx_t_2 != -1)) { __Pyx_RaiseBufferIndexError(__pyx_t_2); }"

STATEMENTS: tuple[Rule, ...] = (
    Rule(
        FAILURE,
        "leads to an error label, or handles what has failed",
        "x = 1; «if (unlikely(!x)) __PYX_ERR(0, 1, __pyx_L1_error)»\ny = 2;",
        "if (x) goto __pyx_L2; if (y) { z = 1; }",
        holds=lambda piece: piece.form == "if" and _leads_to_an_error(piece),
    ),
    Rule(
        CHECK,
        "compares an index with a length, or adds the length to it",
        "«if (i < 0) i += a.shape[0];» «if (j < 0) j += __pyx_tmp_shape;»",
        "if (i < 0) i += n; if (i < 0) total += a.shape[0];",
        holds=lambda piece: piece.form == "if" and _adjusts_or_checks_an_index(piece),
    ),
    Rule(
        FAILURE,
        "runs when C++ has thrown an exception",
        "try { v.at(i); } «catch(...) { __Pyx_CppExn2PyErr(); }» x = 1;",
        "try { v.at(i); } x = 1;",
        holds=lambda piece: piece.form == "catch",
    ),
    Rule(
        FAILURE,
        "is one of two branches, and always ends at an error label",
        "if (x) { «PyErr_NoMemory(); goto __pyx_L1_error;» } else { y = 1; }",
        "if (x) { goto __pyx_L2; } else { y = 1; }",
        holds=lambda piece: piece.form == "branch" and piece.ends,
    ),
    Rule(
        FAILURE,
        "jumps to an error label",
        "x = 1; «goto __pyx_L1_error;»",
        "goto __pyx_L0; f(__PYX_ERR(0, 1, __pyx_L1_error));",
        holds=lambda piece: piece.form == "statement" and piece.exits,
    ),
    Rule(
        REFCOUNT,
        "counts references",
        "«Py_INCREF(x);»",
        "x = Py_INCREF;",
        holds=lambda piece: piece.form == "statement" and _counts_references(piece),
    ),
    Rule(
        REFCOUNT,
        "empties a temporary whose reference was handed over, so that it is not released twice",
        "«__Pyx_GOTREF(__pyx_t_1);» r = __pyx_t_1; «__pyx_t_1 = 0;»",
        "__pyx_t_1 = 0; if (__pyx_t_1 < 0) x = 1;",
        holds=lambda piece: piece.form == "statement" and _resets_a_temporary(piece),
    ),
    Rule(
        CHECK,
        "sets the flag for an index out of bounds",
        f"«__pyx_t_2 = -1;»\n{_FLAG}",
        f"__pyx_t_3 = -1;\n{_FLAG}",
        holds=lambda piece: piece.form == "statement" and _sets_a_flag(piece),
    ),
    Rule(
        REFCOUNT,
        "replaces an object and releases the old one",
        "«{ PyObject *__pyx_temp; __pyx_temp = r; r = t; __Pyx_XDECREF(__pyx_temp); }»",
        "{ PyObject *__pyx_v_o; r = t; }",
        holds=lambda piece: piece.form == "block" and bool(_REPLACES.match(piece.text)),
    ),
)

# --- conditions that stay visible where the body of the ``if`` is a failure path


_RAISES = re.compile(r"\b(?:PyErr|__Pyx_Raise)\w+\(")


def _guards(piece: Piece) -> bool:
    """Whether an ``if`` looks at a variable and raises by itself.

    After a call there is an ``if`` as well, but the exception has been set by the call.
    """
    header, body = piece.text[: piece.header], piece.text[piece.header :]
    looks = "__pyx_v_" in header and "__pyx_t_" not in header
    return looks and _RAISES.search(body) is not None


CONDITIONS: tuple[Rule, ...] = (
    Rule(
        CHECK,
        "checks that a variable is set, or is not None",
        "«if (unlikely(!__pyx_v_a.memview))» "
        '{PyErr_SetString(e,"x");__PYX_ERR(0, 1, __pyx_L1_error)}',
        "if (unlikely(!__pyx_v_a.memview)) __PYX_ERR(0, 1, __pyx_L1_error)",
        holds=_guards,
    ),
    Rule(
        CHECK,
        "compares the index of a slice with a length",
        "«if (unlikely(!__Pyx_is_valid_index(__pyx_tmp_idx, __pyx_tmp_shape)))» "
        '{PyErr_SetString(e,"x");__PYX_ERR(0, 1, __pyx_L1_error)}',
        "if (unlikely(!x)) __PYX_ERR(0, 1, __pyx_L1_error)",
        holds=lambda piece: "__Pyx_is_valid_index(" in piece.text[: piece.header],
    ),
)

# --- macros

# All others end a statement where they are alone on their line.
MACROS: tuple[Macro, ...] = (
    Macro(
        r"__PYX_ERR",
        "notes the line of the source and jumps to an error label",
        "__PYX_ERR(0, 1, __pyx_L1_error)",
    ),
    Macro(
        r"__Pyx_RefNannyDeclarations",
        "declares what Cython's own tests check reference counts with",
        "__Pyx_RefNannyDeclarations",
    ),
    Macro(
        r"__Pyx_Trace\w*Declarations\w*",
        "declares what tracing and profiling need",
        "__Pyx_TraceDeclarationsFunc",
    ),
    Macro(
        r"__Pyx_PyThreadState_(?:declare|assign)",
        "declares the state of the thread, or looks it up",
        "__Pyx_PyThreadState_declare",
    ),
    Macro(
        r"Py_(?:BEGIN_ALLOW|END_ALLOW|BLOCK|UNBLOCK)_THREADS",
        "releases the GIL or takes it",
        "Py_UNBLOCK_THREADS",
    ),
)

# The rows by what they are about.
TABLE: dict[str, tuple[Rule, ...]] = {
    "statement": STATEMENTS,
    "condition": CONDITIONS,
    "label": LABELS,
    "element": ELEMENTS,
    "called name": CALLED,
}


@lru_cache(maxsize=4096)
def called(name: str) -> Rule | None:
    """Return the row for a name that is called; None for what the source itself names."""
    return next((rule for rule in CALLED if re.fullmatch(rule.pattern, name)), None)


@lru_cache(maxsize=4096)
def ends_statement(name: str) -> bool:
    """Tell whether a name is a macro that needs no semicolon."""
    return any(re.fullmatch(macro.name, name) for macro in MACROS)
