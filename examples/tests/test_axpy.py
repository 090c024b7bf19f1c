"""Claims of the page on raw pointers."""

import collections
import mmap
import subprocess
import sys
import sysconfig
import timeit

import numpy
import pytest

from sphinx_cython.core.assembly import find_loops

PAGE = "guide/raw-pointers.md"
KEY = "speed/axpy"
OTHER = "speed/other_loops"
CAST = "callers/from_pointer"
LINE = "y[i] += alpha * x[i]"
LINES = collections.defaultdict(lambda: LINE) | {
    "pointer": "q[i] += alpha * p[i]",
    "total": "s += x[i]",
    "total_unchecked": "s += x[i]",
    "histogram_strided": "counts[bins[i]] += 1",
    "histogram": "counts[bins[i]] += 1",
    "histogram_pointer": "c[b[i]] += 1",
    "smooth_checked": "y[i] = x[i - 1] + x[i] + x[i + 1]",
    "smooth": "y[i] = x[i - 1] + x[i] + x[i + 1]",
    "integer_sum_strided": "s += a[i]",
    "integer_sum": "s += a[i]",
    "float_sum_strided": "s += a[i]",
    "float_sum": "s += a[i]",
    "Pair.in_attributes": "self.y[i] += 0.5 * self.x[i]",
    "Pair.in_attributes_uninitialized": "self.y[i] += 0.5 * self.x[i]",
    "Pair.in_locals": "y[i] += 0.5 * x[i]",
    "Pixels.invert_in_attributes": "self.y[i] = 255 - self.x[i]",
    "Pixels.invert_in_locals": "y[i] = 255 - x[i]",
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
    """Skip claims about gcc when another compiler is used."""
    if not builder.toolchain.name.startswith("gcc 12"):
        pytest.skip(f"the sentence is about gcc 12, and this is {builder.toolchain.name}")


def mnemonics(loop):
    return sorted(instruction.mnemonic for instruction in loop.instructions)


@pytest.mark.parametrize("profile", ["@aligned-loops", "@O3"])
@pytest.mark.claim(PAGE, "a-contiguous-view-and-a-pointer-have-the")
def test_a_contiguous_view_and_a_pointer_have_the_same_loop(loops, profile):
    views, pointers = loops(KEY + profile, "contiguous"), loops(KEY + profile, "pointer")
    assert mnemonics(views[0]) == mnemonics(pointers[0])


@pytest.mark.parametrize("profile", ["@aligned-loops", "@O3"])
@pytest.mark.claim(
    PAGE,
    "a-strided-view-is-not-vectorized",
)
def test_a_strided_view_is_not_vectorized(loops, profile, gcc):
    for function in ("strided", "strided_checked"):
        assert not any(loop.is_vector for loop in loops(KEY + profile, function))


@pytest.mark.claim(PAGE, "gcc-vectorizes-at-o3-only")
def test_gcc_vectorizes_at_O3_only(loops, gcc):
    assert not loops(f"{KEY}@aligned-loops", "contiguous")[0].is_vector
    assert loops(f"{KEY}@O3", "contiguous")[0].is_vector


@pytest.mark.claim(PAGE, "a-check-keeps-gcc-from-vectorizing")
def test_a_check_keeps_gcc_from_vectorizing(loops, gcc):
    (loop,) = loops(f"{KEY}@O3", "contiguous_checked")
    assert not loop.is_vector
    leaving = [i for i in loop.instructions if i.target and i.target != loop.instructions[0].label]
    assert len(leaving) == 1


@pytest.mark.claim(PAGE, "a-check-that-can-be-proved-is-free")
def test_a_check_that_can_be_proved_is_free(loops):
    checked, unchecked = (
        loops(f"{KEY}@aligned-loops", name)[0] for name in ("total", "total_unchecked")
    )
    assert len(checked.instructions) <= len(unchecked.instructions)


def uses(loop, mnemonic):
    return any(instruction.mnemonic.startswith(mnemonic) for instruction in loop.instructions)


@pytest.mark.claim(
    PAGE,
    "sums-2",
)
@pytest.mark.claim(PAGE, "sums")
def test_sums(loops, gcc):
    assert loops(f"{OTHER}@O3", "integer_sum")[0].is_vector
    for function in "integer_sum_strided", "float_sum", "float_sum_strided":
        for loop in loops(f"{OTHER}@O3", function):
            assert not uses(loop, "padd"), function
            assert not uses(loop, "addpd"), function
            assert not loop.is_vector, function


@pytest.mark.claim(
    PAGE,
    "a-histogram",
)
@pytest.mark.parametrize("profile", ["@aligned-loops", "@O3"])
def test_a_histogram(loops, gcc, profile):
    (strided,), (contiguous,), (pointer,) = (
        loops(OTHER + profile, name)
        for name in ("histogram_strided", "histogram", "histogram_pointer")
    )
    assert uses(strided, "imul")
    assert not uses(contiguous, "imul")
    assert len(strided.instructions) > len(contiguous.instructions)
    assert mnemonics(contiguous) == mnemonics(pointer)
    assert not any(loop.is_vector for loop in (strided, contiguous, pointer))


@pytest.mark.claim(
    PAGE,
    "a-stencil",
)
def test_a_stencil(loops, gcc):
    (checked,), (unchecked,) = (
        loops(f"{OTHER}@aligned-loops", name) for name in ("smooth_checked", "smooth")
    )
    assert not any(loop.is_vector for loop in (checked, unchecked))
    assert len(checked.instructions) >= 1.5 * len(unchecked.instructions)


@pytest.mark.claim(
    PAGE,
    "the-check-of-attributes",
)
def test_the_check_of_attributes(loops, gcc, c_of):
    line = LINES["Pair.in_attributes"]
    message = "Memoryview is not initialized"
    assert c_of(OTHER, "Pair.in_attributes", line).text.count(message) == 2
    assert message not in c_of(OTHER, "Pair.in_attributes_uninitialized", line).text
    assert not any(loop.is_vector for loop in loops(f"{OTHER}@O3", "Pair.in_attributes"))
    for function in "Pair.in_attributes_uninitialized", "Pair.in_locals":
        assert loops(f"{OTHER}@O3", function)[0].is_vector


@pytest.mark.claim(
    PAGE,
    "without-strict-aliasing-attributes-are-read",
)
def test_without_strict_aliasing_attributes_are_read_again(built, gcc, tmp_path):
    artefact = built(f"{OTHER}@O3")
    assembly = tmp_path / "loops.s"
    flags = ["-O3", "-S", "-fPIC", "-fwrapv", "-DNDEBUG", "-g", "-fno-strict-aliasing"]
    include = sysconfig.get_paths()["include"]
    command = ["gcc", *flags, "-I", include, artefact.c_file.name, "-o", assembly]
    subprocess.run(command, cwd=artefact.c_file.parent, check=True, timeout=120)
    example = artefact.variant.example

    def is_vector(function):
        number = example.find_line(LINES[function], function)
        c = artefact.c_file.read_text()
        return any(x.is_vector for x in find_loops(assembly.read_text(), c, example.module, number))

    assert is_vector("Pair.in_locals")
    assert not is_vector("Pair.in_attributes_uninitialized")


@pytest.mark.claim(
    PAGE,
    "bytes-in-attributes",
)
@pytest.mark.claim(PAGE, "bytes-in-attributes-2")
def test_bytes_in_attributes(load, loops, gcc):
    inside = loops(f"{OTHER}@O3", "Pixels.invert_in_attributes")
    assert not any(loop.is_vector for loop in inside)
    assert loops(f"{OTHER}@O3", "Pixels.invert_in_locals")[0].is_vector
    module = load("variants.O3.other_loops")
    pixels = module.Pixels(numpy.zeros(1000, dtype="u1"), numpy.zeros(1000, dtype="u1"))

    def best(method):
        return min(timeit.repeat(lambda: method(20), number=5, repeat=15))

    assert best(pixels.invert_in_attributes) > 3 * best(pixels.invert_in_locals)


@pytest.mark.claim(PAGE, "local-views-are-counted-once")
def test_local_views_are_counted_once(c_of):
    line = "cdef double[::1] x = self.x, y = self.y"
    assert c_of(OTHER, "Pair.in_locals", line).text.count("__PYX_INC_MEMVIEW(") == 2
    assert "MEMVIEW" not in c_of(OTHER, "Pair.in_locals", "y[i] += 0.5 * x[i]").text


@pytest.mark.parametrize("name", ["other_loops", "variants.aligned_loops.other_loops", "O3"])
def test_the_other_loops_compute_the_same(load, name):
    module = load("variants.O3.other_loops" if name == "O3" else name)
    bins = numpy.random.default_rng(3).integers(0, 7, 100).astype(numpy.intp)
    expected = 2 * numpy.bincount(bins, minlength=7)
    for function in ("histogram_checked", "histogram_strided", "histogram", "histogram_pointer"):
        counts = numpy.zeros(7, dtype=numpy.intp)
        getattr(module, function)(bins, counts, 2)
        assert counts.tolist() == expected.tolist()
    x = 2.0 ** numpy.arange(40)
    for smooth in module.smooth_checked, module.smooth:
        y = numpy.zeros(40)
        smooth(x, y)
        assert y.tolist() == [0, *(x[:-2] + x[1:-1] + x[2:]), 0]
    whole = 2 ** numpy.arange(40, dtype=numpy.intp)
    assert module.integer_sum(whole) == module.integer_sum_strided(whole) == 2**40 - 1
    assert module.float_sum(x) == module.float_sum_strided(x) == 2.0**40 - 1
    for method in "in_attributes", "in_attributes_uninitialized", "in_locals":
        y = numpy.ones(40)
        getattr(module.Pair(x, y), method)()
        assert y.tolist() == (1 + x / 2).tolist()
    dark = numpy.arange(100, dtype="u1")
    for method in "invert_in_attributes", "invert_in_locals":
        y = numpy.zeros(100, dtype="u1")
        getattr(module.Pixels(dark, y), method)()
        assert y.tolist() == (255 - dark).tolist()


@pytest.mark.claim(
    PAGE,
    "a-cast-from-a-pointer",
)
@pytest.mark.claim(
    PAGE,
    "a-cast-from-a-pointer-2",
)
def test_a_cast_from_a_pointer(load):
    module = load("from_pointer")
    assert module.total_of_readings() == module.total_without_gil() == 21.0
    assert numpy.asarray(module.table_of_readings(2, 3)).tolist() == [[1, 2, 3], [4, 5, 6]]
    assert numpy.asarray(module.table_of_readings(3, 2)).tolist() == [[1, 2], [3, 4], [5, 6]]
    table = numpy.asarray(module.fortran_table_of_readings())
    assert table.tolist() == [[1, 3, 5], [2, 4, 6]]
    assert table.flags.f_contiguous
    assert not table.flags.c_contiguous
    for rows, columns in (2, 4), (0, 3), (-2, -3):
        with pytest.raises(ValueError, match="but there are 6"):
            module.table_of_readings(rows, columns)


@pytest.mark.claim(
    PAGE,
    "a-cast-neither-copies-nor-frees",
)
def test_a_cast_neither_copies_nor_frees(load):
    module = load("from_pointer")
    x = numpy.array([1.0, 2.0, 3.0])
    references = sys.getrefcount(x)
    view = module.view_of_address(x.ctypes.data, 3)
    assert sys.getrefcount(x) == references
    x[1] = 7.0
    assert list(view) == [1.0, 7.0, 3.0]
    del view
    assert x.tolist() == [1.0, 7.0, 3.0]


@pytest.mark.claim(
    PAGE,
    "the-length-of-a-cast-is-believed",
)
def test_the_length_of_a_cast_is_believed(load):
    module = load("from_pointer")
    x = numpy.arange(8.0)
    view = module.view_of_address(x.ctypes.data, 4)
    with pytest.raises(IndexError):
        view[4]
    pages = numpy.frombuffer(mmap.mmap(-1, 8192), dtype=float)
    assert len(module.view_of_address(pages[-1:].ctypes.data, 1000)) == 1000


@pytest.mark.claim(
    PAGE,
    "a-cast-makes-objects",
)
@pytest.mark.claim(PAGE, "a-cast-makes-objects-2")
def test_a_cast_makes_objects(load, c_of, outcomes):
    text = c_of(CAST, "total_of_readings", "cdef double[::1] a = <double[:n]> p").text
    assert "__pyx_array_new(" in text
    assert "__Pyx_PyObject_to_MemoryviewSlice_dc_double(" in text
    module = load("from_pointer")
    assert type(module.readings()).__name__ == "array"
    assert module.firsts_of_views(5) == module.firsts_of_pointers(5) == 5.0

    def best(function):
        return min(timeit.repeat(lambda: function(100), number=5, repeat=15))

    assert best(module.firsts_of_views) > 3 * best(module.firsts_of_pointers)
    problems = {(p.line, p.message) for p in outcomes["refused/view_needs_gil"].problems}
    assert (18, "Operation not allowed without gil") in problems


@pytest.mark.claim(PAGE, "what-a-cast-refuses")
def test_what_a_cast_refuses(load):
    module = load("from_pointer")
    with pytest.raises(ValueError, match=r"Cannot create cython\.array from NULL pointer"):
        module.view_of_address(0, 3)
    for length in 0, -1:
        with pytest.raises(ValueError, match=f"Invalid shape in axis 0: {length}"):
            module.view_of_address(numpy.zeros(3).ctypes.data, length)


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


@pytest.mark.claim(PAGE, "untyped-is-ten-times-slower")
def test_untyped_is_more_than_ten_times_slower(load):
    axpy = load("axpy")
    x, y = numpy.ones(1000), numpy.zeros(1000)

    def best(function):
        return min(timeit.repeat(lambda: function(2.0, x, y), number=20, repeat=7))

    assert best(axpy.untyped) > 10 * best(axpy.strided_checked)
