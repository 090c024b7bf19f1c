# cython: language_level=3
# distutils: language = c++
"""One function for each thing of C++ that Cython wraps.

The tests read the C++ of every line; nothing here is compiled by a C++ compiler or run.
"""

from cython.operator cimport dereference as deref, preincrement
from libcpp cimport bool
from libcpp.map cimport map
from libcpp.memory cimport shared_ptr, unique_ptr
from libcpp.pair cimport pair
from libcpp.string cimport string
from libcpp.unordered_map cimport unordered_map
from libcpp.vector cimport vector


cdef extern from *:
    """
    struct Thing { int n; Thing(int n) : n(n) {} int twice() { return 2 * n; } int operator[](int i) { return i; } };
    """
    cdef cppclass Thing:
        int n
        Thing(int n) except +
        int twice() except +ValueError
        int operator[](int i) except +IndexError


cdef class Owner:
    cdef vector[double] values
    cdef Thing *thing

    def __cinit__(self, int n):
        self.values.resize(n)
        self.thing = new Thing(n)

    def __getitem__(self, Py_ssize_t i):
        return self.values[i]

    def view(self):
        cdef double[::1] a = <double[:self.values.size()]> self.values.data()
        a[0] = self.values[1]
        return a

    def __dealloc__(self):
        del self.thing


def vectors(list a, double[:] b, Py_ssize_t i):
    cdef vector[double] v = a
    v.push_back(1)
    v.push_back(b[i])
    v[i] = b[i]
    b[i] = v[0]
    b[i] = v.at(i)
    for x in v:
        b[0] += x
    return v, v.size(), v[i]


def iterators(vector[int] v):
    cdef vector[int].iterator it = v.begin()
    cdef int total = 0
    while it != v.end():
        total += deref(it)
        preincrement(it)
    return total


def things(int n):
    cdef Thing *t = new Thing(n)
    try:
        return t.twice() + t[0][3] + t.n
    finally:
        del t


def maps(dict d, str s):
    cdef map[int, double] m = d
    cdef unordered_map[string, int] u
    cdef string text = s.encode()
    cdef pair[int, double] p = pair[int, double](1, 2)
    m[3] = 1.5
    u[text] = 3
    text += b"more"
    return m, u, text, p, p.first


def pointers():
    cdef shared_ptr[Thing] s = shared_ptr[Thing](new Thing(3))
    cdef unique_ptr[Thing] u
    u.reset(new Thing(4))
    return deref(s).n + u.get().n


cdef double kernel(vector[double]& v, double[:] a) except * nogil:
    cdef double total = 0
    for i in range(a.shape[0]):
        total += v[i] * a[i]
    return total


def called(list a, double[:] b):
    cdef vector[double] v = a
    with nogil:
        total = kernel(v, b)
    return total
