"""The machine code of a line's loop, found in what a compiler wrote."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest

from sphinx_cython.core.artefact import Artefact
from sphinx_cython.core.assembly import (
    FORMS,
    Form,
    Instruction,
    Loop,
    find_loops,
    innermost_loops,
    read_functions,
    source_lines,
)
from sphinx_cython.core.builder import Builder

# Lines 1 to 9 of a generated C file; line 2 of the source is the header of the loop, 3 its body.
C = dedent("""\
    static void __pyx_f_1m_f(void) {
      /* "m.pyx":2
     * for i in range(n):
     */
      for (i = 0; i < n; i += 1) {
      /* "m.pyx":3
     *     y[i] += x[i]
     */
        y[i] += x[i]; }
    }
    static void other(void) { }
    """)
ASSEMBLY = """\
\t.file\t"m.c"
\t.text
__pyx_f_1m_f:
.LFB0:
\t.file 1 "stdio.h"
\t.file 2 "build" "m.c"
\t.loc 2 5 3
\ttestq\t%rcx, %rcx
\tjle\t.L1
.L4:
\t.loc 2 9 5
\tmovupd\t(%rsi,%rax), %xmm0
\taddpd\t(%rdi,%rax), %xmm0
\tmovups\t%xmm0, (%rdi,%rax)
\t.loc 1 9 5
\taddq\t$16, %rax
\t.loc 2 5 20
\tcmpq\t%rax, %rdx
\tjne\t.L4
.L6:
\t.loc 2 9 5
\taddsd\t(%rdi,%rax), %xmm0
\tcall\tsin
.L7:
\tleaq\t8(%rdi), %rdi
\tjmp\t.L6
\tjne\t.L6
.L1:
\tret
other:
\t.loc 2 11 1
\tret
"""


def test_every_line_of_c_is_traced_to_the_line_of_the_source():
    lines = source_lines(C, "m")
    assert [lines[n] for n in (1, 5, 9, 11)] == [0, 2, 3, 0]
    assert set(source_lines(C, "another").values()) == {0}


def test_instructions_are_traced_by_the_compilers_line_table():
    functions = read_functions(ASSEMBLY, "m.c", source_lines(C, "m"))
    assert list(functions) == ["__pyx_f_1m_f", "other"]
    code = functions["__pyx_f_1m_f"]
    assert [(item.text, item.label, item.line) for item in code[2:6]] == [
        ("movupd (%rsi,%rax), %xmm0", ".L4", 3),
        ("addpd (%rdi,%rax), %xmm0", "", 3),
        ("movups %xmm0, (%rdi,%rax)", "", 3),
        ("addq $16, %rax", "", 0),  # from another file
    ]


def test_a_loop_is_told_by_its_jump_back_and_the_vectorised_one_comes_first():
    wide, narrow = find_loops(ASSEMBLY, C, "m", 3)
    assert wide.is_vector
    assert not narrow.is_vector
    assert [item.mnemonic for item in wide.instructions] == [
        *("movupd", "addpd", "movups", "addq", "cmpq", "jne")
    ]
    # The jmp comes from a block that was moved out of the way, and ends no loop.
    assert narrow.instructions[-1].mnemonic == "jne"
    assert (wide.calls, narrow.calls) == (0, 1)
    assert wide.function == narrow.function == "__pyx_f_1m_f"
    assert [loop.is_vector for loop in find_loops(ASSEMBLY, C, "m", 2)] == [True]
    assert find_loops(ASSEMBLY, C, "m", 4) == []


def test_a_loop_around_another_is_not_shown():
    around = ASSEMBLY.replace("\tret\nother:", "\tjne\t.L4\n\tret\nother:")
    code = read_functions(around, "m.c", source_lines(C, "m"))["__pyx_f_1m_f"]
    assert [code[first].label for first, _ in innermost_loops(code)] == [".L4", ".L6"]


def test_each_kind_of_instruction_is_known():
    code = read_functions(ASSEMBLY, "m.c", source_lines(C, "m"))["__pyx_f_1m_f"]
    kinds = {item.mnemonic: item.kind for item in code}
    assert kinds == {
        "testq": "",
        "jle": "jump",
        "movupd": "vector",
        "addpd": "vector",
        "movups": "vector",
        "addq": "",
        "cmpq": "",
        "jne": "jump",
        "addsd": "access",
        "call": "call",
        "leaq": "",  # computes an address and loads nothing
        "jmp": "jump",
        "ret": "",
    }


def lines(text: str) -> list[Instruction]:
    return [Instruction(line.strip()) for line in text.splitlines()]


ROWS = [pytest.param(form, id=f"{form.processor}: {form.meaning}") for form in FORMS]


@pytest.mark.parametrize("form", ROWS)
def test_the_samples_of_a_form_are_of_its_kind(form: Form):
    for instruction in lines(form.sample):
        assert instruction.form is form, instruction.text
        assert instruction.kind == form.kind


@pytest.mark.parametrize("form", ROWS)
def test_what_only_looks_like_it_is_of_another_kind(form: Form):
    for instruction in lines(form.counter):
        assert instruction.kind != form.kind, instruction.text


def test_the_meaning_of_a_form_is_the_rest_of_a_sentence():
    assert all(re.match(r"[a-z]+s ", form.meaning) for form in FORMS)


def loop(text: str) -> Loop:
    return Loop("f", tuple(lines(text)))


@pytest.mark.parametrize(
    "text",
    [
        "movupd (%rsi,%rax), %xmm0\naddpd (%rdi,%rax), %xmm0\naddq $16, %rax\njne .L4",
        "addpd (%rsi), %xmm0\naddq $16, %rsi\njne .L4",
        "vpaddd (%rsi,%rax), %ymm0, %ymm0\naddq $32, %rax\njne .L4",
        "movupd (%rsi,%rax), %xmm0\nmovups %xmm0, (%rdi,%rax)\naddq $16, %rax\njne .L4",
        "vmovups %zmm0, (%rdi)\nsubq $-64, %rdi\njne .L4",
        "movups %xmm0, (%rax)\nleaq 16(%rax), %rax\njne .L4",
        "ldr q0, [x1, x2]\nfadd v0.2d, v0.2d, v1.2d\nstr q0, [x0, x2]\nadd x2, x2, #16\nb.ne .L4",
        "ldp q0, q1, [x1], #32\nstp q0, q1, [x0], #32\nb.ne .L4",
        "str q0, [x0, #16]!\nb.ne .L4",
        "ld1d {z0.d}, p0/z, [x0, x2, lsl #3]\nst1d {z0.d}, p0, [x1, x2, lsl #3]\nadd x2, x2, x3\n"
        "b.ne .L4",
    ],
)
def test_a_loop_that_handles_several_elements(text: str):
    assert loop(text).is_vector


@pytest.mark.parametrize(
    "text",
    [
        # Between registers.
        "movsd (%rsi,%rax), %xmm1\nmovapd %xmm1, %xmm0\naddsd %xmm2, %xmm0\naddq $8, %rax\njne .L4",
        # A struct that is copied to the stack, and to another one.
        "movdqu (%rbx), %xmm0\nmovups %xmm0, 16(%rsp)\naddq $8, %rax\njne .L4",
        "movdqu (%rbx), %xmm0\nmovups %xmm0, 16(%rbp)\naddq $8, %rax\njne .L4",
        "movdqu (%rbx), %xmm0\nmovups %xmm0, 16(%rcx)\naddq $8, %rax\ndecq (%rcx)\njne .L4",
        "movups %xmm0, (%rax)\ncall f\naddq $1, %rax\njne .L4",
        # A constant.
        "movapd .LC1(%rip), %xmm3\nandpd %xmm3, %xmm0\naddq $8, %rax\njne .L4",
        "ldr d0, [x1, x2]\nfadd d0, d0, d1\nstr d0, [x0, x2]\nadd x2, x2, #8\nb.ne .L4",
        "ldp q0, q1, [x1]\nstp q0, q1, [sp, #32]\nadd x2, x2, #8\nb.ne .L4",
        "movi v0.2d, #0\nmov v1.16b, v0.16b\nb.ne .L4",
    ],
)
def test_a_loop_that_handles_one_element_at_a_time(text: str):
    assert not loop(text).is_vector


@pytest.mark.parametrize("jump", ["b.ne\t.L4", "cbnz\tx3, .L4", "tbnz\tw3, #5, .L4"])
def test_loops_of_another_processor_are_found(jump: str):
    arm = ASSEMBLY.replace("jne\t.L4", jump, 1).replace("(%rsi,%rax), %xmm0", "d0, [x1, x2]")
    first = find_loops(arm, C, "m", 2)[0]
    assert first.instructions[0].label == ".L4"
    assert first.instructions[-1].target == ".L4"


def test_a_real_compile_leaves_the_loop_of_a_line(samples: Builder):
    variant = next(v for v in samples.variants() if v.key == "ways")
    artefact = samples.build_all()[variant.key]
    assert isinstance(artefact, Artefact)
    number = variant.example.find_line("result += a[i]", "total")
    assembly, c = artefact.assembly_file.read_text(), artefact.c_file.read_text()
    loops = find_loops(assembly, c, "ways", number)
    assert loops
    assert all(any(item.line == number for item in loop.instructions) for loop in loops)
