"""Which slices are counted: how many acquisitions there are while a function uses a slice.

Each function makes a slice in another way and passes it to ``use``, which returns the acquisition
count of the memoryview object at that moment. The argument of a ``def`` function is one
acquisition. A slice that is counted is one more.
"""

from cython.parallel cimport prange

cdef extern from *:
    """
    #define ACQUISITIONS(slice) ((int) (slice).memview->acquisition_count)
    """
    int ACQUISITIONS(double[:] slice) nogil
    int ACQUISITIONS_2D "ACQUISITIONS"(double[:, :] slice) nogil

cdef double[:, :] table_of_module = None
cdef double[:] row_of_module = None


cdef int use(double[:] row) noexcept nogil:
    return ACQUISITIONS(row)


cdef int use_table(double[:, :] a) noexcept nogil:
    return ACQUISITIONS_2D(a)


def argument(double[:] a):
    """Pass an argument on."""
    return use(a)


def local(x):
    cdef double[:] a = x
    return use(a)


def second_local(double[:] a):
    cdef double[:] b = a
    return use(b)


cdef int use_rest(double[:] a) except -1:
    a = a[1:]
    return use(a)


def assigned_argument(double[:] a):
    """Pass an argument on to a function that assigns to it."""
    return use_rest(a)


def as_argument(double[:, :] a, int i):
    cdef int count = use(a[i])
    return count


def without_gil(double[:, :] a, int i):
    cdef int count
    with nogil:
        count = use(a[i])
    return count


def in_local(double[:, :] a):
    """Store each row in the same variable."""
    cdef double[:] row
    cdef int i
    cdef int count = 0
    for i in range(a.shape[0]):
        row = a[i]
        count = use(row)
    return count


def loop_variable(double[:, :] a):
    cdef double[:] row
    cdef int count = 0
    for row in a:
        count = use(row)
    return count


def returned(double[:, :] a, int i):
    return use(a[i])


def in_prange(double[:, :] a):
    cdef int i
    cdef int count = 0
    for i in prange(a.shape[0], nogil=True, num_threads=1):
        count = use(a[i])
    return count


def closure(double[:, :] a, int i):
    """Slice a variable that an inner function uses as well."""
    def length():
        return a.shape[0]
    cdef int count = use(a[i])
    return count if length() else 0


def generator(double[:, :] a, int i):
    cdef int count = use(a[i])
    yield count


def yielded(double[:, :] a, int i):
    yield use(a[i])


def generator_expression(double[:, :] a):
    return max(use(a[i]) for i in range(a.shape[0]))


def comprehension(double[:, :] a):
    cdef list counts = [use(a[i]) for i in range(a.shape[0])]
    return max(counts)


def swapped(double[:, :] a, double[:, :] b, int i):
    """Slice a variable that is assigned to in a tuple."""
    a, b = b, a
    cdef int count = use(a[i])
    return count


def slice_of_slice(double[:, :] a):
    cdef int count = use_table(a[1:][:, 1:])
    return count


def transposed(double[:, :] a):
    cdef int count = use_table(a.T)
    return count


cdef class Holder:
    """An object with views as attributes."""

    cdef double[:, :] table
    cdef double[:] row

    def __cinit__(self, double[:, :] a):
        self.table = a
        self.row = a[0]

    def attribute(self):
        cdef int count = use(self.row)
        return count

    def slice_of_attribute(self, int i):
        cdef int count = use(self.table[i])
        return count


def global_variable(double[:, :] a):
    global row_of_module
    row_of_module = a[0]
    cdef int count = use(row_of_module)
    row_of_module = None
    return count


def slice_of_global(double[:, :] a, int i):
    global table_of_module
    table_of_module = a
    cdef int count = use(table_of_module[i])
    table_of_module = None
    return count


cdef double[:] row_of(double[:, :] a, int i):
    return a[i]


def result_of_call(double[:, :] a, int i):
    cdef int count = use(row_of(a, i))
    return count


def elements(double[:, :] a):
    """Copy elements from slice to slice."""
    a[1:] = a[:-1]


def either(double[:, :] a, bint first):
    """Choose between two slices: with Cython 3.3.1 this ends the process."""
    cdef int count = use(a[0] if first else a[1])
    return count


def either_stored(double[:, :] a, bint first):
    """Store one of two slices: with Cython 3.3.1 this ends the process, too."""
    cdef double[:] row = a[0] if first else a[1]
    return use(row)


def either_returned(double[:, :] a, bint first):
    return use(a[0] if first else a[1])


def either_variable(double[:] a, double[:] b, bint first):
    cdef int count = use(a if first else b)
    return count


def either_index(double[:, :] a, bint first):
    cdef int count = use(a[0 if first else 1])
    return count
