"""Casts that make no view of memory of C."""


def of_pointer(double *p, float *q, object o):
    cdef double[:] a
    cdef double[:, :] b
    cdef double[6] c
    a = p
    a = 3.0
    a = <double[:]> p
    a = <double[:3]> q
    a = <double[:3]> o
    a = <double[1:3]> p
    a = <double[:3:2]> p
    a = <double[:3:"1"]> p
    b = <double[:, :]> c
