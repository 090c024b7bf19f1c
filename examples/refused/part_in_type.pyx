"""A type of a view names no part of an array."""


def first(double[1:10] a):
    return a[0]
