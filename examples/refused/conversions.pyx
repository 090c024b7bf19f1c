"""From view to view nothing is converted: not the layout, not the type, not ``const``."""


def made_contiguous(double[:] a):
    cdef double[::1] b = a
    return b


def made_double(float[:] a):
    cdef double[:] b = a
    return b


def made_writable(const double[:] a):
    cdef double[:] b = a
    return b
