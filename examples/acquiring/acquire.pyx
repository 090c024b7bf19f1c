"""From an object to a typed memoryview: the same assignment under several declarations.

Each of the first functions assigns its argument to a variable and returns the length; the C of the
assignment is on a line of its own.
"""


def strided(arr):
    cdef double[:] mv = arr
    return mv.shape[0]


def read_only(arr):
    cdef const double[:] mv = arr
    return mv.shape[0]


def contiguous(arr):
    cdef double[::1] mv = arr
    return mv.shape[0]


def fortran(arr):
    cdef double[::1, :] mv = arr
    return mv.shape[0]


def long_long(arr):
    cdef long long[:] mv = arr
    return mv.shape[0]


def untyped(arr):
    mv = arr
    return len(mv)


def from_view(double[:] arr):
    cdef double[:] mv = arr
    return mv.shape[0]


def store_byte(unsigned char[:] arr, Py_ssize_t i, unsigned char value):
    arr[i] = value


def read_only_object(const unsigned char[:] arr):
    """Return the view as the Python object that Python code gets to see."""
    return arr


def as_object(double[:] arr):
    """Return the view as a Python object, strides and all."""
    return arr


cdef class Point:
    cdef double x


def instances(Point[:] arr):
    """Take any array of objects, whatever the class of its elements."""
    return arr.shape[0]
