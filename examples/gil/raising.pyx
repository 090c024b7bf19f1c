"""Exceptions in ``nogil`` functions: which ones the caller sees, by what the function declares."""


cdef double item_swallowed(double[:] a, Py_ssize_t i) noexcept nogil:
    return a[i]


cdef double item_raised(double[:] a, Py_ssize_t i) except? -1 nogil:
    return a[i]


cdef double item_undeclared(double[:] a, Py_ssize_t i) nogil:
    return a[i]


cdef void store_star(double[:] a, Py_ssize_t i) except * nogil:
    a[i] = i


cdef int store_reported(double[:] a, Py_ssize_t i) except -1 nogil:
    a[i] = i
    return 0


def swallowed(double[:] a, Py_ssize_t i):
    cdef double x
    with nogil:
        x = item_swallowed(a, i)
    return x


def raised(double[:] a, Py_ssize_t i):
    cdef double x
    with nogil:
        x = item_raised(a, i)
    return x


def undeclared(double[:] a, Py_ssize_t i):
    cdef double x
    with nogil:
        x = item_undeclared(a, i)
    return x


def fill_star(double[:] a, Py_ssize_t n):
    cdef Py_ssize_t i
    with nogil:
        for i in range(n):
            store_star(a, i)


def fill_reported(double[:] a, Py_ssize_t n):
    cdef Py_ssize_t i
    with nogil:
        for i in range(n):
            store_reported(a, i)
