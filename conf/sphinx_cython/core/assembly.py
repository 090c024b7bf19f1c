"""The machine code of a source line's loop, from the assembly that the very compile left behind.

Every instruction is traced to a line of the C file by the compiler's own line table (``.loc``),
and that line to the Cython source by the comment that Cython writes above each statement. Nothing
is disassembled, so no tool besides the compiler is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

LOAD_STORE, CALL, JUMP, VECTOR = "access", "call", "jump", "vector"

_LABEL = re.compile(r"^([.\w$]+):")
_LOC = re.compile(r"^\s*\.loc\s+(\d+)\s+(\d+)")
_FILE = re.compile(r'^\s*\.file\s+(\d+)\s+(?:"[^"]*"\s+)?"([^"]+)"')
_JUMP = re.compile(r"^(?:j\w+|loop\w*|b|b\.\w+|bne|beq|cbz|cbnz|tbz|tbnz)\Z")
# Packed arithmetic and wide moves: several elements in one instruction.
_VECTOR = re.compile(
    r"^v?(?:add|sub|mul|div|fn?m(?:add|sub)\d*|max|min|sqrt)p[sd]\Z"
    r"|^v?(?:mov[ua]p[sd]|movdq[ua]\w*|lddqu|padd[bwdq]|pmul\w+|paddq)\Z"
)
_MARKER = re.compile(r'^\s*/\* "([^"]+)":(\d+)$')


@dataclass(frozen=True)
class Instruction:
    """One machine instruction.

    Attributes:
        text: As the compiler wrote it, with single spaces.
        label: The label in front of it, or an empty string.
        line: The line of the Cython source it was made from, or 0.
    """

    text: str
    label: str = ""
    line: int = 0

    @property
    def mnemonic(self) -> str:
        """The name of the operation."""
        return self.text.split(None, 1)[0]

    @property
    def target(self) -> str:
        """The label it may jump to, or an empty string."""
        if not _JUMP.match(self.mnemonic):
            return ""
        return self.text.replace(",", " ").split()[-1]

    @property
    def is_vector(self) -> bool:
        """Whether it handles several elements at once."""
        return _VECTOR.match(self.mnemonic) is not None

    @property
    def kind(self) -> str:
        """What it does, in one of four words, or an empty string."""
        if self.mnemonic.startswith(("call", "bl")):
            return CALL
        if self.target:
            return JUMP
        if self.is_vector:
            return VECTOR
        if re.search(r"\(%|\[[a-z]", self.text) and not self.mnemonic.startswith("lea"):
            return LOAD_STORE
        return ""


@dataclass(frozen=True)
class Loop:
    """The instructions of an innermost loop, in order.

    Attributes:
        function: The C function it is in.
        instructions: From the label that is jumped back to, to the jump.
    """

    function: str
    instructions: tuple[Instruction, ...]

    @property
    def is_vector(self) -> bool:
        """Whether it handles several elements at once."""
        return any(instruction.is_vector for instruction in self.instructions)

    @property
    def calls(self) -> int:
        """How many call instructions it has."""
        return sum(i.mnemonic.startswith(("call", "bl")) for i in self.instructions)


def source_lines(c: str, module: str) -> dict[int, int]:
    """Map each line of a C file to the line of the Cython source it was made from.

    Args:
        c: The generated C.
        module: The name of its file without suffix; Cython's comments name the file with the
            folders of its package.
    """
    lines: dict[int, int] = {}
    current = 0
    for number, text in enumerate(c.split("\n"), 1):
        if found := _MARKER.match(text):
            current = int(found[2]) if found[1].rpartition("/")[2] == f"{module}.pyx" else 0
        elif text.startswith("}"):
            current = 0
        lines[number] = current
    return lines


def read_functions(
    assembly: str, c_name: str, lines: dict[int, int]
) -> dict[str, list[Instruction]]:
    """Read the functions of an assembly file.

    Args:
        assembly: What the compiler wrote.
        c_name: The name of the C file.
        lines: From ``source_lines``.
    """
    files: set[str] = set()
    functions: dict[str, list[Instruction]] = {}
    function, label, line = "", "", 0
    for text in assembly.splitlines():
        if found := _FILE.match(text):
            if found[2].rpartition("/")[2] == c_name:
                files.add(found[1])
        elif found := _LOC.match(text):
            line = lines.get(int(found[2]), 0) if found[1] in files else 0
        elif found := _LABEL.match(text):
            if re.match(r"\.?L[A-Z]", found[1]):
                # Begin or end of a block, for the debugger: nothing jumps there.
                continue
            label = found[1]
            if not label.startswith((".L", "L")):
                function, line, label = label, 0, ""
                functions[function] = []
        elif function and re.match(r"^\s+[a-z]", text):
            functions[function].append(Instruction(" ".join(text.split()), label, line))
            label = ""
    return functions


def innermost_loops(instructions: list[Instruction]) -> Iterator[tuple[int, int]]:
    """Yield (first, last) index of every loop that has no other loop in it.

    A loop ends in a conditional jump back. An unconditional one comes from a block that was moved
    out of the way, since it is seldom needed.
    """
    labels = {item.label: n for n, item in enumerate(instructions) if item.label}
    spans = sorted(
        (labels[item.target], n)
        for n, item in enumerate(instructions)
        if item.target in labels and labels[item.target] <= n and item.mnemonic not in ("jmp", "b")
    )
    for first, last in spans:
        if not any((a, b) != (first, last) and first <= a and b <= last for a, b in spans):
            yield first, last


def find_loops(assembly: str, c: str, module: str, line: int, suffix: str = ".c") -> list[Loop]:
    """Find the innermost loops that contain code of a source line, vectorised ones first.

    Args:
        assembly: What the compiler wrote for the C.
        c: The generated C.
        module: Name of the module; both C file and source are called after it.
        line: The line of the source.
        suffix: Of the C file.
    """
    loops = []
    lines = source_lines(c, module)
    for name, code in read_functions(assembly, f"{module}{suffix}", lines).items():
        for first, last in innermost_loops(code):
            body = code[first : last + 1]
            if any(item.line == line for item in body):
                loops.append(Loop(name, tuple(body)))
    return sorted(loops, key=lambda loop: not loop.is_vector)
