"""Elements that are no plain numbers: bool, complex numbers, times, objects, text, records."""

from libc.stdint cimport int32_t, int64_t, uint8_t

cimport cython


def count_true(const uint8_t[:] a):
    """Count the true elements of a bool array: each is a byte, 0 or 1."""
    cdef Py_ssize_t n = 0
    for i in range(a.shape[0]):
        n += a[i]
    return n


def conjugate(double complex[:] a):
    """Negate the imaginary parts in place."""
    for i in range(a.shape[0]):
        a[i] = a[i].real - a[i].imag * 1j


def latest(const int64_t[:] a):
    """Return the greatest of some times, as the number that NumPy stores."""
    cdef int64_t result = a[0]
    for i in range(a.shape[0]):
        if a[i] > result:
            result = a[i]
    return result


def join(object[:] a):
    """Join strings: each element is a reference to a Python object."""
    cdef str text = ""
    for i in range(a.shape[0]):
        text += a[i]
    return text


def store(object[:] a, Py_ssize_t i, value):
    a[i] = value


cdef packed struct Code:
    char[3] text


def first_letters(const Code[:] a):
    """Return the first byte of each string of an array of dtype S3."""
    return bytes([a[i].text[0] for i in range(a.shape[0])])


def letters(char[:] a):
    """Return the bytes of an array of dtype S1."""
    return bytes([a[i] for i in range(a.shape[0])])


cdef packed struct Point:
    int32_t key
    double[2] place


def move(Point[:] points, double step):
    """Change a field that is an array, in each record."""
    cdef Py_ssize_t i
    for i in range(points.shape[0]):
        points[i].place[0] += step


def keys(Point[:] points):
    return [points[i].key for i in range(points.shape[0])]


def as_dict(Point[:] points):
    """Return a record: Cython makes a dictionary of it."""
    return points[0]


ctypedef fused real:
    float
    double


def name_of(real[:] a):
    """Return the name of the type that was chosen."""
    return "float" if real is float else "double"


def name_or_none(real[:] a=None, real[:] b=None):
    return "float" if real is float else "double"


def same_or_not(const real[:] a, const real[:] b):
    return "float" if real is float else "double"


@cython.boundscheck(False)
def total(const double[::1] a):
    cdef double result = 0
    for i in range(a.shape[0]):
        result += a[i]
    return result


def imaginary(float complex[:] a):
    """Add up the imaginary parts of single-precision numbers."""
    cdef float result = 0
    for i in range(a.shape[0]):
        result += a[i].imag
    return result
