"""No slice of an indirect view can be assigned to, not even one value to all of it."""

from cython cimport view


def filled(int[::view.indirect, ::1] a):
    a[:, :] = 0
