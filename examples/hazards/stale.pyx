"""Pointers and views that outlive their memory.

``lend`` makes an object whose memory is never really freed. Instead it is filled with -1, so that
a read after the end of its life shows as a number.
"""

from cython cimport view

cdef double memory[3]


cdef void fill(void *data) noexcept:
    cdef Py_ssize_t i
    for i in range(3):
        (<double *> data)[i] = -1


def lend():
    """Return an object that exports three numbers, and fills them with -1 when it goes."""
    cdef view.array owner = <double[:3]> memory
    owner.callback_free_data = fill
    memory[:] = [1, 2, 3]
    return owner


def by_pointer():
    """The view is dropped, and with it the memory; the pointer is still there."""
    cdef double[::1] a = lend()
    cdef double *p = &a[0]
    a = None
    return p[0]


def by_pointer_kept():
    """The same, with a second view that keeps the memory."""
    cdef double[::1] a = lend()
    cdef double[::1] keeper = a
    cdef double *p = &keeper[0]
    a = None
    return p[0]


def by_wrong_length():
    """The view is longer than the memory."""
    cdef double numbers[6]
    numbers[:] = [1, 2, 3, 4, 5, 6]
    cdef double *first_three = numbers
    cdef double[:] a = <double[:4]> first_three
    return a[3]


def item(double[:] a, Py_ssize_t i):
    return a[i]


cdef class Item:
    """A view that is kept."""
    cdef double[:] view

    def __cinit__(self, owner):
        self.view = owner

    def read(self, Py_ssize_t i):
        return self.view[i]
