"""One array, many layouts: what ``double[:, :]``, ``double[:, ::1]`` and ``double[::1, :]`` take.

The first three functions differ in the declared layout and in nothing else. ``where`` returns
members of the struct, and the functions at the end show what ``::1`` does not promise.
"""

cimport cython


@cython.boundscheck(False)
@cython.wraparound(False)
def any_layout(double[:, :] a, Py_ssize_t i, Py_ssize_t j):
    cdef double x = a[i, j]
    return x


@cython.boundscheck(False)
@cython.wraparound(False)
def c_order(double[:, ::1] a, Py_ssize_t i, Py_ssize_t j):
    cdef double x = a[i, j]
    return x


@cython.boundscheck(False)
@cython.wraparound(False)
def fortran_order(double[::1, :] a, Py_ssize_t i, Py_ssize_t j):
    cdef double x = a[i, j]
    return x


def read_only(const double[:, :] a, Py_ssize_t i, Py_ssize_t j):
    cdef double x = a[i, j]
    return x


def where(const double[:, :] a):
    """Return the address of the first element, the shape and the strides of a view."""
    return <size_t> &a[0, 0], (a.shape[0], a.shape[1]), (a.strides[0], a.strides[1])


def as_object(double[:, :] a):
    """Return the view as a Python object, which exports the same memory."""
    return a


def transposed(double[:, ::1] a):
    """Return a transposed view, whose type is that of Fortran order."""
    cdef double[::1, :] b = a.T
    return b


@cython.boundscheck(False)
@cython.wraparound(False)
def sum_by_rows(double[:, :] a):
    cdef double total = 0
    cdef Py_ssize_t i, j
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            total += a[i, j]
    return total


cdef double sum_by_index(double[:, ::1] a):
    cdef double total = 0
    cdef Py_ssize_t i, j
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            total += a[i, j]
    return total


cdef double sum_by_pointer(double[:, ::1] a):
    """Sum as many elements as ``a`` has, from its first one on, as a C library would."""
    cdef double total = 0
    cdef double *p = &a[0, 0]
    cdef Py_ssize_t k
    for k in range(a.shape[0] * a.shape[1]):
        total += p[k]
    return total


def sums_of_block(double[:, ::1] a):
    """Sum a block of ``a`` in two ways and tell whether it is contiguous."""
    cdef double[:, ::1] block = a[1:3, 1:3]
    return sum_by_index(block), sum_by_pointer(block), block.is_c_contig()


def sums_of_copied_block(double[:, ::1] a):
    """The same, of a copy of the block."""
    cdef double[:, ::1] block = a[1:3, 1:3].copy()
    return sum_by_index(block), sum_by_pointer(block), block.is_c_contig()


def sums_of_checked_block(double[:, ::1] a):
    """The same, but the block goes through a Python object, so that it is acquired again."""
    cdef object checked = a[1:3, 1:3]
    cdef double[:, ::1] block = checked
    return sum_by_index(block), sum_by_pointer(block), block.is_c_contig()
