"""The type of the index, on an untyped object: which function does ``a[i]`` call?

The sums differ in how the index is declared, and add C doubles. The functions below them have
other kinds of index.
"""


def sum_c_index(a):
    cdef double x, total = 0
    cdef Py_ssize_t i
    for i in range(len(a)):
        x = a[i]
        total += x
    return total


def sum_object_index(a):
    cdef double x, total = 0
    cdef object i
    for i in range(len(a)):
        x = a[i]
        total += x
    return total


def sum_inferred_index(a):
    cdef double x, total = 0
    for i in range(len(a)):
        x = a[i]
        total += x
    return total


def last_of_inferred(a, count):
    """The index is used in arithmetic, which could overflow a C integer."""
    item = None
    for i in range(count):
        item = a[i + 1]
    return item


def item_of_wide_index(a, unsigned long long i):
    return a[i]


def part(a, Py_ssize_t i, Py_ssize_t j):
    return a[i:j]


def value_of_key(a, str key):
    return a[key]


def value_at_point(a):
    return a[1, 0]
