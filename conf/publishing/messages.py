"""Lists every message about views and buffers that the installed Cython can give.

The messages are read from the files of Cython, so the test of the pages that explain them
(``examples/tests/test_messages.py``) fails when another version of Cython has a new message. In
the folder ``conf``, ``python -m publishing.messages`` prints the list.

Two kinds of text come from the compiler, which is written in Python: what it reports for a place
in the source, and what it writes into the C as the text of an exception. All texts of
``MemoryView.py`` and ``Buffer.py`` count. A text of another module counts if the text itself, a
condition around it, its function or its class names a view or a buffer. The utility code contains
the other exceptions.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import Cython

CYTHON = Path(Cython.__file__).parent

# The modules of the compiler and the files of utility code that are about nothing else.
WHOLE = ("MemoryView.py", "Buffer.py")
UTILITY = ("MemoryView.pyx", "MemoryView_C.c", "Buffer.c")

ABOUT = re.compile(r"memory ?view|memview|memslice|buffer|cython_?array", re.I)
HINTS = {"warning", "performance_hint"}
REPORTS = {"error", "CompileError", "PostParseError"} | HINTS
NAMES = re.compile(r"msg|\w*error_message|\w*ERR|ERR_\w+")
AT_RUN_TIME = re.compile(r"generate_|put_|wrap_|analyse_operation$|\w*none_?check")

LITERAL = r"\"(?:[^\"\\]|\\.)*\""
IN_C = re.compile(rf"PyErr_(?:SetString|Format)\(\s*\w+,\s*({LITERAL})")
FORMAT = "CYTHON_FORMAT_SSIZE_T"
CALLS = {
    ".c": re.compile(
        r"(?:PyErr_SetString|PyErr_Format|\w*fatalerror|\w*err_dim)\s*\([^\";]*?"
        rf"((?:{LITERAL}(?:\s*{FORMAT})?\s*\\?\s*)+)"
    ),
    ".pyx": re.compile(
        r"(?:raise\s+\w+,\s*|_err_\w+\(|_err\(\w+,\s*|_err_dim\(\w+,\s*|PyErr_Format\([\w\s,]*?)"
        rf"f?({LITERAL})"
    ),
}
# What is filled in: %s, %.200U, %zd, {name} and {{name}}.
HOLE = re.compile(r"%(?:\.\d+)?z?[a-zA-Z]|\{\{?[\w.]+\}?\}|\0")


@dataclass(frozen=True, order=True)
class Message:
    """A message of Cython.

    Attributes:
        text: The text, with ``…`` for each part that is filled in.
        source: The file that contains it, below the folder of Cython.
        kind: ``error`` and ``hint`` come from the compiler, ``exception`` is raised by the module.
    """

    text: str
    source: str
    kind: str

    def is_given_by(self, line: str) -> bool:
        """Return whether a line of output is this message."""
        parts = (re.escape(part) for part in self.text.split("…"))
        return re.fullmatch(rf"(?:\w+: )?{'.*'.join(parts)}", line) is not None


def collect(cython: Path = CYTHON) -> list[Message]:
    """Return the messages in alphabetical order."""
    found = {
        message for path in sorted((cython / "Compiler").glob("*.py")) for message in _read(path)
    }
    for name in UTILITY:
        path = cython / "Utility" / name
        for literals in CALLS[path.suffix].findall(path.read_text(encoding="utf-8")):
            found.add(Message(_with_holes(_joined(literals)), f"Utility/{name}", "exception"))
    return sorted(found)


def _read(path: Path) -> Iterator[Message]:
    """The messages in a module of the compiler."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node, context in _nodes(tree, ()):
        for text, kind in _texts(node, context, constants):
            if path.name in WHOLE or ABOUT.search(" ".join((text, *context))):
                yield Message(text, f"Compiler/{path.name}", kind)


def _nodes(node: ast.AST, context: tuple[str, ...]) -> Iterator[tuple[ast.AST, tuple[str, ...]]]:
    """Every node, with the class, the function and the conditions that it is in."""
    yield node, context
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        context = (*context, node.name)
    for field, value in ast.iter_fields(node):
        inside = context
        if isinstance(node, ast.If) and field == "body":
            inside = (*context, ast.unparse(node.test))
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _nodes(child, inside)


def _texts(
    node: ast.AST, context: tuple[str, ...], constants: dict[str, ast.expr]
) -> Iterator[tuple[str, str]]:
    """The messages of one node, each with its kind."""
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args):
            if name in REPORTS:
                for arg in args[:2]:
                    if text := _text(arg, constants):
                        yield text, "hint" if name in HINTS else "error"
        case ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(attr=name)], value=value):
            if NAMES.fullmatch(name) and (text := _text(value, constants)):
                raised = name == "none_error_message" or any(map(AT_RUN_TIME.match, context))
                yield text, "exception" if raised else "error"
        case ast.keyword(arg=str(name), value=value) if name.endswith("_message"):
            if text := _text(value, constants):
                yield text, "hint"
        case ast.Constant(value=str(code)):
            for literal in IN_C.findall(code):
                yield _with_holes(_joined(literal)), "exception"


def _text(node: ast.expr, constants: dict[str, ast.expr]) -> str:
    """The text of an expression, or nothing if no part of it is constant."""
    match node:
        case ast.Name(id=name) if name in constants:
            return _text(constants[name], {})
        case ast.Constant(value=str(text)):
            return _with_holes(text)
        case ast.BinOp(left=left, op=ast.Mod()):
            return _text(left, constants)
        case ast.JoinedStr(values=values):
            parts = (value.value if isinstance(value, ast.Constant) else "\0" for value in values)
            return _with_holes("".join(map(str, parts)))
    return ""


def _joined(literals: str) -> str:
    """Join literals that follow one another. The macro for a format becomes the letter ``z``."""
    parts = re.findall(rf"({LITERAL})|{FORMAT}", literals)
    text = "".join(part[1:-1] if part else "z" for part in parts)
    return text.replace('\\"', '"').replace("\\x7B", "{")


def _with_holes(text: str) -> str:
    return re.sub(r"…+", "…", HOLE.sub("…", text)).strip()


if __name__ == "__main__":
    for message in collect():
        print(f"{message.kind:10}{message.source:32}{message.text}")
