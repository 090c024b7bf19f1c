"""What happens to an IndexError in functions that cannot raise, and in those that can."""


cdef double silent(double[:] a, Py_ssize_t i) noexcept nogil:
    return a[i]


cdef double raising(double[:] a, Py_ssize_t i) except? -1 nogil:
    return a[i]


def item_silent(double[:] a, Py_ssize_t i):
    return silent(a, i)


def item_raising(double[:] a, Py_ssize_t i):
    return raising(a, i)
