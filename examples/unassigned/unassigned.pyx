"""Typed memoryviews that nothing was assigned to: an attribute, a local variable, a global.

The functions access the variable whether or not it was assigned, with the check of
``initializedcheck`` and without. The loops at the end are for measuring.
"""

cimport cython

cdef double[:] shared


def from_global(Py_ssize_t i):
    cdef double x = shared[i]
    return x


def from_local(arr, bint assign, Py_ssize_t i):
    cdef double[:] view
    if assign:
        view = arr
    cdef double x = view[i]
    return x


def from_assigned_local(arr, Py_ssize_t i):
    cdef double[:] view = arr
    cdef double x = view[i]
    return x


cdef class Holder:
    """An object with a typed memoryview as attribute."""

    cdef double[:] view

    def assign(self, arr):
        self.view = arr

    def is_none(self):
        return self.view is None

    def from_attribute(self, Py_ssize_t i):
        cdef double x = self.view[i]
        return x

    @cython.initializedcheck(False)
    def without_check(self, Py_ssize_t i):
        cdef double x = self.view[i]
        return x

    @cython.initializedcheck(False)
    @cython.boundscheck(False)
    def without_any_check(self, Py_ssize_t i):
        cdef double x = self.view[i]
        return x

    @cython.initializedcheck(False)
    def length_without_check(self):
        return self.view.shape[0]

    @cython.boundscheck(False)
    @cython.wraparound(False)
    def double_attribute(self, double[::1] out):
        cdef Py_ssize_t i
        for i in range(out.shape[0]):
            out[i] = 2 * self.view[i]

    @cython.initializedcheck(False)
    @cython.boundscheck(False)
    @cython.wraparound(False)
    def double_unchecked(self, double[::1] out):
        cdef Py_ssize_t i
        for i in range(out.shape[0]):
            out[i] = 2 * self.view[i]

    @cython.boundscheck(False)
    @cython.wraparound(False)
    def double_local(self, double[::1] out):
        cdef double[:] view = self.view
        cdef Py_ssize_t i
        for i in range(out.shape[0]):
            out[i] = 2 * view[i]
