"""Python has no pointer to hand to a ``cpdef`` function."""


cpdef double total(double *a, Py_ssize_t n):
    cdef double result = 0
    cdef Py_ssize_t i
    for i in range(n):
        result += a[i]
    return result
