"""A view of memory that C code gives as a pointer.

Most functions use a C array that lives as long as the process does, so there is nothing to free.
"""

from libc.stddef cimport size_t

cdef extern from *:
    """
    static double readings[6] = {1, 2, 3, 4, 5, 6};
    static double *get_readings(size_t *count) { *count = 6; return readings; }
    """
    double *get_readings(size_t *count) noexcept nogil


cdef double total(double[::1] a) noexcept nogil:
    cdef double result = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        result += a[i]
    return result


def total_of_readings():
    cdef size_t n
    cdef double *p = get_readings(&n)
    cdef double[::1] a = <double[:n]> p
    return total(a)


def readings():
    """Return the view, which Python gets as an object."""
    cdef size_t n
    cdef double *p = get_readings(&n)
    return <double[:n]> p


def table_of_readings(Py_ssize_t rows, Py_ssize_t columns):
    cdef size_t n
    cdef double *p = get_readings(&n)
    if rows < 1 or columns < 1 or rows * columns > <Py_ssize_t> n:
        raise ValueError(f"{rows} x {columns} elements, but there are {n}")
    cdef double[:, ::1] a = <double[:rows, :columns]> p
    return a


def fortran_table_of_readings():
    cdef size_t n
    cdef double *p = get_readings(&n)
    cdef double[::1, :] a = <double[:2:1, :3]> p
    return a


def view_of_address(size_t address, Py_ssize_t n):
    """Return a view of any address; the caller answers for it and for ``n``."""
    cdef double[::1] a = <double[:n]> (<double *> address)
    return a


def total_without_gil():
    cdef size_t n
    cdef double result
    cdef double *p
    cdef double[::1] a
    with nogil:
        p = get_readings(&n)
        with gil:
            a = <double[:n]> p
        result = total(a)
    return result


def firsts_of_views(Py_ssize_t count):
    cdef size_t n
    cdef double *p = get_readings(&n)
    cdef double result = 0
    cdef double[::1] a
    for _ in range(count):
        a = <double[:n]> p
        result += a[0]
    return result


def firsts_of_pointers(Py_ssize_t count):
    cdef size_t n
    cdef double *p
    cdef double result = 0
    for _ in range(count):
        p = get_readings(&n)
        result += p[0]
    return result
