"""What an indirect view cannot do: each of these is written for elements in one block."""

from cython cimport view


def transposed(int[::view.indirect, ::1] a):
    return a.T


def copied(int[::view.indirect, ::1] a):
    return a.copy()


def made_direct(int[::view.indirect, ::1] a):
    cdef int[:, ::1] b = a
    return b


cdef cast(int **table):
    return <int[:3, :4]> table
