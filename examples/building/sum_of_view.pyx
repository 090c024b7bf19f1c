"""The sum of some doubles, typed as a memoryview: nothing here comes from NumPy."""


def total(const double[:] a):
    cdef double result = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        result += a[i]
    return result
