"""Indices that no view takes."""


def items(double[:] a, int[:] chosen):
    a[0, 1]
    a[1.5]
    a[chosen]


def new_axes(double[:] a):
    return a[None, None, None, None, None, None, None, :]


def filled(double[:] a):
    a[:] = [1, 2]


def in_const(const double[:] a):
    a[0] = 1


def reshaped(double[:] a):
    a.shape = 3


def no_default(double[:] a not None = None):
    return a[0]
