"""One function for each element type: which arrays does it take, and what does it say of others?

The functions differ in the declared element type and in nothing else, and return the length. The
types of ``pair`` and ``aligned_pair`` are structs of the same two fields, without and with padding.
"""

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef packed struct Pair:
    int32_t key
    double value

cdef struct AlignedPair:
    int32_t key
    double value

ctypedef fused number:
    int32_t
    double


def as_double(double[:] a):
    return a.shape[0]


def as_float(float[:] a):
    return a.shape[0]


def as_double_complex(double complex[:] a):
    return a.shape[0]


def as_int8_t(int8_t[:] a):
    return a.shape[0]


def as_int16_t(int16_t[:] a):
    return a.shape[0]


def as_int32_t(int32_t[:] a):
    return a.shape[0]


def as_int64_t(int64_t[:] a):
    return a.shape[0]


def as_uint8_t(uint8_t[:] a):
    return a.shape[0]


def as_uint16_t(uint16_t[:] a):
    return a.shape[0]


def as_uint32_t(uint32_t[:] a):
    return a.shape[0]


def as_uint64_t(uint64_t[:] a):
    return a.shape[0]


def as_int(int[:] a):
    return a.shape[0]


def as_long(long[:] a):
    return a.shape[0]


def as_Py_ssize_t(Py_ssize_t[:] a):
    return a.shape[0]


def as_bint(bint[:] a):
    return a.shape[0]


def as_char(char[:] a):
    return a.shape[0]


def as_const_char(const char[:] a):
    return a.shape[0]


def as_const_unsigned_char(const unsigned char[:] a):
    return a.shape[0]


def as_object(object[:] a):
    return a.shape[0]


def as_pair(Pair[:] a):
    return a.shape[0]


def as_aligned_pair(AlignedPair[:] a):
    return a.shape[0]


def as_number(number[:] a):
    return a.shape[0]


def as_two_numbers(number[:] a, number[:] b):
    return a.shape[0]


def address_of_first(double[:] a):
    """Return the address of the first element, as it is passed to C functions."""
    return <size_t> &a[0]


def address_or_null(double[:] a):
    """The same for a view that may be empty."""
    return <size_t> (&a[0] if a.shape[0] else NULL)


def copied(double[:] a):
    """Return the length of a copy, which is contiguous whatever the view is."""
    cdef double[::1] b = a.copy()
    return b.shape[0]
