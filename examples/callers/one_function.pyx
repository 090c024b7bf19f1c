# cython: always_allow_keywords=False
"""One function for callers in Python and in Cython, and what its arguments may be.

``total`` takes a view; the others do the same work and differ in what they take. Each
``rows_by_…`` calls one of them for each row of a table. The directive for the file keeps the C
that takes arguments from Python short enough to be read.
"""


cpdef double total(double[::1] a):
    cdef double result = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        result += a[i]
    return result


cdef double total_of_pointer(double *a, Py_ssize_t n):
    cdef double result = 0
    cdef Py_ssize_t i
    for i in range(n):
        result += a[i]
    return result


cdef double total_of_object(a):
    cdef double[::1] view = a
    return total(view)


def total_for_python(double[::1] a):
    return total(a)


def rows_by_view(double[:, ::1] table):
    cdef double result = 0
    cdef Py_ssize_t i
    for i in range(table.shape[0]):
        result += total(table[i])
    return result


def rows_by_pointer(double[:, ::1] table):
    cdef double result = 0
    cdef Py_ssize_t i
    for i in range(table.shape[0] if table.shape[1] else 0):
        result += total_of_pointer(&table[i, 0], table.shape[1])
    return result


def rows_by_object(double[:, ::1] table):
    cdef double result = 0
    cdef Py_ssize_t i
    for i in range(table.shape[0]):
        result += total_of_object(table[i])
    return result


def rows_by_python(double[:, ::1] table):
    cdef double result = 0
    cdef Py_ssize_t i
    for i in range(table.shape[0]):
        result += total_for_python(table[i])
    return result


cdef double[::1] without_first(double[::1] a):
    return a[1:]


def total_without_first(double[::1] a):
    cdef double[::1] rest = without_first(a)
    return total(rest)


def total_by_pointer(double[::1] a):
    return total_of_pointer(&a[0], a.shape[0])


def total_by_pointer_or_empty(double[::1] a):
    return total_of_pointer(&a[0] if a.shape[0] else NULL, a.shape[0])
