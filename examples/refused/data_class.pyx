"""A data class compares its fields, and C cannot compare two structs."""

from cython.dataclasses cimport dataclass


@dataclass
cdef class Series:
    cdef double[:] values
