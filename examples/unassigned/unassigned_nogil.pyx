"""An attribute that nothing was assigned to, used where the GIL is released, and without the check.

``item`` and ``as_object`` end the process for such an object, so call them in a process of their
own.
"""

cimport cython


cdef class Holder:
    """An object with a typed memoryview as attribute."""

    cdef double[:] view

    def assign(self, arr):
        self.view = arr

    def item(self, Py_ssize_t i):
        cdef double x
        with nogil:
            x = self.view[i]
        return x

    def item_of_local(self, Py_ssize_t i):
        """Bind the attribute to a local variable while the GIL is still held."""
        cdef double[:] view = self.view
        cdef double x
        with nogil:
            x = view[i]
        return x

    @cython.initializedcheck(False)
    def as_object(self):
        return self.view

    @cython.initializedcheck(False)
    def is_none(self):
        return self.view is None


def local(arr, bint assign, Py_ssize_t i):
    cdef double[:] view
    cdef double x
    if assign:
        view = arr
    with nogil:
        x = view[i]
    return x
