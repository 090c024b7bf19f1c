"""``::1`` is checked when a view is made of an object, and not when one is made of a view.

``negate`` works on as many numbers as it is told, one behind the other, as a C library would.
"""


cdef void negate(double *p, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        p[i] = -p[i]


def negate_block(double[:, ::1] a):
    cdef double[:, ::1] block = a[1:3, 1:3]
    negate(&block[0, 0], block.shape[0] * block.shape[1])


def negate_checked_block(double[:, ::1] a):
    cdef object checked = a[1:3, 1:3]
    cdef double[:, ::1] block = checked
    negate(&block[0, 0], block.shape[0] * block.shape[1])


def negate_any(double[:] a):
    negate(&a[0], a.shape[0])


def negate_contiguous(double[::1] a):
    negate(&a[0], a.shape[0])
