"""What can be done with a view: lengths, loops, turning, copying, and what has to be a loop."""

import numpy


def lengths(double[:, :] a):
    """Return what a view of two dimensions knows of its size."""
    return len(a), a.shape[0], a.shape[1], a.ndim, a.size, a.nbytes, a.itemsize


cdef Py_ssize_t length_without_gil(double[:] a) noexcept nogil:
    return len(a)


def length(double[:] a):
    return length_without_gil(a)


def shapes_differ(double[:, :] a, double[:, :] b):
    return (a.shape[0], a.shape[1]) != (b.shape[0], b.shape[1])


def total(double[:] a):
    """Add up a loop over the elements."""
    cdef double x, result = 0
    for x in a:
        result += x
    return result


def total_of_rows(double[:, :] a):
    """Loop over the rows, each of which is a view."""
    cdef double[:] row
    cdef double x, result = 0
    for row in a:
        for x in row:
            result += x
    return result


def reversed_view(double[:] a):
    return a[::-1]


def turned(double[:, :] a):
    """Return the transposed view, of the same memory."""
    return a.T


def turned_c(double[:, ::1] a):
    """Turn a C-contiguous view, which makes it Fortran-contiguous."""
    cdef double[::1, :] b = a.T
    return b


def with_axes(double[:] a):
    """Return the view as a column, and as a row."""
    return a[:, None], a[None, :]


def last(double[:, :, :] a):
    return a[..., 0]


def copies(double[:, :] a):
    """Return a copy in C order and one in Fortran order, however the view lies."""
    return a.copy(), a.copy_fortran()


def contiguous(double[:, :] a):
    """Tell whether the view lies as in C, and as in Fortran."""
    return a.is_c_contig(), a.is_f_contig()


def from_list(values):
    """Make a view of the numbers of a list, by way of an array that is made of them."""
    cdef double[:] a = numpy.array(values, dtype=numpy.float64)
    return a


def as_list(double[:] a):
    return [x for x in a]


def made_here(Py_ssize_t n):
    """Return new memory as an array, having filled it through a view."""
    result = numpy.empty(n)
    cdef double[::1] a = result
    cdef Py_ssize_t i
    for i in range(n):
        a[i] = i * i
    return result


cdef double[:] shared = None


def remember(double[:] a):
    """Keep a view in a variable of the module, which began as None."""
    global shared
    shared = a


def remembered():
    return None if shared is None else shared[0]


def doubled_all(a):
    """Double the elements of a contiguous array of any number of dimensions."""
    cdef double[::1] flat = a.reshape(-1, copy=False)
    for i in range(flat.shape[0]):
        flat[i] *= 2


def is_same(double[:] a, double[:] b):
    """Compare element by element."""
    if a.shape[0] != b.shape[0]:
        return False
    for i in range(a.shape[0]):
        if a[i] != b[i]:
            return False
    return True


def size(double[:] a):
    return a.size
