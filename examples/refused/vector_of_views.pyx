# distutils: language = c++
"""A C++ container does not count references, so it cannot hold views."""

from libcpp.vector cimport vector


def rows():
    cdef vector[double[:]] views
