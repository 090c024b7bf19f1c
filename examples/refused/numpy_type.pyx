"""``numpy.float64`` is a Python object, and no C type."""

import numpy as np


def first(np.float64[:] a):
    return a[0]
