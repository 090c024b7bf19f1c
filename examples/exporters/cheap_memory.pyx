"""Memory for a few doubles, from five sources.

Each function allocates room for ``count`` doubles, does not use it, and releases it. The module
``cpython.array`` declares the C side of the standard library's ``array``.
"""

from cpython cimport array
from cython cimport view
from libc.stdlib cimport free, malloc

import array

import numpy

cdef array.array doubles = array.array("d")


def from_numpy(Py_ssize_t count):
    cdef double[::1] scratch = numpy.empty(count)
    return scratch.shape[0]


def from_cython(Py_ssize_t count):
    cdef double[::1] scratch = view.array(shape=(count,), itemsize=sizeof(double), format="d")
    return scratch.shape[0]


def from_array(Py_ssize_t count):
    cdef double[::1] scratch = array.clone(doubles, count, zero=False)
    return scratch.shape[0]


def from_array_by_pointer(Py_ssize_t count):
    cdef array.array owner = array.clone(doubles, count, zero=False)
    cdef double *scratch = owner.data.as_doubles
    return count if scratch != NULL else 0


def from_malloc(Py_ssize_t count):
    cdef double *scratch = <double *> malloc(count * sizeof(double))
    free(scratch)
    return count


def squares(Py_ssize_t count):
    """Return an array that a view has filled."""
    cdef array.array owner = array.clone(doubles, count, zero=False)
    cdef double[::1] data = owner
    cdef Py_ssize_t i
    for i in range(count):
        data[i] = i * i
    return owner


def append_while_viewed(array.array owner):
    """Try to make an array longer while a view looks at its memory."""
    cdef double[:] data = owner
    owner.append(1.0)
    return data.shape[0]


def trace(double[:, :] table):
    """Add up the diagonal."""
    cdef double total = 0
    cdef Py_ssize_t i
    for i in range(min(table.shape[0], table.shape[1])):
        total += table[i, i]
    return total
