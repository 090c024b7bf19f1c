"""A view of objects of one class: what is in the array is not checked."""


cdef class Counter:
    cdef long long count

    def __cinit__(self, long long count):
        self.count = count


def first_count(Counter[:] counters):
    return counters[0].count


def first_count_checked(object[:] counters):
    cdef Counter counter = counters[0]
    return counter.count
