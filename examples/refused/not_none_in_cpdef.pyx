"""``not None`` is for functions that take their arguments from Python."""


cpdef double first(double[:] a not None):
    return a[0]


cdef double second(double[:] a not None):
    return a[1]
