"""The machine code of a source line's loop, from the assembly that the very compile left behind.

Every instruction is traced to a line of the C file by the compiler's own line table (``.loc``),
and that line to the Cython source by the comment that Cython writes above each statement. Nothing
is disassembled, so no tool besides the compiler is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

LOAD_STORE, CALL, JUMP, VECTOR = "access", "call", "jump", "vector"


@dataclass(frozen=True)
class Form:
    """A row of the table of instructions.

    Attributes:
        kind: What such an instruction does, in one of four words.
        processor: Which processor has it.
        meaning: What it does, as the rest of a sentence that starts with "It".
        mnemonic: A regular expression for the whole name of the operation.
        sample: Instructions of this form, one a line.
        counter: Instructions that look alike and are of another kind, one a line.
        operands: A regular expression for what is among the operands.
        unless: A regular expression for what is not.
    """

    kind: str
    processor: str
    meaning: str
    mnemonic: str
    sample: str
    counter: str
    operands: str = ""
    unless: str = ""

    def matches(self, mnemonic: str, operands: str) -> bool:
        """Tell whether an instruction is of this form."""
        if not re.fullmatch(self.mnemonic, mnemonic) or not re.search(self.operands, operands):
            return False
        return not self.unless or not re.search(self.unless, operands)


_X86, _ARM = "x86-64", "AArch64"
# An address on the stack, or one of a constant of the program.
_OWN_MEMORY = r"\(%(?:rsp|rbp|rip)\b|\[(?:sp|x29)\b"
_WIDE_MOVE = (
    r"v?(?:mov[ua]p[sd]|movdq[ua]\w*|movntp[sd]|movntdq|lddqu|p?gather\w+|p?scatter\w+)"
    r"|ld[pr]|st[pr]|ldn?p|stn?p|ld[1-4]\w*|st[1-4]\w*"
)

# What loops of another kind use too, to copy structs.
WIDE_MOVE = Form(
    VECTOR,
    f"{_X86}, {_ARM}",
    "moves several elements from or to memory that is not on the stack",
    _WIDE_MOVE,
    "movupd (%rsi,%rax), %xmm0\nmovups %xmm0, (%rdi,%rax)\nmovdqu 16(%rsi), %xmm1\n"
    "vmovdqu64 (%rsi), %zmm1\nvmovupd %ymm0, 32(%rdi){%k1}\nvgatherqpd (%rsi,%ymm1,8), %ymm0\n"
    "ldr q0, [x1, x2]\nldp q0, q1, [x1], #32\nstp q0, q1, [x1, #-32]\nstr q0, [x1]\n"
    "ld1 {v0.2d}, [x0], #16\nld1d {z0.d}, p0/z, [x0, x1, lsl #3]\nst1d z0.d, p0, [x0]",
    "movapd %xmm1, %xmm0\nmovdqa %xmm1, %xmm0\nmovsd (%rsi), %xmm0\nmovdqa 96(%rsp), %xmm0\n"
    "movaps %xmm0, 16(%rsp)\nmovapd .LC1(%rip), %xmm3\nvmovsd (%rsi), %xmm0\nmovq (%rsi), %rax\n"
    "ldr d0, [x1]\nldp x0, x1, [x2]\nstp q0, q1, [sp, #32]\nldr x0, [x1]\nstr d0, [x1, x2]",
    operands=r"^%[xyz]mm\d+[^(]*,[^(]*\(|^[^,]*\(.*\).*%[xyz]mm\d+$|^\{?[qvz]\d+\b.*\[",
    unless=_OWN_MEMORY,
)

# Of several forms that match, the first counts.
FORMS: tuple[Form, ...] = (
    Form(
        CALL,
        _X86,
        "calls a function",
        r"call[a-z]*",
        "call sin\ncallq *%rax\ncall *72(%rax)",
        "cltq\nmovq sin@GOTPCREL(%rip), %rax",
    ),
    Form(
        CALL,
        _ARM,
        "calls a function",
        r"blr?(?:a[ab]z?)?",
        "bl sin\nblr x8",
        "blsr %eax, %eax\nblendvpd %xmm0, %xmm1, %xmm2\nb.lt .L4\nbr x8",
    ),
    Form(
        JUMP,
        _X86,
        "jumps to a label, always or on a condition",
        r"j[a-z]+|loop\w*",
        "jne .L4\njmp .L6\nloop .L2",
        "leaq 8(%rdi), %rdi\nlock decq (%rdi)",
    ),
    Form(
        JUMP,
        _ARM,
        "jumps to a label, always or on a condition",
        r"b(?:\.\w+)?|bne|beq|cbn?z|tbn?z",
        "b.ne .L4\ncbnz x3, .L4\ntbnz w3, #5, .L4\nb .L2",
        "bl sin\nbic x0, x1, x2\nbfi x0, x1, #2, #3",
    ),
    Form(
        VECTOR,
        _X86,
        "computes with several floating-point numbers",
        r"v?(?:h?add|h?sub|addsub|mul|div|max|min|sqrt)p[sdh]"
        r"|vfn?m(?:add|sub|addsub|subadd)\d*p[sdh]",
        "addpd (%rdi,%rax), %xmm0\nmulps %xmm1, %xmm0\nvfmadd231pd (%rsi), %ymm1, %ymm0\n"
        "vaddpd %zmm1, %zmm0, %zmm0{%k1}{z}\nsqrtpd %xmm0, %xmm0\nhaddpd %xmm0, %xmm0",
        "addsd (%rdi,%rax), %xmm0\nvfmadd231sd (%rsi), %xmm1, %xmm0\nxorps %xmm0, %xmm0\n"
        "andpd .LC0(%rip), %xmm0\nunpcklpd %xmm1, %xmm0\ncvtps2pd %xmm0, %xmm0\n"
        "sqrtsd %xmm0, %xmm0",
    ),
    Form(
        VECTOR,
        _X86,
        "computes with several integers",
        r"v?p(?:h?add|h?sub|mul|madd|max|min|abs|avg|sll|srl|sra|cmpeq|cmpgt)\w+",
        "paddd (%rdi,%rax), %xmm0\nvpmulld %ymm2, %ymm1, %ymm0\npsrlq $1, %xmm0",
        "pxor %xmm0, %xmm0\npause\npopcntq %rax, %rax\naddq %rax, %rdx\npushq %rbx",
    ),
    Form(
        VECTOR,
        _ARM,
        "computes with several numbers",
        r"(?!mov|dup|ins|orr|eor|and|ld|st)[a-z]\w*(?:\.(?:2d|4s|8h|16b|2s|4h|8b))?",
        "fadd v0.2d, v1.2d, v2.2d\nfmla v0.2d, v1.2d, v2.d[0]\nadd v0.4s, v0.4s, v1.4s\n"
        "fadd.2d v0, v1, v2\nfmla z0.d, p0/m, z1.d, z2.d\nfaddp v0.2d, v1.2d, v2.2d",
        "fadd d0, d1, d2\nfmadd d0, d1, d2, d0\nfmov v0.d[1], x0\nmovi v0.2d, #0\n"
        "mov v1.16b, v0.16b\nadd x0, x0, #16\numov w0, v0.s[1]\nfmul d0, d1, v2.d[0]",
        operands=r"^v\d+\.(?:2d|4s|8h|16b|2s|4h|8b)\b|^z\d+\.[bhsd]\b|^v\d+, v\d+, v\d+$",
    ),
    WIDE_MOVE,
    Form(
        LOAD_STORE,
        _X86,
        "loads something from memory, or stores it there",
        r"(?!lea|nop|prefetch)[a-z]\w*",
        "movsd (%rsi), %xmm0\naddq %rax, 8(%rdi)\nmovdqa 96(%rsp), %xmm0\nmovapd .LC1(%rip), %xmm3",
        "leaq 8(%rdi), %rdi\nmovapd %xmm1, %xmm0\nnopw 0(%rax,%rax,1)",
        operands=r"\(%",
    ),
    Form(
        LOAD_STORE,
        _ARM,
        "loads something from memory, or stores it there",
        r"[a-z]\w*",
        "ldr d0, [x1, x2]\nstp x29, x30, [sp, #-16]!",
        "add x0, x1, x2\nmov x0, x1",
        operands=r"\[[a-z]",
    ),
)
_LABEL = re.compile(r"^([.\w$]+):")
_LOC = re.compile(r"^\s*\.loc\s+(\d+)\s+(\d+)")
_FILE = re.compile(r'^\s*\.file\s+(\d+)\s+(?:"[^"]*"\s+)?"([^"]+)"')
_STEP = re.compile(r"(?:add|sub|lea|inc|dec)[bwlqs]?")
_REGISTER = re.compile(r"%\w+|\b[xw]\d+\b")
_MARKER = re.compile(r'^\s*/\* "([^"]+)":(\d+)$')


@lru_cache(maxsize=4096)
def _form(mnemonic: str, operands: str) -> Form | None:
    return next((form for form in FORMS if form.matches(mnemonic, operands)), None)


@lru_cache(maxsize=1024)
def _jumps(mnemonic: str) -> bool:
    """Tell whether an operation jumps: of every instruction of a file, its name is enough."""
    return any(form.kind == JUMP and form.matches(mnemonic, "") for form in FORMS)


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
        return self.text.partition(" ")[0]

    @property
    def operands(self) -> str:
        """What follows the name."""
        return self.text.partition(" ")[2]

    @property
    def form(self) -> Form | None:
        """The row of the table that it is of, if any."""
        return _form(self.mnemonic, self.operands)

    @property
    def kind(self) -> str:
        """What it does, in one of four words, or an empty string."""
        return self.form.kind if self.form else ""

    @property
    def target(self) -> str:
        """The label it may jump to, or an empty string."""
        if not _jumps(self.mnemonic):
            return ""
        return self.operands.replace(",", " ").split()[-1]

    @property
    def is_vector(self) -> bool:
        """Whether it handles several elements at once."""
        return self.kind == VECTOR

    @property
    def advanced(self) -> frozenset[str]:
        """The registers to which it adds, or from which it subtracts."""
        if _STEP.fullmatch(self.mnemonic):
            # x86-64 names the result last, AArch64 first.
            before, _, last = self.operands.rpartition(",")
            result = last.strip() if "%" in self.operands else self.operands.partition(",")[0]
            if _REGISTER.fullmatch(result) and (result in before or self.mnemonic[:3] != "lea"):
                return frozenset((result,))
        # An address that is changed before or after its use.
        stepped = re.search(r"\[(\w+)\], |\[(\w+).*\]!", self.operands)
        return frozenset(filter(None, stepped.groups())) if stepped else frozenset()


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
        """Whether it handles several elements at once.

        It computes with several, or it calls nothing and stores several where the address moves on
        with each pass. A struct, such as that of a view, is copied by as wide stores, to one place.
        """
        vectors = [item for item in self.instructions if item.is_vector]
        if any(item.form is not WIDE_MOVE for item in vectors):
            return True
        advanced = frozenset().union(*(item.advanced for item in self.instructions))
        return not self.calls and any(_stored_at(item) & advanced for item in vectors)

    @property
    def calls(self) -> int:
        """How many call instructions it has."""
        return sum(item.kind == CALL for item in self.instructions)


def _stored_at(item: Instruction) -> frozenset[str]:
    """Return the registers in the address to which an instruction stores."""
    address = re.search(r"\(([^()]*)\)(?:\{\S+)?$|^[^\[]*\[([^\]]*)\]", item.operands)
    if not address or (address[2] and not item.mnemonic.startswith("st")):
        return frozenset()
    return frozenset(_REGISTER.findall(address[1] or address[2]))


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
        if marker := _MARKER.match(text):
            current = int(marker[2]) if marker[1].rpartition("/")[2] == f"{module}.pyx" else 0
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
        if file := _FILE.match(text):
            if file[2].rpartition("/")[2] == c_name:
                files.add(file[1])
        elif place := _LOC.match(text):
            line = lines.get(int(place[2]), 0) if place[1] in files else 0
        elif mark := _LABEL.match(text):
            if re.match(r"\.?L[A-Z]", mark[1]):
                # Begin or end of a block, for the debugger: nothing jumps there.
                continue
            label = mark[1]
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
