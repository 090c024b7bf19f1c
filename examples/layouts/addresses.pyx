"""Which byte an index reaches: what compiled code computes from shape, strides and suboffsets.

The first functions read one element, in one to three dimensions and through a table of pointers.
The others return addresses and members of slices and never touch an element, so they may be given
views that leave their buffer.
"""

cimport cython
from cpython.buffer cimport PyBUF_FORMAT, PyBUF_INDIRECT
from cython cimport view
from libc.stdlib cimport free, malloc


@cython.boundscheck(False)
@cython.wraparound(False)
def item_1d(double[:] a, Py_ssize_t i):
    cdef double x = a[i]
    return x


@cython.boundscheck(False)
@cython.wraparound(False)
def item_2d(double[:, :] a, Py_ssize_t i, Py_ssize_t j):
    cdef double x = a[i, j]
    return x


@cython.boundscheck(False)
@cython.wraparound(False)
def item_3d(double[:, :, :] a, Py_ssize_t i, Py_ssize_t j, Py_ssize_t k):
    cdef double x = a[i, j, k]
    return x


@cython.boundscheck(False)
@cython.wraparound(False)
def item_indirect(double[::view.indirect, :] a, Py_ssize_t i, Py_ssize_t j):
    cdef double x = a[i, j]
    return x


cdef char *DOUBLE_FORMAT = b"d"


cdef class RowTable:
    """A table of pointers to rows of an array, in any order, exported as an indirect buffer."""

    cdef double[:, :] rows
    cdef double **table
    cdef Py_ssize_t[2] shape
    cdef Py_ssize_t[2] strides
    cdef Py_ssize_t[2] suboffsets

    def __cinit__(self, double[:, :] rows, list order, Py_ssize_t step=sizeof(double *)):
        cdef Py_ssize_t i
        self.table = <double **> malloc(max(len(order), 1) * sizeof(double *))
        if self.table == NULL:
            raise MemoryError
        self.rows = rows  # keeps what the pointers point to
        for i in range(len(order)):
            self.table[i] = &rows[<Py_ssize_t> order[i], 0]
        self.shape[:] = [len(order), rows.shape[1]]
        self.strides[:] = [step, rows.strides[1]]
        self.suboffsets[:] = [0, -1]

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        if flags & PyBUF_INDIRECT != PyBUF_INDIRECT:
            raise BufferError("the rows can only be reached through pointers")
        buffer.buf = self.table
        buffer.len = self.shape[0] * self.shape[1] * sizeof(double)
        buffer.itemsize = sizeof(double)
        buffer.format = DOUBLE_FORMAT if flags & PyBUF_FORMAT else NULL
        buffer.ndim = 2
        buffer.shape = self.shape
        buffer.strides = self.strides
        buffer.suboffsets = self.suboffsets
        buffer.readonly = 0
        buffer.obj = self
        buffer.internal = NULL

    def __dealloc__(self):
        free(self.table)

    def addresses(self):
        """Return where the table is, and what its pointers point to."""
        return <size_t> self.table, [<size_t> self.table[i] for i in range(self.shape[0])]


@cython.boundscheck(False)
@cython.wraparound(False)
def addresses(a):
    """Return the address of each element, in the order of the indices, as indexing computes it."""
    cdef const double[:] one
    cdef const double[:, :] two
    cdef const double[:, :, :] three
    cdef Py_ssize_t i, j, k
    cdef list found = []
    if a.ndim == 1:
        one = a
        for i in range(one.shape[0]):
            found.append(<size_t> &one[i])
    elif a.ndim == 2:
        two = a
        for i in range(two.shape[0]):
            for j in range(two.shape[1]):
                found.append(<size_t> &two[i, j])
    else:
        three = a
        for i in range(three.shape[0]):
            for j in range(three.shape[1]):
                for k in range(three.shape[2]):
                    found.append(<size_t> &three[i, j, k])
    return found


@cython.boundscheck(False)
@cython.wraparound(False)
cdef list addresses_of_indirect(const double[::view.indirect, :] a):
    cdef Py_ssize_t i, j
    cdef list found = []
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            found.append(<size_t> &a[i, j])
    return found


def indirect_addresses(const double[::view.indirect, :] a):
    """The same of a view that follows pointers."""
    return addresses_of_indirect(a)


def indirect_part(
    const double[::view.indirect, :] a,
    Py_ssize_t start, Py_ssize_t stop, Py_ssize_t step,
    Py_ssize_t start_2, Py_ssize_t stop_2, Py_ssize_t step_2,
):
    """Slice both dimensions of an indirect view; return the addresses, and the slice itself."""
    cdef const double[::view.indirect, :] part = a[start:stop:step, start_2:stop_2:step_2]
    return addresses_of_indirect(part), part


def indirect_reversed(const double[::view.indirect, :] a):
    """The same of ``a[::-1, ::-1]``."""
    cdef const double[::view.indirect, :] part = a[::-1, ::-1]
    return addresses_of_indirect(part), part


@cython.boundscheck(False)
@cython.wraparound(False)
cdef tuple members_1d(const double[:] a):
    return <size_t> &a[0], a.shape[0], a.strides[0]


@cython.boundscheck(False)
@cython.wraparound(False)
cdef tuple members(const double[:, :] a):
    # The address of an element that need not be there: nothing is read.
    return <size_t> &a[0, 0], (a.shape[0], a.shape[1]), (a.strides[0], a.strides[1])


def part(
    const double[:, :] a,
    Py_ssize_t start, Py_ssize_t stop, Py_ssize_t step,
    Py_ssize_t start_2, Py_ssize_t stop_2, Py_ssize_t step_2,
):
    """Slice both dimensions; return address, shape and strides of the slice."""
    return members(a[start:stop:step, start_2:stop_2:step_2])


def part_1d(const double[:] a, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t step):
    """Slice a one-dimensional view; return address, length and stride."""
    return members_1d(a[start:stop:step])


def part_from(const double[:, :] a, Py_ssize_t start, Py_ssize_t step):
    """The same of a slice with a start and no stop, in both dimensions."""
    return members(a[start::step, start::step])


def part_to(const double[:, :] a, Py_ssize_t stop, Py_ssize_t step):
    """The same of a slice with a stop and no start, in both dimensions."""
    return members(a[:stop:step, :stop:step])


def every(const double[:, :] a, Py_ssize_t step):
    """The same of ``a[::step, ::step]``."""
    return members(a[::step, ::step])


def transposed(const double[:, :] a):
    """The same of ``a.T``."""
    return members(a.T)


def row(const double[:, :] a, Py_ssize_t i):
    """Return address, length and stride of ``a[i]``."""
    return members_1d(a[i])


def column(const double[:, :] a, Py_ssize_t j):
    """Return address, length and stride of ``a[:, j]``."""
    return members_1d(a[:, j])


def length_from(const double[:] a, Py_ssize_t start, Py_ssize_t step):
    """Return the length of a slice with a start and no stop."""
    return a[start::step].shape[0]
