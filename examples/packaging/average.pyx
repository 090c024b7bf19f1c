"""A first module: the mean of what lies in a buffer of doubles."""


def mean(const double[:] values):
    """Return the mean of the values in any one-dimensional buffer of doubles."""
    cdef double total = 0
    cdef Py_ssize_t i
    for i in range(values.shape[0]):
        total += values[i]
    return total / values.shape[0]
