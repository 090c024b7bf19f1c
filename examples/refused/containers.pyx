"""A view cannot lie in a struct or in a C array: it holds a reference, which somebody must count."""


cdef struct Named:
    int key
    double[:] values


def array_of_views():
    cdef double[:] views[3]
