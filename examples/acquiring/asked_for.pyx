"""What does a typed memoryview ask an object for? An exporter that notes the requests.

``Noting`` stands in front of another exporter and passes each request on to it. What it was asked
for is the argument ``flags`` of the buffer protocol.
"""

from cpython.buffer cimport (
    PyBUF_ANY_CONTIGUOUS,
    PyBUF_C_CONTIGUOUS,
    PyBUF_F_CONTIGUOUS,
    PyBUF_FORMAT,
    PyBUF_INDIRECT,
    PyBUF_ND,
    PyBUF_STRIDES,
    PyBUF_WRITABLE,
    PyObject_GetBuffer,
)
from cython cimport view

# Some flags contain others: whoever asks for strides asks for the shape, too.
cdef list LAYOUTS = [
    ("C_CONTIGUOUS", PyBUF_C_CONTIGUOUS),
    ("F_CONTIGUOUS", PyBUF_F_CONTIGUOUS),
    ("ANY_CONTIGUOUS", PyBUF_ANY_CONTIGUOUS),
    ("INDIRECT", PyBUF_INDIRECT),
    ("STRIDES", PyBUF_STRIDES),
    ("ND", PyBUF_ND),
]


cdef list names(int flags):
    cdef list found = [name for name, flag in LAYOUTS if flags & flag == flag][:1]
    if flags & PyBUF_FORMAT:
        found.append("FORMAT")
    if flags & PyBUF_WRITABLE:
        found.append("WRITABLE")
    return found


cdef class Noting:
    """Export the buffer of another object, and note each request in ``requests``."""

    cdef object exporter
    cdef readonly list requests

    def __init__(self, exporter):
        self.exporter = exporter
        self.requests = []

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        self.requests.append(names(flags))
        PyObject_GetBuffer(self.exporter, buffer, flags)


def strided(double[:] a):
    """Return the view as the Python object that Python code gets to see."""
    return a


def read_only(const double[:] a):
    pass


def contiguous(double[::1] a):
    pass


def fortran(double[::1, :] a):
    pass


def generic(double[::view.generic] a):
    pass
