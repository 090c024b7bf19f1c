"""Who keeps whom alive: the counts that stand in the objects, read while views come and go.

``Views`` holds two typed views, ``a`` and ``b``, so that a caller can make and drop them one by
one. ``counts`` reads what CPython and Cython have counted. The exporter is a ``bytearray``, which
counts its exports.
"""

from cpython.object cimport PyObject

cdef extern from *:
    """
    #define MEMVIEW(slice) ((PyObject *) (slice).memview)
    #define ACQUISITIONS(o) ((int) ((struct __pyx_memoryview_obj *) (o))->acquisition_count)
    #define EXPORTS(o) (((PyByteArrayObject *) (o))->ob_exports)
    """
    PyObject *MEMVIEW(unsigned char[:] slice)
    int ACQUISITIONS(PyObject *o)
    Py_ssize_t EXPORTS(PyObject *o)
    Py_ssize_t Py_REFCNT(PyObject *o)


cdef class Views:
    """Two typed views of x; a view that is not there is None.

    The caller keeps x alive: here are pointers and no references, which would be counted.
    """

    cdef unsigned char[:] a
    cdef unsigned char[:] b
    cdef PyObject *x
    cdef PyObject *memview

    def __cinit__(self, x):
        if not isinstance(x, bytearray):
            raise TypeError("x must be a bytearray: it counts its exports")
        self.x = <PyObject *> x
        self.a = None
        self.b = None

    def view_x(self):
        self.a = <object> self.x
        self.memview = MEMVIEW(self.a)

    def slice_a(self):
        self.b = self.a[1:]

    def object_of_a(self):
        return self.a

    def drop_both(self):
        self.a = None
        self.b = None

    def first_of_b(self):
        return self.b[0]

    def counts(self, mv=None):
        """Return the counts, and which slices there are.

        ``mv`` is the object made by ``object_of_a``, if there is one. The references do not
        include those of this call.
        """
        there = [self.a is not None, self.b is not None, mv is not None]
        return {
            "slices": [name for name, is_there in zip(("a", "b", "mv"), there) if is_there],
            "acquisitions": ACQUISITIONS(self.memview) if any(there) else 0,
            "memoryview references": Py_REFCNT(self.memview) if any(there) else 0,
            "exporter references": Py_REFCNT(self.x),
            "exports": EXPORTS(self.x),
        }


def append_while_viewed(unsigned char[:] a, bytearray x):
    """Resize x while the argument is a view of it."""
    x.append(a[0])


cdef class Holder:
    """An object with a view, to be made part of a cycle."""

    cdef unsigned char[:] view

    def __init__(self, x):
        self.view = x

    def drop(self):
        self.view = None


cdef bint is_gone(unsigned char[:] view, drop, reference):
    """Tell whether the exporter is gone while the argument still points to its memory.

    The argument is not read: if the exporter is gone, its memory has been freed.
    """
    drop()
    return reference() is None


def attribute_passed(Holder holder, reference):
    """Pass an attribute, which the function that is called drops."""
    return is_gone(holder.view, holder.drop, reference)


def local_passed(Holder holder, reference):
    """Store the view in a local variable first, and pass that."""
    cdef unsigned char[:] view = holder.view
    return is_gone(view, holder.drop, reference)


def slice_passed(Holder holder, reference):
    """Pass a slice of the attribute, which is counted."""
    return is_gone(holder.view[1:], holder.drop, reference)


def closure_passed(Holder holder, reference):
    """Pass a local variable that an inner function drops."""
    cdef unsigned char[:] view = holder.view
    holder.drop()

    def drop():
        nonlocal view
        view = None
        return view

    return is_gone(view, drop, reference)


cdef unsigned char[:] view_of_module = None


def drop_global():
    global view_of_module
    view_of_module = None


def global_passed(Holder holder, reference):
    """Pass a variable of the module."""
    global view_of_module
    view_of_module = holder.view
    holder.drop()
    return is_gone(view_of_module, drop_global, reference)


def append_after_replacing(bytearray x):
    """Resize x after a local view of it has been replaced."""
    cdef unsigned char[:] view = x
    view = None
    x.append(0)
    return len(x) if view is None else 0


def as_object(unsigned char[:] view):
    """Return the object that Python gets of a view."""
    return view


def in_closure(unsigned char[:] view):
    """Return a function that uses the view."""
    def first():
        return view[0]
    return first


def in_generator(unsigned char[:] view):
    """Yield the elements."""
    for element in view:
        yield element


def new_views(x, int n):
    """Make a view of x n times (for timing)."""
    cdef unsigned char[:] v
    cdef int _
    for _ in range(n):
        v = x
    return v[0]


def new_slices(Views views, int n):
    """Make a slice of a view n times (for timing)."""
    cdef int _
    for _ in range(n):
        views.b = views.a[1:]
