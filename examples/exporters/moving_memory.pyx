"""What moves the memory of an ``array.array`` away from a pointer, and even from under a view.

The functions compare addresses and read no element at an old one.
"""

from cpython cimport array


def pointer_after_append(array.array owner, Py_ssize_t count):
    """Append ``count`` zeros; return whether a pointer from before still points to the items."""
    cdef double *before = owner.data.as_doubles
    for _ in range(count):
        owner.append(0.0)
    return before == owner.data.as_doubles


def view_after_resize(array.array owner, Py_ssize_t count):
    """Resize through ``cpython.array``; return whether a view still points to the items."""
    cdef double[::1] view = owner
    cdef double *before = &view[0]
    array.resize(owner, count)
    return before == owner.data.as_doubles
