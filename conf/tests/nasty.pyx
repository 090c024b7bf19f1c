# cython: language_level=3
# distutils: language=c++
"""A docstring
def no(): pass
"""
cimport cython

def a(s="(", t=':', u="""):
    """, v='\'', w="\\"): return s

class Plain: x = 1

class Outer:
    """
def no(self): pass
    """
    def m(self, d={"a": [1, 2], "b": lambda q: (q, ":")}, *args, e=f"{1:{2}}{"x"!r:>3}", **kw):
        def inner(x): return x
        return inner
    class Inner:
        async def n(self):
            async with self as y:
                pass
            return [z async for z in y]
        @staticmethod
        def o(): pass

    @property

    # between
    def p(self): return 1
    @p.setter
    def p(self, value):
        if value: pass
        else:
            pass
            # still in it
    # no longer
    @p.deleter
    def p(self): del self

cdef:
    int number = 1
    int block(int x) except? -1:
        return x
    struct Pair:
        int one
        int (*two)(int)
    class Held:
        cdef int n
        cdef int m(self): return 1
        cdef:
            int k(self) noexcept:
                return 2
    enum Colour:
        RED
    inline double twice(double x) noexcept nogil:
        return 2 * x

cdef public api:
    int shown(int x) except -1:
        return x

cdef extern from *:
    """
    #define def(x) x
    static int f(int x) { return x; }
    """
    int f(int x) nogil
    cdef cppclass Vector[T]:
        Vector() except +
        T& operator[](size_t)
        void clear()

cdef extern from "math.h" nogil:
    double sin(double x)

cdef cppclass Node:
    int value
    __init__(int v):
        this.value = v
    void grow(int by) nogil:
        this.value += by
    int get "get_it"() const:
        return this.value
    @staticmethod
    int make(int x): return x

ctypedef int (*callback)(int)
ctypedef struct Other:
    int x
ctypedef fused number_t:
    int
    double
cdef enum:
    ONE = 1
cpdef enum Two:
    TWO = (2)

cdef object x = lambda a, b=":": {a: b}
cdef int y = 1 if number else 2
cdef int *z, w

cdef class Ext:
    cdef int a
    cdef public object b
    property old:
        "Its doc: (open"
        def __get__(self): return 1
        def __set__(self, value):
            pass
    def __cinit__(self, *,
                  a=1,  # (
                  b="]"
                  ): pass
    cdef inline int c(self) except *: return 1
    cpdef object d(self, int x=(1), double[:, ::1] y=None):
        try:
            return x
        except* ValueError:
            pass
    @cython.boundscheck(False)
    @cython.locals(x=cython.int,
                   y=cython.int)
    cdef int e(self,
               int x) noexcept nogil: return x
    @staticmethod
    cdef Ext f(): return Ext()

if number:
    def under_if(): return """
)]}"""
elif False: pass
else:
    def under_else(
    ):
        pass

try:
    def under_try(): pass
except ValueError:
    def under_except(): pass
finally:
    with open(x) as h:
        for i in h:
            while i:
                def deep():
                    return 1

IF True:
    def chosen(): pass
ELSE:
    pass

cdef (int, (double, int)) pairs(int x):
    return x, (x, x)
cdef int (*pointed(int x))(double):
    return NULL
cdef const char * const_chars(const char *x) except NULL:
    return x
cdef unsigned long long int big(unsigned x): return x
cdef double complex complicated(double complex x): return x
cdef Vector[Vector[int]] nested(Vector[int] v): return v
cdef double[:, ::1] view(const double[:] a): return a
cdef Ext \
  continued (int a, \
             int b) \
  except *:
    return \
1
cdef api int with_api(object a): return a
cdef public int named "c_name" (int a) except? -1: return a
cdef void with_gil(int a) noexcept with gil:
    pass
cdef int __stdcall convention(int a) except -1: return a
cdef inline twice_untyped(x): return x
cpdef untyped(x): return x

def annotated(a: "x: (", b: dict[str, int] = {"k": 1}, /, c: int = 1) -> list[int]:
    x = [
 1, 2
]
    y = rb"""
\"""
""" + br'\' ' + Rb"\
"
    print(f'{x[0]:{y}}', rf"\{x}", f"{{}}", f"""{
x}
{y!r}""", f'{{{x}}}', F"{x:%Y: {y}}", "#", '# def no(): pass')
    match = 1
    match x:
        case [1, *_]:
            def in_case(): pass
        case {"a": (b), **rest} if b: pass
    match[0] = 1
    return y  # def no(): pass

def generator():
    x = yield
    yield from x

def semicolons(): x = 1; y = 2; return x

def tail():
    pass
	# a tab in a comment
  # indented
# not
