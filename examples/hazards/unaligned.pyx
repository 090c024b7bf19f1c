"""Records at addresses that their type does not allow.

Do not import this into a process that you need.
"""


cdef struct Interval:
    long double low
    long double high


def copy_first(Interval[:] a, Interval[:] out):
    out[0] = a[0]


def copy_first_aligned(Interval[:] a, Interval[:] out):
    if <size_t> &a[0] % sizeof(long double) or <size_t> &out[0] % sizeof(long double):
        raise ValueError("the address of the records is not aligned")
    out[0] = a[0]
