"""Axes of a view that are not spelled ``:``, ``::1`` or with a name of ``cython.view``."""

from cython cimport view

cdef int one = 1


def start(double[1:] a):
    pass


def stop(double[:3] a):
    pass


def every_other(double[::2] a):
    pass


def text(double[::"1"] a):
    pass


def a_variable(double[::one] a):
    pass


def misspelled(double[::view.contig] a):
    pass


def undeclared(double[::vieww.indirect] a):
    pass


def a_call(double[::view().indirect] a):
    pass


def both_orders(double[::1, ::1] a):
    pass


def in_the_middle(double[:, ::1, :] a):
    pass


def contiguous_in_the_middle(double[:, ::view.contiguous, :] a):
    pass


def contiguous_twice(double[::view.contiguous, ::view.contiguous] a):
    pass


def contiguous_and_fortran(double[::1, ::view.contiguous] a):
    pass


def indirect_and_fortran(double[::1, ::view.indirect] a):
    pass


def eight_dimensions(double[:, :, :, :, :, :, :, :] a):
    pass
