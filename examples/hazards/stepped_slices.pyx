"""Slices with a step that have an element too many or too few, with every check on."""


def clear_inner(double[:] a):
    """Set every other element to zero, except for the first and the last one."""
    a[1:-1:2] = 0


def clear_inner_bounded(double[:] a):
    """The same, with a stop that is never smaller than the start."""
    a[1:max(1, a.shape[0] - 1):2] = 0


def from_to(double[:] a, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t step):
    return a[start:stop:step]


def backward(double[:] a, Py_ssize_t start):
    return a[start::-1]


def backward_to(double[:] a, Py_ssize_t stop):
    return a[:stop:-1]


def backward_at_once(double[:] a):
    return a[::-1]
