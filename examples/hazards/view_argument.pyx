"""A view argument is not counted: the callee can drop the memory that it is working on.

``lend`` makes an object whose memory is never really freed. Instead it is filled with -1, so that
a read after the end of its life shows as a number.
"""

from cython cimport view

cdef double memory[3]


cdef void fill(void *data) noexcept:
    cdef Py_ssize_t i
    for i in range(3):
        (<double *> data)[i] = -1


def lend():
    """Return an object that exports three numbers, and fills them with -1 when it goes."""
    cdef view.array owner = <double[:3]> memory
    owner.callback_free_data = fill
    memory[:] = [1, 2, 3]
    return owner


cdef class Holder:
    cdef double[:] view

    def __cinit__(self, owner):
        self.view = owner

    cdef double first(self, double[:] a):
        self.drop()
        return a[0]

    cdef void drop(self):
        self.view = None

    def passed(self):
        return self.first(self.view)

    def bound(self):
        cdef double[:] a = self.view
        return self.first(a)


cdef double[:] shared


def share(owner):
    """Assign the global view."""
    global shared
    shared = owner


cdef double first_of(double[:] a):
    global shared
    shared = None
    return a[0]


def passed_global():
    return first_of(shared)


def bound_global():
    cdef double[:] a = shared
    return first_of(a)


def shared_object():
    return shared


def first_for_python(double[:] a):
    """Drop the global view, in a function that Python calls."""
    return first_of(a)
