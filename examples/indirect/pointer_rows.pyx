"""Memory reached through pointers: an ``int **`` of C, shown to Python and read by a view.

``Rows`` owns what C code often makes: a table of pointers, each to a row of its own. It exports
this through the buffer protocol, where a *suboffset* marks a pointer to follow.
"""

cimport cython
from cpython.buffer cimport PyBUF_FORMAT, PyBUF_INDIRECT
from cython cimport view
from libc.stdlib cimport free, malloc

cdef extern from *:
    """
    #define INDIRECT_DATA(slice) ((size_t) (slice).data)
    #define INDIRECT_SHAPE(slice, dim) ((slice).shape[dim])
    #define INDIRECT_STRIDE(slice, dim) ((slice).strides[dim])
    #define INDIRECT_SUBOFFSET(slice, dim) ((slice).suboffsets[dim])

    /* Takes the place of a C library that does not use Python. */
    static int **table_new(int rows, int columns) {
        int i, j;
        int **table = (int **) malloc(rows * sizeof(int *));
        for (i = 0; table && i < rows; i++) {
            table[i] = (int *) malloc(columns * sizeof(int));
            for (j = 0; table[i] && j < columns; j++) table[i][j] = 10 * i + j;
        }
        return table;
    }
    static long table_sum(int **table, int rows, int columns) {
        long total = 0;
        int i, j;
        for (i = 0; i < rows; i++)
            for (j = 0; j < columns; j++) total += table[i][j];
        return total;
    }
    """
    size_t INDIRECT_DATA(int[::view.indirect, :] slice)
    Py_ssize_t INDIRECT_SHAPE(int[::view.indirect, :] slice, int dim)
    Py_ssize_t INDIRECT_STRIDE(int[::view.indirect, :] slice, int dim)
    Py_ssize_t INDIRECT_SUBOFFSET(int[::view.indirect, :] slice, int dim)
    int **table_new(int rows, int columns)
    long table_sum(int **table, int rows, int columns) nogil


cdef char *INT_FORMAT = b"i"


cdef class Rows:
    """Owns a table of pointers to rows, and exports it."""

    cdef int **table
    cdef Py_ssize_t[2] shape
    cdef Py_ssize_t[2] strides
    cdef Py_ssize_t[2] suboffsets

    def __cinit__(self, int rows, int columns):
        self.table = table_new(rows, columns)
        if self.table == NULL:
            raise MemoryError
        self.shape[:] = [rows, columns]
        self.strides[:] = [sizeof(int *), sizeof(int)]
        self.suboffsets[0] = 0  # there is a pointer; follow it and add nothing
        self.suboffsets[1] = -1  # there is none

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        if flags & PyBUF_INDIRECT != PyBUF_INDIRECT:
            raise BufferError("the rows can only be reached through pointers")
        buffer.buf = self.table
        buffer.len = self.shape[0] * self.shape[1] * sizeof(int)
        buffer.itemsize = sizeof(int)
        buffer.format = INT_FORMAT if flags & PyBUF_FORMAT else NULL
        buffer.ndim = 2
        buffer.shape = self.shape
        buffer.strides = self.strides
        buffer.suboffsets = self.suboffsets
        buffer.readonly = 0
        buffer.obj = self
        buffer.internal = NULL

    def __dealloc__(self):
        cdef Py_ssize_t i
        if self.table != NULL:
            for i in range(self.shape[0]):
                free(self.table[i])
            free(self.table)

    def sum_in_c(self):
        """Hand the table to the C library."""
        return table_sum(self.table, <int> self.shape[0], <int> self.shape[1])

    def addresses(self):
        """Return where the table is, and where each row is."""
        return <size_t> self.table, [<size_t> self.table[i] for i in range(self.shape[0])]


@cython.boundscheck(False)
@cython.wraparound(False)
def item_indirect(int[::view.indirect, ::1] a, Py_ssize_t i, Py_ssize_t j):
    cdef int x = a[i, j]
    return x


@cython.boundscheck(False)
@cython.wraparound(False)
def item_direct(int[:, ::1] a, Py_ssize_t i, Py_ssize_t j):
    cdef int x = a[i, j]
    return x


@cython.boundscheck(False)
@cython.wraparound(False)
def item_generic(int[::view.generic, :] a, Py_ssize_t i, Py_ssize_t j):
    cdef int x = a[i, j]
    return x


@cython.boundscheck(False)
@cython.wraparound(False)
def item_pointer(Rows rows, Py_ssize_t i, Py_ssize_t j):
    cdef int **a = rows.table
    cdef int x = a[i][j]
    return x


cdef dict read(int[::view.indirect, :] a):
    return {
        "data": INDIRECT_DATA(a),
        "shape": [INDIRECT_SHAPE(a, dim) for dim in range(2)],
        "strides": [INDIRECT_STRIDE(a, dim) for dim in range(2)],
        "suboffsets": [INDIRECT_SUBOFFSET(a, dim) for dim in range(2)],
    }


def members(int[::view.indirect, :] a):
    """Return the members of the struct."""
    return read(a)


def members_of_part(int[::view.indirect, :] a):
    """Return the members of a slice: a row less at the top, a column less at the left."""
    return read(a[1:, 1:])


def as_object(int[::view.indirect, :] a):
    """Hand the view to Python."""
    return a


def row(int[::view.indirect, ::1] a, Py_ssize_t i):
    """Return row i, which is an ordinary contiguous view."""
    cdef int[::1] r = a[i]
    return r


def column(int[::view.indirect, ::1] a, Py_ssize_t j):
    """Return column j."""
    return a[:, j]


def double_all(int[::view.generic, :] a):
    """Change the elements in place, whatever the layout of the first dimension."""
    cdef Py_ssize_t i, j
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            a[i, j] *= 2


def sum_by_table(int[:, ::1] a):
    """Hand an ordinary array to C code that takes an ``int **``: make a table of its rows."""
    cdef Py_ssize_t i, n = a.shape[0]
    cdef int **table = <int **> malloc(n * sizeof(int *))
    if table == NULL:
        raise MemoryError
    try:
        for i in range(n):
            table[i] = &a[i, 0]
        return table_sum(table, <int> n, <int> a.shape[1])
    finally:
        free(table)


@cython.boundscheck(False)
@cython.wraparound(False)
def sum_indirect(int[::view.indirect, ::1] a):
    cdef long total = 0
    cdef Py_ssize_t i, j
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            total += a[i, j]
    return total


@cython.boundscheck(False)
@cython.wraparound(False)
def sum_generic(int[::view.generic, :] a):
    cdef long total = 0
    cdef Py_ssize_t i, j
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            total += a[i, j]
    return total


@cython.boundscheck(False)
@cython.wraparound(False)
def sum_direct(int[:, ::1] a):
    cdef long total = 0
    cdef Py_ssize_t i, j
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            total += a[i, j]
    return total
