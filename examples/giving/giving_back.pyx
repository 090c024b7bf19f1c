"""From a typed memoryview back to Python: the view, its exporter, or the object that came in."""


def as_object(double[:] a):
    return a


def as_object_part(double[:] a):
    return a[1:]


def as_constant(const double[:] a):
    return a


def as_base(double[:] a):
    return a.base


def what_came_in(arr):
    cdef double[:] a = arr
    a[0] = 1
    return arr


def nothing(double[:] a):
    a[0] = 1


def points_to_local():
    """Tell whether a view of a local C array looks at that array, and not at a copy."""
    cdef double[3] local = [1, 2, 3]
    cdef double[:] a = local
    local[0] = 99
    return a[0] == 99


def view_of_local():
    """Return a view of memory that is gone: this compiles, and its elements must not be read."""
    cdef double[3] local = [1, 2, 3]
    cdef double[:] a = local
    return a


def copy_of_local():
    """Return a view of memory that outlives the function."""
    cdef double[3] local = [1, 2, 3]
    cdef double[:] a = local
    return a.copy()
