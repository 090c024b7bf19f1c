"""Records of an array, read through a struct: what is checked when the view is acquired.

The number of fields is not always checked. An array with more fields than the struct may end the
process, so such arrays belong into a process of their own.
"""

from libc.stdint cimport int32_t


cdef packed struct Pair:
    int32_t first
    double second


def acquire_pairs(arr):
    cdef Pair[:] mv = arr
    return mv.shape[0]
