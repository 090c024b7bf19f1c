"""Lines whose color in ``cython -a`` says little about what they cost."""

cimport cython


cdef double first(double[:] row) noexcept:
    return row[0]


def untyped(a):
    cdef double x, total = 0
    cdef Py_ssize_t i
    for i in range(len(a)):
        x = a[i]
        total += x
    return total


def gathered(double[:] a, Py_ssize_t[:] index):
    cdef double total = 0
    cdef Py_ssize_t i
    for i in range(index.shape[0]):
        total += a[index[i]]
    return total


@cython.boundscheck(False)
@cython.wraparound(False)
def indexed(double[:, :] a):
    cdef double total = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        total += a[i, 0]
    return total


@cython.boundscheck(False)
@cython.wraparound(False)
def sliced(double[:, :] a):
    cdef double total = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        total += first(a[i, :])
    return total


@cython.boundscheck(False)
@cython.wraparound(False)
def iterated(double[:, :] a):
    cdef double total = 0
    for row in a:
        total += first(row)
    return total


cdef double first_of_object(row):
    cdef double[:] view = row
    return view[0]


def boxed(double[:, :] a):
    cdef double total = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        total += first_of_object(a[i, :])
    return total


def item(a, Py_ssize_t i):
    return a[i]


def whole_sum(a):
    return a.sum()
