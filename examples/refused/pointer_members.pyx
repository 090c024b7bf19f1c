"""The buffer protocol has no format for pointers, so neither has a view."""


cdef struct Item:
    double score
    void *following


def score(Item[:] items):
    return items[0].score
