"""An element of a view and of an object."""


cdef double of_view(double[:] a, Py_ssize_t i):
    return a[i]


cdef double of_object(a, Py_ssize_t i):
    return a[i]
