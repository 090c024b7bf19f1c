"""An exporter that can lie, and the views that reject what it exports.

``Odd`` hands out the format, shape and strides that it was made with, whether they are true and
whether they were requested. Real exporters do this when they have a bug.
"""

from cpython.buffer cimport PyBUF_FORMAT, PyBUF_ND
from cython cimport view
from cython.view cimport memoryview as view_object

cdef packed struct Point:
    double[3] position
    char[4] name


cdef class Odd:
    """Exports 1024 bytes of zeros under any description; ``None`` leaves a pointer NULL."""

    cdef char[1024] memory
    cdef Py_ssize_t[3][8] numbers
    cdef int ndim
    cdef bint has_strides, has_suboffsets
    cdef bytes format
    cdef Py_ssize_t itemsize

    def __cinit__(self, str format, shape=(1,), strides=None, suboffsets=None, itemsize=8):
        cdef int kind, i
        self.format = format.encode()
        self.itemsize = itemsize
        self.ndim = len(shape)
        self.has_strides = strides is not None
        self.has_suboffsets = suboffsets is not None
        self.memory[:] = [0] * 1024
        for kind, values in enumerate((shape, strides, suboffsets)):
            for i, value in enumerate(values or ()):
                self.numbers[kind][i] = value

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        cdef int i
        buffer.buf = self.memory
        buffer.obj = self
        buffer.itemsize = buffer.len = self.itemsize
        for i in range(self.ndim):
            buffer.len *= self.numbers[0][i]
        buffer.readonly = False
        buffer.ndim = self.ndim
        buffer.format = self.format
        buffer.shape = self.numbers[0]
        buffer.strides = self.numbers[1] if self.has_strides else NULL
        buffer.suboffsets = self.numbers[2] if self.has_suboffsets else NULL
        buffer.internal = NULL


def strided(double[:] a):
    return a.shape[0]


def contiguous(double[::1] a):
    return a.shape[0]


def c_order(double[:, ::1] a):
    return a.shape[0]


def fortran_order(double[::1, :] a):
    return a.shape[0]


def indirect(double[::view.indirect] a):
    return a.shape[0]


def indirect_contiguous(double[::view.indirect_contiguous] a):
    return a.shape[0]


def long_doubles(long double[:] a):
    return a.shape[0]


def points(Point[:] a):
    return a.shape[0]


def generic(double[::view.generic, ::view.generic] a):
    """Return a memoryview object with two dimensions, each direct or indirect."""
    return a


def without_strides(exporter):
    """Return a memoryview object that did not request strides."""
    return view_object(exporter, PyBUF_FORMAT | PyBUF_ND)


def new_array(shape, itemsize=8, format="d", mode="c"):
    """Return memory that Cython allocates."""
    return view.array(shape=shape, itemsize=itemsize, format=format, mode=mode)
