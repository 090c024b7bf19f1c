"""A buffer cannot be a variable of the module."""

cimport numpy as cnp

cdef cnp.ndarray[double, ndim=1] at_module_level
