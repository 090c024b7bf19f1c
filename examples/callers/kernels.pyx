"""C functions for other modules, which find their declarations in ``kernels.pxd``."""


cdef double first_of_view(double[::1] row):
    return row[0]


cdef double first_of_pointer(double *row, Py_ssize_t n):
    if n < 1:
        raise IndexError("empty row")
    return row[0]
