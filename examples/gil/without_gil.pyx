"""What can be done with views while the GIL is released.

Passing, slicing, assigning and indexing views, in functions and blocks marked ``nogil``.
"""

from libc.math cimport sin


cdef double first(double[:] a) noexcept nogil:
    return a[0]


def pass_slice_assign(double[:, :] a, Py_ssize_t i):
    cdef double[:] row
    cdef double[:] part
    cdef double x
    with nogil:
        row = a[i]
        part = row[::2]
        row = part
        x = first(row)
    return x


def item(double[:] a, Py_ssize_t i):
    """An index out of range raises here too: the GIL is taken to do so."""
    cdef double x
    with nogil:
        x = a[i]
    return x


def from_object(x):
    """A view of an object needs the GIL, and ``with gil`` takes it."""
    cdef double[:] a
    cdef double y
    with nogil:
        with gil:
            a = x
        y = a[0]
    return y


cdef double work(double[:] a) noexcept nogil:
    cdef double total = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        total += sin(a[i])
    return total


def work_holding(double[:] a):
    cdef double total
    total = work(a)
    return total


def work_releasing(double[:] a):
    cdef double total
    with nogil:
        total = work(a)
    return total
