"""One function on anything that exports its memory, and the same function on NumPy arrays only.

An exporter is an object that hands out the address and the shape of its memory through Python's
buffer protocol. ``Countdown`` is one of our own, made with ``__getbuffer__``.
"""

cimport numpy as cnp
from cpython.buffer cimport PyBuffer_FillInfo
from cython cimport view


def total(const unsigned char[:] data):
    cdef long long result = 0
    cdef Py_ssize_t i
    for i in range(data.shape[0]):
        result += data[i]
    return result


def total_of_ndarray(cnp.ndarray[cnp.uint8_t, ndim=1] data):
    cdef long long result = 0
    cdef Py_ssize_t i
    for i in range(data.shape[0]):
        result += data[i]
    return result


def total_writable(unsigned char[:] data):
    """Request writable memory, as every view does whose type is not ``const``."""
    cdef long long result = 0
    cdef Py_ssize_t i
    for i in range(data.shape[0]):
        result += data[i]
    return result


def total_of_chars(const char[:] data):
    cdef long long result = 0
    cdef Py_ssize_t i
    for i in range(data.shape[0]):
        result += data[i]
    return result


def total_of_doubles(const double[:] data):
    cdef double result = 0
    cdef Py_ssize_t i
    for i in range(data.shape[0]):
        result += data[i]
    return result


def acquire_view(exporter):
    cdef const unsigned char[:] data = exporter
    return data.shape[0]


def acquire_ndarray(exporter):
    cdef cnp.ndarray[cnp.uint8_t, ndim=1] data = exporter
    return data.shape[0]


def address(const unsigned char[:] data):
    """Return where the first byte lies."""
    return <size_t> &data[0]


def cython_array():
    """Return memory that Cython itself allocated: an array of the numbers 4, 3, 2 and 1."""
    cdef view.array owner = view.array(shape=(4,), itemsize=1, format="B")
    cdef unsigned char[:] data = owner
    cdef Py_ssize_t i
    for i in range(4):
        data[i] = 4 - i
    return owner


cdef class Countdown:
    """Exports four bytes that lie inside the object itself."""

    cdef unsigned char items[4]

    def __cinit__(self):
        cdef int i
        for i in range(4):
            self.items[i] = 4 - i

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.items, sizeof(self.items), 0, flags)
