"""The struct behind a typed memoryview, read by compiled code.

A variable declared ``double[:, :]`` is a C struct. Its address cannot be taken in Cython (the
compiler refuses), but a struct can be handed to a C function by value, and that function can
look at it.
"""

from cpython.object cimport PyObject

cdef extern from *:
    """
    #include <stddef.h>
    #define SLICE_SIZE ((Py_ssize_t) sizeof(__Pyx_memviewslice))
    #define SLICE_OFFSET(member) ((Py_ssize_t) offsetof(__Pyx_memviewslice, member))
    #define SLICE_DATA(slice) ((size_t) (slice).data)
    #define SLICE_MEMVIEW(slice) ((PyObject *) (slice).memview)
    #define SLICE_SHAPE(slice, dim) ((slice).shape[dim])
    #define SLICE_STRIDE(slice, dim) ((slice).strides[dim])
    #define SLICE_SUBOFFSET(slice, dim) ((slice).suboffsets[dim])
    """
    Py_ssize_t SLICE_SIZE
    Py_ssize_t offset_of_memview "SLICE_OFFSET(memview)"
    Py_ssize_t offset_of_data "SLICE_OFFSET(data)"
    Py_ssize_t offset_of_shape "SLICE_OFFSET(shape)"
    Py_ssize_t offset_of_strides "SLICE_OFFSET(strides)"
    Py_ssize_t offset_of_suboffsets "SLICE_OFFSET(suboffsets)"
    size_t SLICE_DATA(double[:, :] slice)
    PyObject *SLICE_MEMVIEW(double[:, :] slice)
    Py_ssize_t SLICE_SHAPE(double[:, :] slice, int dim)
    Py_ssize_t SLICE_STRIDE(double[:, :] slice, int dim)
    Py_ssize_t SLICE_SUBOFFSET(double[:, :] slice, int dim)


def layout():
    """Return the size of the struct and the offset of each member, in bytes."""
    return {
        "size": SLICE_SIZE,
        "memview": offset_of_memview,
        "data": offset_of_data,
        "shape": offset_of_shape,
        "strides": offset_of_strides,
        "suboffsets": offset_of_suboffsets,
    }


cdef dict read(double[:, :] a):
    return {
        "memview": <object> SLICE_MEMVIEW(a),
        "data": SLICE_DATA(a),
        "shape": [SLICE_SHAPE(a, dim) for dim in range(a.ndim)],
        "strides": [SLICE_STRIDE(a, dim) for dim in range(a.ndim)],
        "suboffsets": [SLICE_SUBOFFSET(a, dim) for dim in range(a.ndim)],
    }


def members(double[:, :] a):
    """Return what stands in the struct of a two-dimensional memoryview."""
    return read(a)


def members_of_part(double[:, :] a):
    """Return the members of a slice of ``a``: another struct, the same memory."""
    return read(a[::2, 1::2])


def same_owner(double[:, :] a):
    """Tell whether ``a`` and a slice of it share one memoryview object."""
    return SLICE_MEMVIEW(a) == SLICE_MEMVIEW(a[1:])


def same_owner_if_acquired_twice(x):
    """Tell whether two views that are acquired from ``x`` share one memoryview object."""
    cdef double[:, :] a = x
    cdef double[:, :] b = x
    return SLICE_MEMVIEW(a) == SLICE_MEMVIEW(b)


def memview_of_none(double[:, :] a):
    """Return what ``memview`` points to in a view that is ``None``."""
    return <object> SLICE_MEMVIEW(a)


def as_object(double[:, :] a):
    """Return the memoryview as the Python object that Python code gets to see."""
    return a
