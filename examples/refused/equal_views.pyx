"""Two structs cannot be compared in C."""


def equal(double[:] a, double[:] b):
    return a == b
