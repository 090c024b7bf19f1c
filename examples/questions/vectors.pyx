# distutils: language = c++
"""C++ vectors and views: filled from a view, read through a view, and owned by an exporter."""

from libc.string cimport memcpy
from libcpp.vector cimport vector


def as_list(double[:] a):
    """Return a list: a vector that is returned to Python is copied into one."""
    cdef vector[double] v
    for i in range(a.shape[0]):
        v.push_back(a[i])
    return v


def total(double[::1] a):
    """Copy a contiguous view into a vector at once, and add up the vector through another view."""
    cdef vector[double] v
    cdef double[::1] seen
    cdef double result = 0
    v.resize(a.shape[0])
    if v.empty():
        return 0.0
    memcpy(v.data(), &a[0], v.size() * sizeof(double))
    seen = <double[:v.size()]> v.data()
    for i in range(seen.shape[0]):
        result += seen[i]
    return result


def view_of_empty():
    """Try to view a vector without elements."""
    cdef vector[double] v
    cdef double[::1] seen = <double[:v.size()]> v.data()
    return seen.shape[0]


cdef class Numbers:
    """A vector that other code can view, and that does not grow while it is viewed."""

    cdef vector[double] data
    cdef Py_ssize_t shape[1]
    cdef Py_ssize_t strides[1]
    cdef int exports

    def append(self, double value):
        if self.exports:
            raise BufferError("a view of these numbers is alive")
        self.data.push_back(value)

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        self.shape[0] = <Py_ssize_t> self.data.size()
        self.strides[0] = sizeof(double)
        buffer.buf = self.data.data()
        buffer.format = 'd'
        buffer.internal = NULL
        buffer.itemsize = sizeof(double)
        buffer.len = self.shape[0] * buffer.itemsize
        buffer.ndim = 1
        buffer.obj = self
        buffer.readonly = 0
        buffer.shape = self.shape
        buffer.strides = self.strides
        buffer.suboffsets = NULL
        self.exports += 1

    def __releasebuffer__(self, Py_buffer *buffer):
        self.exports -= 1


def total_of_exporter(Numbers numbers):
    cdef double[::1] seen = numbers
    cdef double result = 0
    for i in range(seen.shape[0]):
        result += seen[i]
    return result
