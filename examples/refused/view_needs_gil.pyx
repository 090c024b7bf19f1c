"""What a view cannot do without the GIL: become an object, be copied, be made of memory."""


cdef object returned(double[:] a):
    with nogil:
        return a


cdef void copied(double[:] a):
    cdef double[:] b
    with nogil:
        b = a.copy()


cdef void made(double *p, Py_ssize_t n):
    cdef double[:] b
    with nogil:
        b = <double[:n]> p


cdef void made_of_array():
    cdef double[3] c
    cdef double[:] b
    with nogil:
        b = c


cdef void asked(double[:] a):
    cdef Py_ssize_t n
    with nogil:
        n = a.size
