"""Claims of the page on what compiles and then goes wrong.

A case that stops being one, as by a check that Cython gained, fails here. Then change the page.
"""

import os
import platform
import re
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy
import own_process
import pytest

PAGE = "guide/what-can-go-wrong.md"
LINUX_X86 = sys.platform == "linux" and platform.machine() == "x86_64"
COUNTED = re.compile(r"__PY[Xx]_X?(?:INC|DEC|CLEAR|XCLEAR)_MEMVIEW")
INDEX_ERROR = "IndexError: Out of bounds on buffer access (axis 0)"


@pytest.fixture
def run(load):
    """Run code in a process of its own that can import the examples."""
    load("view_argument")  # puts the examples on the path
    return own_process.run


@pytest.fixture
def printed(run):
    """Run code that must not crash, and return what it printed."""

    def get(code):
        done = run(code)
        assert done.returncode in (0, 1), done.output
        return done.output.strip().splitlines()

    return get


@pytest.fixture
def crashes(run):
    """Run code that must crash."""

    def check(code):
        assert run(code).returncode in (-signal.SIGSEGV, -signal.SIGBUS)

    return check


@pytest.fixture(scope="session")
def sanitized(builder, built, load, tmp_path_factory):
    """Run code with examples that gcc compiled with its sanitizers; return what they reported."""
    if not (LINUX_X86 and "gcc" in builder.toolchain.name):
        pytest.skip("the reports are those of gcc on Linux")
    compiler = builder.toolchain.command

    def library(name):
        command = [*compiler, f"-print-file-name={name}"]
        path = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        if not os.path.isabs(path):
            pytest.skip(f"gcc has no {name}")
        return path

    preload = " ".join(library(name) for name in ("libasan.so", "libubsan.so"))
    load("view_argument")  # puts the examples on the path
    folder = tmp_path_factory.mktemp("sanitized")

    def get(name, code):
        module = folder / f"{name}{sysconfig.get_config_var('EXT_SUFFIX')}"
        if not module.exists():
            source = built(f"hazards/{name}").c_file
            flags = ["-O1", "-w", "-shared", "-fPIC", "-fsanitize=address,undefined"]
            include = f"-I{sysconfig.get_path('include')}"
            command = [*compiler, *flags, include, str(source), "-o", str(module)]
            subprocess.run(command, check=True, timeout=250)
        path = os.pathsep.join([str(folder), *map(os.path.abspath, sys.path)])
        options = "detect_leaks=0:detect_stack_use_after_return=1"
        variables = {"PYTHONPATH": path, "LD_PRELOAD": preload, "ASAN_OPTIONS": options}
        done = subprocess.run(
            [sys.executable, "-c", f"import numpy, {name}\n{code}\nprint('nothing reported')"],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=100,
        )
        return done.stdout + done.stderr

    return get


# --- the view argument


@pytest.mark.claim(
    PAGE,
    "a-view-argument-whose-memory-is-dropped",
)
@pytest.mark.claim(PAGE, "a-view-argument-whose-memory-is-dropped-2")
def test_a_view_argument_whose_memory_is_dropped(load):
    module = load("view_argument")
    for _ in range(50):
        holder = module.Holder(module.lend())  # outside of assert, which would keep the object
        assert holder.passed() == -1.0
        module.share(module.lend())
        assert module.passed_global() == -1.0


@pytest.mark.claim(PAGE, "a-local-variable-keeps-the-memory")
def test_a_local_variable_keeps_the_memory(load):
    module = load("view_argument")
    assert module.Holder(module.lend()).bound() == 1.0
    module.share(module.lend())
    assert module.bound_global() == 1.0


@pytest.mark.claim(PAGE, "a-large-array-that-is-dropped-crashes")
def test_a_large_array_that_is_dropped_crashes(crashes):
    crashes("import numpy, view_argument; view_argument.Holder(numpy.ones(10**7)).passed()")


@pytest.mark.claim(PAGE, "what-is-counted")
@pytest.mark.claim(PAGE, "what-is-counted-2")
def test_what_is_counted(c_of, c_file):
    key = "hazards/view_argument"
    passed = c_of(key, "Holder.passed", "return self.first(self.view)").text
    assert "__pyx_v_self->view)" in passed
    assert not COUNTED.search(passed)
    bound = c_of(key, "Holder.bound", "cdef double[:] a = self.view").text
    assert len(COUNTED.findall(bound)) == 1
    body = c_file(key).split("Holder_4bound(struct")[-1].partition("\n}\n")[0]
    assert "__PYX_XCLEAR_MEMVIEW(&__pyx_v_a, 1);" in body


@pytest.mark.claim(
    PAGE,
    "a-def-function-keeps-its-argument",
)
def test_a_def_function_keeps_its_argument(load):
    module = load("view_argument")
    module.share(module.lend())
    assert module.first_for_python(module.shared_object()) == 1.0


@pytest.mark.claim(
    PAGE,
    "a-sanitizer-finds-the-dropped-argument",
)
def test_a_sanitizer_finds_the_dropped_argument(sanitized):
    report = sanitized("view_argument", "view_argument.Holder(numpy.ones(10**4)).passed()")
    assert "AddressSanitizer: heap-use-after-free" in report
    assert "__pyx_f_13view_argument_6Holder_first" in report.partition("freed by")[0]


# --- checks that are off


@pytest.mark.claim(PAGE, "a-view-of-an-object-without-the-gil")
def test_a_view_of_an_object_without_the_gil(crashes, c_of):
    crashes("import numpy, object_in_nogil; object_in_nogil.crash(numpy.zeros(3))")
    assert "GILState" not in c_of("gil/object_in_nogil", "crash", "a = x").text


@pytest.mark.claim(PAGE, "none")
@pytest.mark.claim(PAGE, "none-2")
def test_none(crashes, printed, c_of):
    crashes("import unchecked; unchecked.item(None, 0)")
    assert printed("import unchecked; unchecked.item_checked(None, 0)") == [INDEX_ERROR]
    assert "None" not in c_of("hazards/unchecked", "item", "return a[i]").text
    assert "None" not in c_of("hazards/unchecked", "item_checked", "return a[i]").text


@pytest.mark.claim(PAGE, "not-none")
def test_not_none(printed):
    code = "import unchecked; unchecked.item_not_none(None, 0)"
    assert printed(code) == ["TypeError: Argument 'a' must not be None"]


@pytest.mark.claim(PAGE, "a-sanitizer-finds-none")
def test_a_sanitizer_finds_none(sanitized):
    assert "load of null pointer" in sanitized("unchecked", "unchecked.item(None, 0)")


@pytest.mark.claim(
    PAGE,
    "an-index-out-of-range",
)
def test_an_index_out_of_range(load):
    unchecked = load("unchecked")
    x = numpy.arange(6.0)
    assert unchecked.item(x[:3], 3) == 3.0
    unchecked.store(x[:3], 3, 99)
    assert x.tolist() == [0, 1, 2, 99, 4, 5]
    with pytest.raises(IndexError):
        unchecked.item_checked(x[:3], 3)


@pytest.mark.claim(
    PAGE,
    "what-a-sanitizer-finds-of-indices",
)
def test_what_a_sanitizer_finds_of_indices(sanitized):
    outside = sanitized("unchecked", "unchecked.item(numpy.arange(2000.0), 2000)")
    assert "AddressSanitizer: heap-buffer-overflow" in outside
    inside = sanitized("unchecked", "unchecked.item(numpy.arange(2000.0)[:3], 3)")
    assert inside.strip() == "nothing reported"


@pytest.mark.claim(
    PAGE,
    "a-decorator-wins-over-an-option",
)
def test_a_decorator_wins_over_an_option(tmp_path):
    source = tmp_path / "item.pyx"
    found = []
    for decorator in ("@cython.boundscheck(False)", ""):
        source.write_text(
            f"cimport cython\n{decorator}\ndef item(double[:] a, Py_ssize_t i):\n    return a[i]\n"
        )
        command = [sys.executable, "-m", "cython", "-3", "-X", "boundscheck=True", str(source)]
        subprocess.run(command, check=True)
        found.append("__Pyx_RaiseBufferIndexError(" in source.with_suffix(".c").read_text())
    assert found == [False, True]


@pytest.mark.claim(PAGE, "a-loop-that-ends-one-late")
@pytest.mark.claim(PAGE, "a-loop-that-ends-one-late-2")
def test_a_loop_that_ends_one_late(load):
    unchecked = load("unchecked")
    x = numpy.array([1.0, 2.0, 4.0, 99.0])
    assert list(unchecked.steps(x[:3])) == [1.0, 2.0, 95.0]
    with pytest.raises(IndexError):
        unchecked.steps_checked(x[:3])


@pytest.mark.claim(PAGE, "a-negative-index")
@pytest.mark.claim(PAGE, "a-negative-index-2")
def test_a_negative_index(load):
    unchecked = load("unchecked")
    x = numpy.arange(6.0)
    assert unchecked.item(x[3:], -1) == 5.0
    assert unchecked.item_forward(x[3:], -1) == 2.0
    with pytest.raises(IndexError):
        unchecked.item_forward_checked(x[3:], -1)


@pytest.mark.claim(PAGE, "the-warning-about-a-literal")
def test_the_warning_about_a_literal(tmp_path):
    source = tmp_path / "literal.pyx"
    found = []
    for index in ("-1", "i"):
        source.write_text(
            "cimport cython\n@cython.wraparound(False)\n"
            f"def last(double[:] a, Py_ssize_t i):\n    return a[{index}]\n"
        )
        command = [sys.executable, "-m", "cython", "-3", str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append("negative indices" in done.stderr)
    assert found == [True, False]


# --- exceptions


@pytest.mark.claim(PAGE, "an-error-in-a-noexcept-function")
def test_an_error_in_a_noexcept_function(run, load):
    done = run("import numpy, swallowed; print(swallowed.item_silent(numpy.ones(3), 3))")
    assert done.returncode == 0
    assert done.stdout.strip() == "0.0"
    assert INDEX_ERROR in done.stderr
    with pytest.raises(IndexError):
        load("swallowed").item_raising(numpy.ones(3), 3)


@pytest.mark.claim(PAGE, "an-exception-is-looked-for-after-minus-one")
def test_an_exception_is_looked_for_after_minus_one(c_of):
    text = c_of("hazards/swallowed", "item_raising", "return raising(a, i)").text
    assert re.search(r"== \(\(double\)-1\.?0?\) && PyErr_Occurred\(\)", text)
    silent = c_of("hazards/swallowed", "item_silent", "return silent(a, i)").text
    assert "PyErr_Occurred" not in silent


# --- layouts and types


@pytest.mark.claim(
    PAGE,
    "a-sub-block",
)
def test_a_sub_block(load):
    sub_block = load("sub_block")
    x = numpy.arange(1.0, 17.0).reshape(4, 4)
    sub_block.negate_block(x)
    assert x[x < 0].tolist() == [-6, -7, -8, -9]  # and the block is 6, 7, 10, 11
    with pytest.raises(ValueError, match="Buffer not C contiguous"):
        sub_block.negate_checked_block(x)


@pytest.mark.claim(PAGE, "the-c-of-a-sub-block")
def test_the_c_of_a_sub_block(c_of):
    line = "cdef double[:, ::1] block = a[1:3, 1:3]"
    excerpt = c_of("hazards/sub_block", "negate_block", line)
    assert excerpt.text.count("__pyx_memoryview_slice_memviewslice(") == 2
    assert excerpt.calls == excerpt.failure_calls == ()


@pytest.mark.claim(PAGE, "a-pointer-to-a-strided-view")
def test_a_pointer_to_a_strided_view(load):
    sub_block = load("sub_block")
    x = numpy.arange(1.0, 7.0)
    sub_block.negate_any(x[::2])
    assert x.tolist() == [-1, -2, -3, 4, 5, 6]
    with pytest.raises(ValueError, match="not C-contiguous"):
        sub_block.negate_contiguous(x[::2])


@pytest.mark.claim(PAGE, "too-many-fields")
def test_too_many_fields(crashes, printed):
    code = "import numpy, record_fields; record_fields.acquire_pairs(numpy.zeros(2, '{}'))"
    crashes(code.format("i4, f8, i4"))
    assert printed(code.format("i4, f8")) == []


@pytest.mark.claim(PAGE, "a-view-of-a-class")
@pytest.mark.claim(PAGE, "a-view-of-a-class-2")
@pytest.mark.claim(PAGE, "a-view-of-a-class-3")
def test_a_view_of_a_class(load, c_of):
    module = load("object_types")
    assert module.first_count(numpy.array([module.Counter(7)])) == 7
    wrong = numpy.array([1.0], dtype=object)
    assert module.first_count(wrong) == int(numpy.float64(1.0).view("int64"))
    with pytest.raises(TypeError, match="Cannot convert float to object_types"):
        module.first_count_checked(wrong)
    excerpt = c_of("hazards/object_types", "first_count", "return counters[0].count")
    assert "TypeTest" not in excerpt.text


# --- memory that is gone


@pytest.mark.claim(PAGE, "a-stale-pointer")
def test_a_stale_pointer(load):
    stale = load("stale")
    for _ in range(50):
        assert stale.by_pointer() == -1.0
        assert stale.by_pointer_kept() == 1.0


@pytest.mark.claim(PAGE, "a-resized-array")
def test_a_resized_array(crashes, printed):
    code = "import numpy, stale\nx = numpy.ones(10**7)\nholder = stale.Item(x)\n"
    assert "ValueError" in printed(code + "x.resize(1)")[0]
    crashes(code + "x.resize(1, refcheck=False)\nholder.read(10**7 - 1)")


@pytest.mark.claim(PAGE, "a-sanitizer-finds-the-resized-array")
def test_a_sanitizer_finds_the_resized_array(sanitized):
    report = sanitized(
        "stale",
        "x = numpy.ones(10**4); holder = stale.Item(x)\n"
        "x.resize(1, refcheck=False)\nholder.read(9999)",
    )
    assert "AddressSanitizer: heap-use-after-free" in report


@pytest.mark.claim(PAGE, "a-cast-with-a-wrong-length")
def test_a_cast_with_a_wrong_length(load):
    assert load("stale").by_wrong_length() == 4.0


@pytest.mark.claim(
    PAGE,
    "a-view-of-a-local-array",
)
def test_a_view_of_a_local_array(printed):
    code = """
import local_array
a, b = local_array.of_local_array(), local_array.of_own_array()
local_array.other_work()
print(a[2000], b[2000])
"""
    assert printed(code) == ["-1.0 1.0"]


@pytest.mark.claim(
    PAGE,
    "a-sanitizer-finds-the-local-array",
)
def test_a_sanitizer_finds_the_local_array(sanitized):
    report = sanitized("local_array", "local_array.read_of_local_array()")
    assert "AddressSanitizer: stack-use-after-return" in report


UNALIGNED = """
interval = numpy.dtype([("low", "longdouble"), ("high", "longdouble")], align=True)
x = numpy.frombuffer(bytearray(72), interval, count=2, offset={offset})
unaligned.{function}(x, numpy.zeros(1, interval))
"""


@pytest.mark.claim(
    PAGE,
    "unaligned-records",
)
@pytest.mark.skipif(not LINUX_X86, reason="a long double is another type elsewhere")
def test_unaligned_records(crashes, printed):
    begin = "import numpy, unaligned"
    crashes(begin + UNALIGNED.format(offset=8, function="copy_first"))
    assert printed(begin + UNALIGNED.format(offset=0, function="copy_first")) == []
    assert printed(begin + UNALIGNED.format(offset=0, function="copy_first_aligned")) == []
    (message,) = printed(begin + UNALIGNED.format(offset=8, function="copy_first_aligned"))
    assert message == "ValueError: the address of the records is not aligned"


@pytest.mark.claim(PAGE, "numpy-aligns")
def test_numpy_aligns():
    memory = bytearray(64)
    for offset in range(8):
        x = numpy.frombuffer(memory, "float64", count=3, offset=offset)
        aligned = numpy.require(x, requirements="A")
        assert aligned.flags.aligned
        assert numpy.shares_memory(x, aligned) == x.flags.aligned


@pytest.mark.claim(PAGE, "single-numbers-may-be-unaligned")
@pytest.mark.skipif(not LINUX_X86, reason="not x86-64")
def test_single_numbers_may_be_unaligned(load):
    for offset in range(8):
        x = numpy.frombuffer(bytearray(32), "float64", count=3, offset=offset)
        x[:] = [1, 2, 3]
        assert [load("unchecked").item(x, i) for i in range(3)] == [1, 2, 3]


@pytest.mark.claim(PAGE, "a-sanitizer-finds-unaligned-records")
def test_a_sanitizer_finds_unaligned_records(sanitized):
    code = UNALIGNED.format(offset=8, function="copy_first")
    assert "misaligned address" in sanitized("unaligned", code)
    report = sanitized(
        "unchecked", "unchecked.item(numpy.frombuffer(bytearray(25), 'float64', 3, 1), 0)"
    )
    assert "misaligned address" in report
    assert "nothing reported" in report


# --- threads


@pytest.mark.claim(PAGE, "additions-are-lost")
def test_additions_are_lost(load):
    race = load("variants.openmp.race")
    if not race.with_openmp() or (os.cpu_count() or 1) < 2:
        pytest.skip("there is one thread")
    bins = numpy.zeros(10**7, dtype="uint8")

    def lost():
        counts = numpy.zeros(1, dtype="int64")
        race.count_shared(bins, counts)
        return counts[0] < len(bins)

    assert any(lost() for _ in range(100))


@pytest.mark.claim(PAGE, "nothing-is-lost")
@pytest.mark.claim(PAGE, "nothing-is-lost-2")
def test_nothing_is_lost(load):
    bins = numpy.zeros(10**6, dtype="uint8")
    for _ in range(10):
        counts = numpy.zeros((4, 1), dtype="int64")
        load("variants.openmp.race").count_by_thread(bins, counts)
        assert counts.sum() == len(bins)
        single = numpy.zeros(1, dtype="int64")
        load("race").count_shared(bins, single)
        assert single[0] == len(bins)
    assert not load("race").with_openmp()


@pytest.mark.claim(
    PAGE,
    "an-element-is-no-reduction",
)
def test_an_element_is_no_reduction(c_file, c_of):
    key = "hazards/race@openmp"
    assert "+= 1;" in c_of(key, "count_shared", "counts[bins[i]] += 1").text
    assert "reduction(" not in c_file(key)
    rows = "gil/parallel_rows@openmp"
    assert "reduction(+:__pyx_v_total)" in c_file(rows)


# --- wrong without anything unsafe


@pytest.mark.claim(
    PAGE,
    "swapped-rows",
)
def test_swapped_rows(load):
    module = load("swapped_rows")
    numbers = numpy.arange(3.0)
    module.swap_elements(numbers)
    assert numbers.tolist() == [1, 0, 2]
    rows, copied, by_numpy = (numpy.arange(6.0).reshape(2, 3) for _ in range(3))
    module.swap_rows(rows)
    module.swap_rows_copied(copied)
    by_numpy[0], by_numpy[1] = by_numpy[1], by_numpy[0]
    assert rows.tolist() == by_numpy.tolist() == [[3, 4, 5], [3, 4, 5]]
    assert copied.tolist() == [[3, 4, 5], [0, 1, 2]]


ENDS = [-(2**62), -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 2**62]


@pytest.mark.claim(
    PAGE,
    "slices-with-a-positive-step",
)
@pytest.mark.claim(PAGE, "slices-with-a-positive-step-2")
@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_slices_with_a_positive_step(load, step):
    module = load("stepped_slices")
    found = 0
    for length in range(5):
        x = numpy.arange(10.0)[4 : 4 + length]
        for begin in ENDS:
            for end in ENDS:
                start, stop, _ = slice(begin, end).indices(length)
                extra = 0 < start - stop < step
                found += extra
                view = module.from_to(x, begin, end, step)
                assert len(view) == len(x[begin:end:step]) + extra
    assert bool(found) == (step > 1)


@pytest.mark.claim(
    PAGE,
    "a-slice-that-reaches-past-the-end",
)
@pytest.mark.claim(PAGE, "a-slice-that-reaches-past-the-end-2")
def test_a_slice_that_reaches_past_the_end(load):
    module = load("stepped_slices")
    x = numpy.arange(1.0, 5.0)
    module.clear_inner(x[:1])
    assert x.tolist() == [1, 0, 3, 4]
    for length in range(10):
        x = numpy.ones(12)
        expected = x.copy()
        expected[:length][1:-1:2] = 0
        module.clear_inner_bounded(x[:length])
        assert x.tolist() == expected.tolist()
        if length > 1:
            x[:] = 1
            module.clear_inner(x[:length])
            assert x.tolist() == expected.tolist()


@pytest.mark.claim(
    PAGE,
    "backward-slices",
)
@pytest.mark.claim(PAGE, "backward-slices-2")
@pytest.mark.claim(PAGE, "backward-slices-3")
def test_backward_slices(load):
    module = load("stepped_slices")
    for length in range(4):
        x = numpy.arange(10.0)[4 : 4 + length]
        for end in ENDS:
            start = list(module.backward(x, end)) == x[end::-1].tolist()
            stop = list(module.backward_to(x, end)) == x[:end:-1].tolist()
            before = end < -length
            assert start == (not before if length else end >= 0)
            assert stop == (not before or length == 0)
            first = module.backward_at_once(module.from_to(x, 0, end, 1))
            assert list(first) == x[:end][::-1].tolist()
        assert list(module.backward_at_once(x)) == x[::-1].tolist()


@pytest.mark.claim(PAGE, "a-backward-slice-of-an-empty-view")
@pytest.mark.claim(PAGE, "a-backward-slice-of-an-empty-view-2")
def test_a_backward_slice_of_an_empty_view(load):
    module = load("stepped_slices")
    view = module.backward(numpy.arange(3.0)[:0], -1)
    assert len(view) == 1
    assert isinstance(load("unchecked").item_checked(view, 0), float)


# --- the page


def test_what_runs_in_a_process_of_its_own_is_reported(run, capsys):
    own_process.show("print('printed'); raise ValueError('raised')")
    own_process.show("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    expected = ["printed", "ValueError: raised", "The process was ended by SIGKILL."]
    assert capsys.readouterr().out.splitlines() == expected


def test_the_table_leads_to_every_case():
    text = (Path(__file__).parents[2] / "docs" / PAGE).read_text(encoding="utf-8")
    anchors = re.findall(r"^\(([\w-]+)\)=$", text, flags=re.M)
    table = text[: text.index(anchors[0] + ")=")]
    assert re.findall(r"\]\(#([\w-]+)\)", table) == anchors
