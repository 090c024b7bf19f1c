"""A view of an object, made while the GIL is released: it compiles, and it crashes.

Do not import this into a process that you need.
"""


def crash(x):
    cdef double[:] a
    with nogil:
        a = x
    return a[0]
