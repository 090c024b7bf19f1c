cdef double first_of_view(double[::1] row)
cdef double first_of_pointer(double *row, Py_ssize_t n)
