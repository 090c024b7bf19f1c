"""The same work with the two types for arrays that Cython has: buffers and memoryviews.

``np.ndarray[double]`` is the older one. The functions come in pairs that differ in the type of
their argument and in nothing else.
"""

cimport cython
cimport numpy as cnp


def buffer_item(cnp.ndarray[double, ndim=1] a, Py_ssize_t i):
    cdef double x = a[i]
    return x


def view_item(double[:] a, Py_ssize_t i):
    cdef double x = a[i]
    return x


def buffer_item_2d(cnp.ndarray[double, ndim=2] a, Py_ssize_t i, Py_ssize_t j):
    cdef double x = a[i, j]
    return x


def view_item_2d(double[:, :] a, Py_ssize_t i, Py_ssize_t j):
    cdef double x = a[i, j]
    return x


def buffer_slices(cnp.ndarray[double, ndim=1] a):
    cdef cnp.ndarray[double, ndim=1] rest
    cdef double total = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        rest = a[i:]
        total += rest[0]
    return total


def view_slices(double[:] a):
    cdef double[:] rest
    cdef double total = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        rest = a[i:]
        total += rest[0]
    return total


cdef double first_of_buffer(cnp.ndarray[double, ndim=1] a):
    return a[0]


cdef double first_of_view(double[:] a):
    return a[0]


def buffer_passed(cnp.ndarray[double, ndim=1] a, Py_ssize_t count):
    cdef double total = 0
    for _ in range(count):
        total += first_of_buffer(a)
    return total


def view_passed(double[:] a, Py_ssize_t count):
    cdef double total = 0
    for _ in range(count):
        total += first_of_view(a)
    return total


def buffer_set_up(a):
    cdef cnp.ndarray[double, ndim=1] x = a
    return x.shape[0]


def view_set_up(a):
    cdef double[:] x = a
    return x.shape[0]


def buffer_store(cnp.ndarray[double, ndim=1] a, double value):
    a[0] = value


def buffer_whole(cnp.ndarray[double, ndim=1] a):
    return a + 1.0


@cython.boundscheck(False)
@cython.wraparound(False)
def buffer_axpy(
    cnp.ndarray[double, ndim=1] x,
    cnp.ndarray[double, ndim=1] y,
    double factor,
    Py_ssize_t passes=1,
):
    cdef Py_ssize_t i
    for _ in range(passes):
        for i in range(x.shape[0]):
            y[i] += factor * x[i]


@cython.boundscheck(False)
@cython.wraparound(False)
def view_axpy(double[:] x, double[:] y, double factor, Py_ssize_t passes=1):
    cdef Py_ssize_t i
    for _ in range(passes):
        for i in range(x.shape[0]):
            y[i] += factor * x[i]


@cython.boundscheck(False)
@cython.wraparound(False)
def contiguous_buffer_axpy(
    cnp.ndarray[double, ndim=1, mode="c"] x,
    cnp.ndarray[double, ndim=1, mode="c"] y,
    double factor,
    Py_ssize_t passes=1,
):
    cdef Py_ssize_t i
    for _ in range(passes):
        for i in range(x.shape[0]):
            y[i] += factor * x[i]


@cython.boundscheck(False)
@cython.wraparound(False)
def contiguous_view_axpy(double[::1] x, double[::1] y, double factor, Py_ssize_t passes=1):
    cdef Py_ssize_t i
    for _ in range(passes):
        for i in range(x.shape[0]):
            y[i] += factor * x[i]


cdef class Holder:
    """A view can be an attribute."""

    cdef double[:] data

    def __init__(self, data):
        self.data = data

    def item(self, Py_ssize_t i):
        return self.data[i]

    def as_object(self):
        return self.data


cdef double second(double[:] a) noexcept nogil:
    return a[1]


def without_gil(double[:] a):
    """Take a slice of a view and pass it on while other threads may run Python."""
    cdef double x
    with nogil:
        x = second(a[1:])
    return x


def buffer_item_without_gil(cnp.ndarray[double, ndim=1] a, Py_ssize_t i):
    """Read and write an element of a buffer while other threads may run Python."""
    cdef double x
    with nogil:
        x = a[i]
        a[i] = x
    return x


def buffer_length_without_gil(cnp.ndarray[double, ndim=1] a):
    cdef Py_ssize_t n
    with nogil:
        n = a.shape[0]
    return n


def view_in_generator(x):
    cdef double[:] a = x
    yield a[0]


def view_in_closure(double[:] a):
    def inner():
        return a[0]
    return inner
