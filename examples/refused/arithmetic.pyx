"""Views have no arithmetic: they are memory, not numbers."""


def plus(double[:] a, double[:] b):
    return a + b


def doubled(double[:] a):
    a *= 2


def picked(double[:] a, int[:] indices):
    return a[indices]


def is_empty(double[:] a):
    if not a:
        return True
