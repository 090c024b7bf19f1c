"""One loop over elements of one byte, with the two types for arrays, both of them contiguous.

The C compiler has to assume that a store of one byte may change any memory whose address is known
elsewhere, such as the struct of a buffer on the stack.
"""

cimport cython
cimport numpy as cnp


@cython.boundscheck(False)
@cython.wraparound(False)
def contiguous_buffer(
    cnp.ndarray[cnp.uint8_t, ndim=1, mode="c"] x,
    cnp.ndarray[cnp.uint8_t, ndim=1, mode="c"] y,
    cnp.uint8_t factor,
    Py_ssize_t passes=1,
):
    cdef Py_ssize_t i
    for _ in range(passes):
        for i in range(x.shape[0]):
            y[i] += factor * x[i]


@cython.boundscheck(False)
@cython.wraparound(False)
def contiguous_view(
    cnp.uint8_t[::1] x, cnp.uint8_t[::1] y, cnp.uint8_t factor, Py_ssize_t passes=1
):
    cdef Py_ssize_t i
    for _ in range(passes):
        for i in range(x.shape[0]):
            y[i] += factor * x[i]
