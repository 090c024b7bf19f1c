# distutils: language = c++
"""A C++ container does not count references."""

from libcpp.vector cimport vector


def count():
    cdef vector[double[:]] views
    return views.size()
