"""An axis of a view contains a colon; this looks like a C array with dimensions."""


def first(double[:, 3] a):
    return a[0, 0]
