"""What ``.T`` makes of a view that has fewer or more dimensions than the array it came from.

``.T`` and some copies take the number of dimensions from the acquired array, not from the view. The
first functions show it, and the last two give the same view through an object of its own.
"""


def whole(double[:, :] a):
    """Transpose a view of a whole array."""
    return a.T


def plane(double[:, :, :] a):
    """Transpose a plane of a view."""
    return a[0].T


def with_new_axis(double[:] a):
    """Transpose a view that got a dimension of length one in front."""
    return a[None, :].T


def plane_in_fortran_order(double[:, :, :] a):
    """Copy a plane of a view."""
    return a[0].copy_fortran()


def copy_plane(double[:, :, :] a, double[:, :, :] b):
    """Copy a plane of one view into a plane of another."""
    a[0] = b[0]


def plane_as_object(double[:, :, :] a):
    """Transpose a plane that went through a Python object, and so was acquired again."""
    cdef object again = a[0]
    cdef double[:, :] part = again
    return part.T


def copy_plane_as_object(double[:, :, :] a, double[:, :, :] b):
    """Copy a plane into another, both of which went through Python objects."""
    cdef object to = a[0], source = b[0]
    cdef double[:, :] to_view = to, source_view = source
    to_view[:, :] = source_view
