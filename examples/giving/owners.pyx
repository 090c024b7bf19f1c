"""Two classes that own memory and hand out views of it; one of them is a trap.

``Loose`` makes a view from its pointer, and nothing ties the view to the object. ``Exporter``
exports its memory through the buffer protocol, so that a view holds a reference to it. Both note
in ``events`` when they allocate and when they free.
"""

from libc.stdlib cimport calloc, free

events = []


cdef class Loose:
    """Free the memory with the object, whether or not there are views of it."""

    cdef double *data
    cdef Py_ssize_t n

    def __cinit__(self, Py_ssize_t n):
        self.data = <double *> calloc(n, sizeof(double))
        if self.data == NULL:
            raise MemoryError
        self.n = n
        events.append("allocated")

    def __dealloc__(self):
        free(self.data)
        events.append("freed")

    def view(self):
        return <double[:self.n]> self.data


cdef class Exporter:
    """Free the memory with the object, which every view keeps alive."""

    cdef double *data
    cdef Py_ssize_t n
    cdef Py_ssize_t stride

    def __cinit__(self, Py_ssize_t n):
        self.data = <double *> calloc(n, sizeof(double))
        if self.data == NULL:
            raise MemoryError
        self.n = n
        self.stride = sizeof(double)
        events.append("allocated")

    def __dealloc__(self):
        free(self.data)
        events.append("freed")

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        buffer.buf = self.data
        buffer.obj = self
        buffer.len = self.n * self.stride
        buffer.itemsize = self.stride
        buffer.readonly = False
        buffer.format = "d"
        buffer.ndim = 1
        buffer.shape = &self.n
        buffer.strides = &self.stride
        buffer.suboffsets = NULL
        buffer.internal = NULL

    def view(self):
        cdef double[:] mv = self
        return mv
