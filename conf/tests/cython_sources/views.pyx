# cython: language_level=3
"""One function for each thing that can be done with a view, a buffer or a pointer.

The tests read the C of every line; nothing here is compiled by a C compiler or run.
"""

cimport cython
cimport numpy as cnp
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cython cimport view
from cython.parallel import parallel, prange
from libc.math cimport sqrt
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

import numpy as np

cdef packed struct Record:
    int number
    double value

ctypedef struct Point:
    double x
    double y

ctypedef fused number:
    int
    double
    float complex

cdef double[:] kept
cdef double total_of_all = 0


def item(double[:] a, Py_ssize_t i):
    return a[i]


def items(double[:, :] a, Py_ssize_t i, Py_ssize_t j):
    a[i, j] = a[j, i] + 1
    a[i, j] += a[-1, 0]
    a[i, j] *= 2
    return a[i][j]


@cython.boundscheck(False)
@cython.wraparound(False)
def unchecked(double[:, ::1] a, Py_ssize_t i, Py_ssize_t j):
    a[i, j] = a[j, i]
    a[i, j] //= 3
    return a[i, j]


@cython.cdivision(True)
def divided(int[::1] a, int[::1] b, int i):
    a[i] //= b[i]
    a[i] %= b[i]
    a[i] <<= 2
    a[i] |= b[i] & 3
    a[i] ^= ~b[i]


def divided_as_python(int[::1] a, double[::1] b, int i):
    b[i] /= b[0]
    b[i] = b[i] ** 2 // b[1] % 3
    a[i] = a[i] // a[0] % a[1]
    return a[i] / a[1]


def objects(object[:] a, Py_ssize_t i, value):
    a[i] = value
    a[i] = a[i] + 1
    return a[i].name


def strings(object[:, :] a):
    a[:] = None
    a[0] = "text"
    return a[0, 0]


def records(Record[:] a, Py_ssize_t i):
    a[i].value = a[i].number
    a[0] = a[i]
    a[i].number += 1
    return a[i]


def pointer_to(double[:] a, double[:, ::1] b):
    cdef double *p = &a[0]
    cdef double *q = &b[1, 0]
    p[0] = q[1]
    return p[0] + (p + 1)[0] + (<double *> q)[2]


def indirect(double[::view.indirect, :] a, Py_ssize_t i, Py_ssize_t j):
    a[i, j] = 1
    return a[i, j]


def indirect_rows(double[::view.indirect, ::1] a):
    cdef double[:] row = a[0]
    return row[0] + a[1][2]


def generic_mode(double[::view.generic, ::view.generic] a):
    return a[0, 0]


def complex_items(double complex[:] a, float complex[:] b, Py_ssize_t i):
    a[i] = a[i] * 2j + b[i]
    a[i] = a[i].conjugate() / a[0]
    return a[i].real, b[i].imag, abs(a[i]), a[i] ** 2, a[i] == a[0]


def booleans(cnp.uint8_t[:] a, bint[:] b, Py_ssize_t i):
    b[i] = a[i] > 3
    return not b[i]


def characters(char[:] a, const char[:] b, unsigned char[:] c, Py_ssize_t i):
    a[i] = b[i] + c[i]
    a[0] = b'x'
    return chr(c[i])


def wide(long long[:] a, unsigned long[:] b, size_t[:] c, Py_ssize_t[:] d, long double[:] e):
    a[0] = b[0]
    c[0] = d[0]
    e[0] = a[0]
    return a[0], b[0], c[0], d[0], e[0]


def slices(double[:] a, Py_ssize_t i, start, stop):
    cdef double[:] b = a[1:]
    b = a[:-1]
    b = a[::2]
    b = a[::-1]
    b = a[i:i + 3]
    b = a[start:stop:2]
    b = a[...]
    return b


def slices_of_two(double[:, :] a, Py_ssize_t i):
    cdef double[:] row = a[i]
    cdef double[:] column = a[:, i]
    cdef double[:, :] part = a[1:, ::2]
    cdef double[:, :] more = a[None, 0]
    cdef double[:, :] turned = a.T
    row = a[i, ...]
    return row, column, part, more, turned


def copies(double[:, :] a):
    cdef double[:, ::1] c = a.copy()
    cdef double[::1, :] f = a.copy_fortran()
    cdef double[:, :] b = c
    return c, f, b, a.is_c_contig(), a.is_f_contig()


def fields(double[:, :] a):
    return (
        a.shape[0], a.strides[1], a.suboffsets[0], a.size, a.nbytes, a.ndim, a.itemsize, len(a),
        a.base, a.shape,
    )


def fill(double[:] a, double[:, ::1] b, double value):
    a[:] = value
    a[1:3] = 0
    b[...] = value
    b[0] = value + 1
    b[:, 0] = 2 * value


def fill_from_object(double[:] a, int[:, :] b, object[:] c, value):
    a[:] = value
    b[:] = value
    c[:] = value


def fill_struct(Record[:] a, Record value, double complex[:] c, double complex z):
    a[:] = value
    c[:] = z


def copy_into(double[:] a, double[:] b, double[:, :] c, object[:] d, object[:] e):
    a[:] = b
    a[1:] = b[:-1]
    c[0, :] = a
    c[:] = a
    d[:] = e


def swap(double[:, :] a):
    a[0], a[1] = a[1], a[0]
    a[0, 0], a[0, 1] = a[0, 1], a[0, 0]


def loop(double[:] a):
    cdef double total = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        total += a[i]
    for i in range(a.shape[0] - 1, -1, -1):
        total -= a[i]
    for x in a:
        total += x
    for x in a[::2]:
        total += x
    for i, x in enumerate(a):
        total += i * x
    return total


def without_gil(double[:] a):
    cdef double total = 0
    cdef Py_ssize_t i
    with nogil:
        for i in range(a.shape[0]):
            total += sqrt(a[i])
            if total < 0:
                with gil:
                    raise ValueError(total)
    return total


def without_gil_and_back(double[:] a, bint locked):
    cdef double[:] b
    with nogil:
        b = a[1:]
        a[:] = 0
        with gil:
            print(b[0])
        b[:] = a[:-1]


cdef double quick(double[:] a, Py_ssize_t i) noexcept nogil:
    return a[i]


cdef double careful(double[:] a, Py_ssize_t i) except? -1 nogil:
    if i > 3:
        raise ValueError("too far")
    return a[i] + careful(a, i + 1)


cdef void silent(double[:] a) noexcept:
    a[0] = float("1")


cdef int starred(double[:] a) except * nogil:
    return <int> a[0]


def in_parallel(double[:] a, double[:, :] b):
    cdef double total = 0
    cdef Py_ssize_t i, j
    for i in prange(a.shape[0], nogil=True, schedule="static", num_threads=2):
        total += a[i]
        a[i] = quick(a, i)
        b[i, 0] += careful(a, i)
        if a[i] < 0:
            break
    with nogil, parallel():
        for j in prange(3):
            a[j] = 0
    return total


def array_of(Py_ssize_t n):
    cdef view.array made = view.array(shape=(n, n), itemsize=sizeof(double), format="d")
    cdef double[:, :] a = made
    cdef double *memory = <double *> malloc(n * sizeof(double))
    cdef double[:] b = <double[:n]> memory
    memset(memory, 0, 8)
    memcpy(memory, &b[0], 8)
    free(memory)
    cdef double[4] few = [1, 2, 3, 4]
    cdef double[:] c = few
    cdef double[2][3] table
    cdef double[:, ::1] d = table
    table[0][1] = few[3]
    return made, a, b, c, d


def typed_buffer(cnp.ndarray[double, ndim=2] a, cnp.ndarray[object, ndim=1] b, Py_ssize_t i):
    a[i, 0] = a[0, i]
    b[i] = a[i, i]
    a[i, i] += 1
    b[0] = b[i]
    a[0] = 3
    return a[i], a.shape[0], a.ndim, b[i]


@cython.boundscheck(False)
@cython.wraparound(False)
def typed_buffer_unchecked(cnp.ndarray[double, ndim=2, mode="c"] a not None, unsigned int i):
    a[i, 0] = a[0, i]
    cdef cnp.ndarray[double, ndim=2] other = a.T
    other = np.zeros((2, 2))
    return a[i, i] + other[0, 0]


def untyped(a, Py_ssize_t i, j, int k):
    a[i] = a[j]
    a[i, j] = a[k, 0]
    a[0] += a["key"]
    a[1:2] = a[i:]
    del a[i]
    del a[j]
    del a[1:2]
    return a[i:j, ...]


def sequences(list a, tuple b, dict c, bytes d, str e, bytearray f, Py_ssize_t i):
    a[i] = b[i]
    c[i] = c["x"]
    a[0] = d[i]
    f[i] = 3
    return e[i], f[i], d[1:], e[:3], a[1:], b[:2]


def fused_item(number[:] a, Py_ssize_t i):
    if number is int:
        return a[i] + 1
    return a[i]


def fused_sum(number[:, :] a, number scale):
    cdef number total = 0
    for i in range(a.shape[0]):
        total = total + a[i, 0] * scale
    a[:] = scale
    return total


def none_and_unassigned(double[:] a, double[:] b=None):
    cdef double[:] c
    if b is None:
        b = a
    if a is not None and a[0] > 0:
        c = a
    return c[0], b[0]


@cython.nonecheck(True)
def checked_for_none(double[:] a, Record[:] b):
    return a[0], a[1:]


@cython.initializedcheck(False)
def not_initialized(int n):
    cdef double[:] a
    if n:
        a = np.zeros(n)
    return a[0]


def module_level(double[:] a):
    global kept, total_of_all
    kept = a
    total_of_all += kept[0]
    kept[:] = 0
    return kept


cdef class Holder:
    cdef double[:] a
    cdef public double[:, ::1] b
    cdef readonly Record record
    cdef double *p
    cdef object o
    cdef int[3] few

    def __cinit__(self, double[:] a, n):
        self.a = a
        self.b = np.zeros((n, n))
        self.o = a
        self.few[0] = n

    def __getitem__(self, Py_ssize_t i):
        return self.a[i] + self.b[i, 0] + self.few[i]

    def __setitem__(self, Py_ssize_t i, double value):
        self.a[i] = value
        self.b[i, 0] += value
        self.p[i] = value
        self.record.value = value

    cdef double total(self) except -1:
        cdef double result = 0
        cdef Py_ssize_t i
        for i in range(self.a.shape[0]):
            result += self.a[i]
        return result

    def sum(self):
        with nogil:
            self.a[:] = 0
        return self.total()

    @property
    def first(self):
        return self.a[0]

    @first.setter
    def first(self, double value):
        self.a[0] = value

    def __dealloc__(self):
        free(self.p)


cdef class Exporter:
    cdef Py_ssize_t shape[1]
    cdef Py_ssize_t strides[1]
    cdef double values[3]

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        buffer.buf = self.values
        buffer.obj = self
        buffer.shape = self.shape
        buffer.strides = self.strides
        buffer.format = "d"

    def __releasebuffer__(self, Py_buffer *buffer):
        pass


def by_hand(a):
    cdef Py_buffer buffer
    PyObject_GetBuffer(a, &buffer, PyBUF_SIMPLE)
    try:
        return (<double *> buffer.buf)[0] + (<char *> buffer.buf)[buffer.len - 1]
    finally:
        PyBuffer_Release(&buffer)


cdef points(Point[:] a, Point p, Point *q):
    p.x = a[0].y
    q.x = q[1].y
    a[0] = p
    a[1] = Point(1, 2)
    return p, q[0]


cdef pointer_rows(double **rows, int *n, int i, int j):
    rows[i][j] = rows[j][i] + rows[0][0]
    rows[i] = rows[j]
    n[0] += 1
    return rows[i][j]


def in_closure(double[:] a):
    def inner(Py_ssize_t i):
        a[i] += 1
        return a[i]
    return inner


def in_generator(double[:] a):
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        yield a[i]
    a[:] = 0


def in_generator_expression(double[:] a):
    return sum(a[i] for i in range(3)), [x for x in a], {i: a[i] for i in range(2)}


async def in_coroutine(double[:] a, awaited):
    a[0] = await awaited
    async with awaited as b:
        a[1] = b
    async for c in awaited:
        a[2] = c


def as_arguments(double[:] a, *rest, **named):
    print(a, *rest, **named)
    return in_closure(a)(0), np.asarray(a), memoryview(a)


def deleted(double[:] a):
    del a


def compared(double[:] a, double[:] b):
    return a is b, a[0] < b[0] <= a[1], a == b, max(a[0], b[0]), min(a), sorted(a), a[0] in a


def with_offset(double[:] a, Py_ssize_t n):
    cdef Py_ssize_t i = n - 1
    while i > 0 and a[i] != 0:
        i -= 1
    else:
        i = 0
    return a[i] if i else a[i + 1]


def switched(int[:] a, int i):
    if a[i] == 1:
        return "one"
    elif a[i] == 2 or i == 3:
        return "two"
    elif i in (4, 5):
        return "more"
    else:
        return None
