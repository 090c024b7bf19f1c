"""Claims of the page on raw pointers."""

import collections
import timeit

import numpy
import pytest

from sphinx_cython.core.assembly import find_loops

PAGE = "guide/raw-pointers.md"
KEY = "speed/axpy"
LINE = "y[i] += alpha * x[i]"
LINES = collections.defaultdict(lambda: LINE) | {
    "pointer": "q[i] += alpha * p[i]",
    "total": "s += x[i]",
    "total_unchecked": "s += x[i]",
}


@pytest.fixture
def loops(built):
    """Return the loops of a function, the vectorised one first."""

    def get(key, function):
        artefact = built(key)
        example = artefact.variant.example
        found = find_loops(
            artefact.assembly_file.read_text(),
            artefact.c_file.read_text(),
            example.module,
            example.find_line(LINES[function], function),
        )
        assert found, f"no loop in {function}"
        return found

    return get


@pytest.fixture
def gcc(builder):
    """Skip what is said of gcc when another compiler is used."""
    if not builder.toolchain.name.startswith("gcc 12"):
        pytest.skip(f"the sentence is about gcc 12, and this is {builder.toolchain.name}")


def mnemonics(loop):
    return sorted(instruction.mnemonic for instruction in loop.instructions)


@pytest.mark.parametrize("profile", ["@aligned-loops", "@O3"])
@pytest.mark.claim(PAGE, "Both have the same instructions; only the registers may have other names")
def test_a_contiguous_view_and_a_pointer_have_the_same_loop(loops, profile):
    views, pointers = loops(KEY + profile, "contiguous"), loops(KEY + profile, "pointer")
    assert mnemonics(views[0]) == mnemonics(pointers[0])


@pytest.mark.parametrize("profile", ["@aligned-loops", "@O3"])
@pytest.mark.claim(PAGE, "the elements are loaded one by one, whatever the flags")
def test_a_strided_view_is_never_vectorised(loops, profile):
    for function in ("strided", "strided_checked"):
        assert not any(loop.is_vector for loop in loops(KEY + profile, function))


@pytest.mark.claim(PAGE, "gcc 12 does so only at -O3")
def test_gcc_vectorises_at_O3_only(loops, gcc):
    assert not loops(f"{KEY}@aligned-loops", "contiguous")[0].is_vector
    assert loops(f"{KEY}@O3", "contiguous")[0].is_vector


@pytest.mark.claim(PAGE, "a loop that may be left at any element is not vectorised by gcc")
def test_a_check_keeps_gcc_from_vectorising(loops, gcc):
    (loop,) = loops(f"{KEY}@O3", "contiguous_checked")
    assert not loop.is_vector
    leaving = [i for i in loop.instructions if i.target and i.target != loop.instructions[0].label]
    assert len(leaving) == 1


@pytest.mark.claim(PAGE, "the checked loop has no more instructions than the unchecked one")
def test_a_check_that_can_be_proved_is_free(loops):
    checked, unchecked = (
        loops(f"{KEY}@aligned-loops", name)[0] for name in ("total", "total_unchecked")
    )
    assert len(checked.instructions) <= len(unchecked.instructions)


def test_all_ways_compute_the_same(load):
    for name in ("axpy", "variants.aligned_loops.axpy", "variants.O3.axpy"):
        axpy = load(name)
        for function in ("untyped", "strided_checked", "strided", "contiguous_checked"):
            x, y = numpy.arange(7.0), numpy.ones(7)
            getattr(axpy, function)(3.0, x, y)
            assert y.tolist() == (3 * x + 1).tolist()
        for function in ("contiguous", "pointer"):
            x, y = numpy.arange(7.0), numpy.ones(7)
            getattr(axpy, function)(3.0, x, y)
            assert y.tolist() == (3 * x + 1).tolist()
        axpy.pointer(3.0, x[:0], y[:0])
        assert axpy.total(x) == axpy.total_unchecked(x) == 21.0
        with pytest.raises(IndexError):
            axpy.contiguous_checked(3.0, x, y[:3])


@pytest.mark.claim(PAGE, "cost of one element at -O2")
def test_untyped_is_more_than_ten_times_slower(load):
    axpy = load("axpy")
    x, y = numpy.ones(1000), numpy.zeros(1000)

    def best(function):
        return min(timeit.repeat(lambda: function(2.0, x, y), number=20, repeat=7))

    assert best(axpy.untyped) > 10 * best(axpy.strided_checked)
