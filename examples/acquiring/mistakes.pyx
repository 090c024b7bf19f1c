"""Four functions that compile, each with a mistake that raises when the function runs."""

from numpy cimport ndarray


def of_pointer(size_t address):
    """Make a view of memory at an address, which may be zero."""
    cdef double[:] a = <double[:3]> <double *> address
    return a.shape[0]


cdef double[:] chosen(double[:] a, bint found):
    if found:
        return a


def choose(double[:] a, bint found):
    """Call a function that returns no view if nothing was found."""
    return chosen(a, found)[0]


def first_of_slice(double[:, :] a, Py_ssize_t row, Py_ssize_t step):
    """Return the first element of a row and of a slice of it."""
    cdef double[:] values = a[row, :]
    return values[::step][0]


def replaced(ndarray[double] a, b):
    """Assign another array to a buffer variable, of which the old array became read-only."""
    a[0] = 1
    a.flags.writeable = False
    a = b
    return a[0]
