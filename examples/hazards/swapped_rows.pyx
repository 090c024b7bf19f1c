"""A swap with two names on each side works for elements and not for rows."""


def swap_elements(double[:] a):
    a[0], a[1] = a[1], a[0]


def swap_rows(double[:, :] a):
    a[0], a[1] = a[1], a[0]


def swap_rows_copied(double[:, :] a):
    cdef double[:] first = a[0].copy()
    a[0] = a[1]
    a[1] = first
