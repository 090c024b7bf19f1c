"""Assigning to a slice of a view: what is copied, what is broadcast, and what is not what it seems.

Each function is one assignment to ``a[:]`` or to parts of it.
"""


def from_value(double[:] a, double value):
    a[:] = value


def from_view(double[:] a, double[:] b):
    a[:] = b


def from_object(double[:] a, b):
    a[:] = b


def from_object_as_view(double[:] a, b):
    cdef double[:] values = b
    a[:] = values


def rows_from_view(double[:, :] a, double[:] b):
    a[:, :] = b


def shifted(double[:] a):
    a[1:] = a[:-1]


def shifted_back(double[:] a):
    a[:-1] = a[1:]


def reversed_in_place(double[:] a):
    a[:] = a[::-1]


def transposed_in_place(double[:, :] a):
    a[:, :] = a.T


def repeated_element(double[:] a):
    a[:] = a[1:2]


def from_table(double[:] a, double[:, :] b):
    a[:] = b


def elements_swapped(double[:] a):
    a[0], a[1] = a[1], a[0]


def into_object(a, b):
    """Assign with the name ``a`` untyped: Python's ``__setitem__`` of ``a`` does it."""
    a[:] = b


def as_object(double[:] a):
    return a


def objects_from_object(object[:] a, b):
    a[:] = b


def swapped(double[:, :] a):
    a[0], a[1] = a[1], a[0]


def swapped_by_copy(double[:, :] a):
    cdef double[:] first = a[0].copy()
    a[0] = a[1]
    a[1] = first


def renamed(double[:] a, double[:] b):
    """Assigning to the name copies no element: ``a`` is now another view of the memory of ``b``."""
    a = b
    a[0] = -1


def by_loop(double[:] a, double[:] b):
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        a[i] = b[i]
