"""A row of a contiguous view, passed to a function with a fused type, is not matched."""

ctypedef fused number:
    int
    double


cdef number total(number[:] a):
    return a[0]


def total_of_first_row(number[:, ::1] a):
    return total(a[0])
