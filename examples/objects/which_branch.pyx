"""Which branch of the object path does a type take? Watched while it happens.

The first two functions are those of ``object_items``. While one of the functions runs, functions
that record each call replace the type's own slots, and macros count how often this module calls
``PyObject_GetItem`` and ``PySequence_GetItem``. A macro that names itself is not expanded again, so
the counted call is the real one.
"""

cdef extern from *:
    """
    static long object_getitem_calls = 0;
    static long sequence_getitem_calls = 0;
    #define PyObject_GetItem(o, key) (object_getitem_calls++, PyObject_GetItem(o, key))
    #define PySequence_GetItem(o, i) (sequence_getitem_calls++, PySequence_GetItem(o, i))
    """
    long object_getitem_calls
    long sequence_getitem_calls


cdef extern from "Python.h":
    ctypedef object (*binaryfunc)(object, object)
    ctypedef object (*ssizeargfunc)(object, Py_ssize_t)
    ctypedef struct PyMappingMethods:
        binaryfunc mp_subscript
    ctypedef struct PySequenceMethods:
        ssizeargfunc sq_item
    ctypedef struct PyTypeObject:
        PyMappingMethods *tp_as_mapping
        PySequenceMethods *tp_as_sequence
    PyTypeObject *Py_TYPE(object)


cpdef item(a, Py_ssize_t i):
    return a[i]


cpdef item_2d(a, Py_ssize_t i, Py_ssize_t j):
    return a[i, j]


cpdef item_of_wide_index(a, unsigned long long i):
    """Take an index that may not fit into ``Py_ssize_t``."""
    return a[i]


cdef binaryfunc real_subscript
cdef ssizeargfunc real_item
cdef list seen = []


cdef object index_once(a, tuple index):
    if len(index) == 2:
        return item_2d(a, index[0], index[1])
    if index[0].bit_length() >= 8 * sizeof(Py_ssize_t):
        return item_of_wide_index(a, index[0])
    return item(a, index[0])


cdef object noting_subscript(object a, object key):
    seen.append("mp_subscript")
    return real_subscript(a, key)


cdef object noting_item(object a, Py_ssize_t i):
    seen.append("sq_item")
    return real_item(a, i)


def watch(a, *index):
    """Index ``a`` once and return what was called on the way, and the item.

    Returns a tuple: the slots of the type of ``a`` that were called, in order; how often
    ``PyObject_GetItem`` was called; how often ``PySequence_GetItem``; and the item.
    """
    global real_subscript, real_item, object_getitem_calls, sequence_getitem_calls
    cdef PyMappingMethods *mapping = Py_TYPE(a).tp_as_mapping
    cdef PySequenceMethods *sequence = Py_TYPE(a).tp_as_sequence
    real_subscript = mapping.mp_subscript if mapping != NULL else NULL
    real_item = sequence.sq_item if sequence != NULL else NULL
    seen.clear()
    object_getitem_calls = sequence_getitem_calls = 0
    if real_subscript != NULL:
        mapping.mp_subscript = noting_subscript
    if real_item != NULL:
        sequence.sq_item = noting_item
    try:
        result = index_once(a, index)
    finally:
        if real_subscript != NULL:
            mapping.mp_subscript = real_subscript
        if real_item != NULL:
            sequence.sq_item = real_item
    return tuple(seen), object_getitem_calls, sequence_getitem_calls, result


def last_calls():
    """Return how often the last watched access called each of the two API functions."""
    return object_getitem_calls, sequence_getitem_calls
