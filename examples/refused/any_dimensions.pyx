"""The number of dimensions is part of the type of a view."""


def total(double[...] a):
    return a.shape[0]
