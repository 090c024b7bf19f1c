"""What it takes to get at the numbers of an argument: one conversion in each function.

All functions do nothing but the conversion, so that their times differ by it alone. The loops at
the end add up doubles, to see how many elements it takes to earn the conversion back.
"""

cimport numpy as cnp
from cpython cimport array
from cpython.object cimport PyObject

cdef extern from *:
    """
    #define OWNER(slice) ((PyObject *) (slice).memview)
    """
    PyObject *OWNER(double[:] slice)


def take_object(argument):
    a = argument
    return 0 if a is None else 1


def take_buffer(argument):
    cdef cnp.ndarray[double, ndim=1] a = argument
    return 0 if a is None else 1


def take_view(argument):
    cdef double[:] a = argument
    return 0 if a is None else 1


def take_const_view(argument):
    cdef const double[:] a = argument
    return 0 if a is None else 1


def take_contiguous_view(argument):
    cdef double[::1] a = argument
    return 0 if a is None else 1


def take_view_2d(argument):
    cdef double[:, :] a = argument
    return 0 if a is None else 1


def take_bytes_view(argument):
    cdef const unsigned char[:] a = argument
    return 0 if a is None else 1


def take_address(size_t address):
    cdef double *a = <double *> address
    return 0 if a is NULL else 1


def take_array_pointer(array.array argument):
    cdef double *a = argument.data.as_doubles
    return 0 if a is NULL else 1


def take_ndarray_pointer(cnp.ndarray argument):
    cdef double *a = <double *> cnp.PyArray_DATA(argument)
    return 0 if a is NULL else 1


def as_object(double[:] a):
    """Return the view as the Python object behind it, which can be passed in again."""
    return a


def as_const_object(const double[:] a):
    """Return a view that may be of read-only memory as the Python object behind it."""
    return a


def store(double[:] a, double x):
    a[0] = x


def owner(double[:] a):
    """Return what the slice holds on to: a memoryview object, new or the one passed in."""
    return <object> OWNER(a)


def sum_object(a):
    cdef double x, total = 0
    cdef Py_ssize_t i
    for i in range(len(a)):
        x = a[i]
        total += x
    return total


def sum_buffer(cnp.ndarray[double, ndim=1] a):
    cdef double total = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        total += a[i]
    return total


def sum_view(double[:] a):
    cdef double total = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        total += a[i]
    return total


def sum_address(size_t address, Py_ssize_t count):
    cdef double *a = <double *> address
    cdef double total = 0
    cdef Py_ssize_t i
    for i in range(count):
        total += a[i]
    return total


cdef double helper(double[:] a):
    return a[0]


def convert_each_time(a, Py_ssize_t count):
    cdef double total = 0
    cdef Py_ssize_t _
    for _ in range(count):
        total += helper(a)
    return total


def convert_once(double[:] a, Py_ssize_t count):
    cdef double total = 0
    cdef Py_ssize_t _
    for _ in range(count):
        total += helper(a)
    return total
