"""Views as attributes of classes: a default, the way out to Python, and pickling."""

import numpy


cdef class Signal:
    """Holds a view, which is None if no values were given."""

    cdef double[:] values

    def __cinit__(self, double[:] values=None):
        self.values = values

    def __len__(self):
        return 0 if self.values is None else self.values.shape[0]

    @property
    def array(self):
        """The values as an array over the same memory, or None."""
        return None if self.values is None else numpy.asarray(self.values)

    def replace(self, double[:] values):
        """Hold another view."""
        self.values = values

    def __reduce__(self):
        """Pickle a copy of the values: a view cannot be pickled itself."""
        return Signal, (self.array,)


cdef class Plain:
    """The same without a method for pickling, and with the view open to Python."""

    cdef public double[:] values

    def __init__(self, double[:] values):
        self.values = values
