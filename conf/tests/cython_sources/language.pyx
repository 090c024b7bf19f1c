# cython: language_level=3
"""One function for each thing of the language besides memoryviews.

The tests read the C of every line; nothing here is compiled by a C compiler or run.
"""

cimport cython
from libc.errno cimport errno
from libc.stdio cimport printf, sprintf

import os.path
from collections import OrderedDict as Ordered, namedtuple
from math import *

cdef extern from "math.h" nogil:
    double fabs(double x)
    double HUGE_VAL

cdef enum Colour:
    RED = 1
    GREEN

cpdef enum Shape:
    ROUND
    SQUARE = 5

cdef union Either:
    int number
    char[4] characters

ctypedef int (*Function)(int, void *) except -1

DEF_VALUE = 3
names = ["a", "b"]
table = {"a": 1, **dict(b=2)}


def arithmetic(a, b, int i, double x, long long n):
    c = a + b - a * b / a // b % a ** b
    c = a << 1 | b >> 2 & a ^ ~b
    c += a @ b
    c -= 1
    c = -a + +b
    c = not a
    c = i ** 3 + x ** 0.5 + x % 2 + i // 3 + n * 2
    c = divmod(i, 3), abs(i), abs(x), abs(a), round(x), pow(a, b), int(x), float(a), bool(a)
    return a + 1, 1 + a, a - 1, a * 2, a / 2, a // 2, a % 2, a & 1, a == 1, a != 2, a + 1.5, a == 1.0


@cython.overflowcheck(True)
def overflow(int a, int b, long long c, unsigned int d):
    return a + b, a * b, c - 1, d << 2, a + 3


@cython.cdivision(True)
def c_division(int a, int b, double x):
    return a / b, a % b, x / b


def comparisons(a, b, str s, int i, bytes c, char *p):
    if a == b and s == "text" or c == b"bytes":
        return a < b < i
    if s in ("a", "b") or a in b or a not in b or a is None or s is not None:
        return s != "x"
    if i in (1, 2, 3) and p == b"x":
        return not a
    return a <= b, a > b, s == a, "x" in s, i == a


def strings(a, str s, bytes b, int i, double x, Py_UCS4 c, unicode u):
    c = s[i]
    u = "x" + s + u * 3
    u += "y"
    s = f"{a} {i:>10} {x:.3f} {a!r} {s} {i} {c}"
    s = "%s and %d" % (a, i)
    s = "{}".format(a)
    s = s.join([s, u]).strip().upper().replace("a", "b")
    s = s.encode("utf-8").decode("latin-1")
    b = b + b"x" * 3
    b = s.encode()
    return s.startswith("a"), s.find("b"), s.split(","), len(s), ord(c), chr(i), str(a), repr(a), b[0], c.isdigit(), s.lower(), bytes(a), s.isalpha(), s[1:], s[::2]


def c_strings(char *p, const unsigned char *q, Py_ssize_t n):
    cdef bytes made = p[:n]
    cdef str text = p.decode("ascii")
    text = q[:n].decode("utf-8")
    printf("%d\n", <int> n)
    return made, text, p, p[0], len(p), made.decode()


def containers(a, int i, double x, list items, dict d, set s, tuple t):
    made = [a, i, x], (a, i), {a, i}, {a: i, "x": x}, [], {}, (), (1, 2, "three")
    items.append(a)
    items.append(i)
    items.extend(a)
    items.extend((1, a))
    items.pop()
    items.pop(0)
    items.insert(0, a)
    items.sort()
    items.reverse()
    d["x"] = a
    d.get("x")
    d.get("x", 1)
    d.setdefault("x", [])
    d.update(a)
    d.pop("x")
    d.copy()
    s.add(a)
    s.discard(a)
    s.update(a)
    a.append(1)
    a.pop()
    del d["x"], items[0], a[i]
    first, *rest = a
    (x, y), z = a
    u, v = t
    return items[0], items[-1], items[i], t[0], t[i], d[a], items + items, items * 2, [*a, 1], (*a, 2), {**d}, list(a), tuple(a), set(a), frozenset(a), dict(a), len(items), len(d), len(a), a in d, a in s, sorted(a), reversed(items), sum(a), any(a), all(a), zip(a, a), map(str, a), slice(1, 2), items[1:2], t[1:], a[1:2], len(t), enumerate(a)


def attributes(a, value):
    a.name = value
    del a.other
    getattr(a, "x")
    getattr(a, "x", None)
    hasattr(a, "x")
    setattr(a, "x", 1)
    delattr(a, "y")
    a.count += 1
    a.method()
    a.method(1)
    a.method(1, value)
    a.method(*value)
    a.method(x=value)
    return a.name.other, a.__class__, type(a), isinstance(a, int), isinstance(a, (list, tuple)), issubclass(a, value), callable(a), id(a), hash(a), iter(a), next(a), next(a, None), vars(a), dir(a), isinstance(a, value)


def calls(f, *args, **kwargs):
    f()
    f(1)
    f(1, 2, 3)
    f(*args)
    f(1, *args, **kwargs)
    f(x=1, y=2)
    f(1, x=2)
    len(args)
    print(f, end="")
    return undefined_name, Ordered(), os.path.join("a", "b"), sqrt(2), globals(), locals(), open("x")


def loops(a, int n, list items, dict d, str s, bytes b, tuple t, set u, char *p):
    cdef int i
    cdef char c
    total = 0
    for i in range(n):
        if i == 3:
            continue
        elif i == 5:
            break
    else:
        total = 1
    for x in a:
        total += x
    for x in items:
        total += x
    for x in t:
        total += x
    for x in u:
        total += x
    for x in d:
        total += x
    for x, y in d.items():
        total += y
    for x in d.values():
        total += x
    for x, y in zip(a, items):
        total += x
    for j, x in enumerate(items, 1):
        total += j
    for x in reversed(items):
        total += x
    for x in s:
        print(x)
    for x in b:
        total += x
    for c in p[:n]:
        total += c
    for i from 0 <= i < n by 2:
        total += i
    for x in range(a):
        total += x
    for x in (1, 2, 3):
        total += x
    while n:
        n -= 1
    while True:
        if a:
            break
    return [x for x in a if x], {x for x in a}, {x: 1 for x in a}, (x for x in a), [i for i in range(n)], any(x for x in a)


def exceptions(a):
    try:
        a()
    except ValueError as error:
        raise RuntimeError("text") from error
    except (KeyError, IndexError):
        raise
    except Exception:
        pass
    except:
        return 1
    else:
        a(1)
    finally:
        a(2)
    assert a, "text"
    assert a > 1
    raise ValueError
    raise ValueError(f"{a}")


def returns_in_finally(a):
    try:
        return a()
    finally:
        a.close()


def loop_with_finally(a):
    for x in a:
        try:
            if x:
                continue
            break
        finally:
            a.step()


def groups(a):
    try:
        a()
    except* ValueError as error:
        print(error)


def context(a):
    with a as b:
        b.work()
    with a, a() as c:
        return c


def generator(a, int n):
    cdef int i
    for i in range(n):
        received = yield i
        print(received)
    yield from a
    try:
        yield 1
    except GeneratorExit:
        return 3
    finally:
        a.close()


def closure(a, int n):
    count = 0
    def inner(b, *, c=1, d: int = 2):
        nonlocal count
        count += n
        return a + b + c
    lam = lambda x, y=n: x + y + count
    return inner, lam


def decorated(f):
    @f
    @f(1)
    def inner():
        return 1
    class Inner(f, metaclass=type):
        """A class."""
        x = 1
        def method(self):
            return super().method() + __class__.x
    return inner, Inner


async def coroutine(a):
    await a
    async with a as b:
        await b
    async for c in a:
        yield c
    result = [x async for x in a]
    print(result)


cdef int c_function(int a, object b) except? -1:
    if a < 0:
        raise ValueError(a)
    return a + b


cdef inline double quick(double x) noexcept nogil:
    return fabs(x) + HUGE_VAL


cpdef double both(double x, int n=3) except? -1:
    return x * n + c_function(n, x)


cdef void nothing() except *:
    print("nothing")


cdef int with_gil(int a) noexcept with gil:
    return a + len(str(a))


cdef int call_back(int a, void *data) except -1:
    (<object> data)(a)
    return 0


cdef (int, double) c_tuple(int a):
    return a, 1.5


def c_things(int a, object o):
    cdef Function f = call_back
    cdef Either either
    cdef Colour colour = RED
    cdef (int, double) pair = c_tuple(a)
    cdef int *p = &a
    cdef void *v = <void *> o
    cdef object back = <object> v
    cdef int[3] few = [1, 2, 3]
    cdef int[2][3] table = [[1, 2, 3], [4, 5, 6]]
    cdef double complex z = 1 + 2j
    cdef bint flag = o
    cdef char c = o
    cdef unsigned long big = o
    cdef size_t size = sizeof(int)
    cdef const char *text = "text"
    f(a, v)
    either.number = 3
    either.characters[0] = 65
    errno = 3
    x, y = pair
    p[0] = few[1] + table[1][2]
    p += 1
    z *= z
    few[0], few[1] = few[1], few[0]
    return pair, few, z, flag, c, big, size, colour, ROUND, Shape.SQUARE, either, text, c_function(1, o), both(1.5), z.real, pair[0], <Holder?> o, <list?> o, <double> o


def without_gil(int n, double x):
    cdef int i
    with nogil:
        for i in range(n):
            x += quick(x)
        if x > 3:
            with gil:
                print(x)
        c_nogil(i)
    return x


cdef int c_nogil(int a) except -1 nogil:
    if a == 3:
        raise ValueError("three")
    return 0


cdef class Holder:
    """A class."""

    cdef int number
    cdef public object value
    cdef readonly double measured
    cdef list items
    cdef Holder parent
    cdef object __weakref__
    cdef dict __dict__
    kept = 3

    def __cinit__(self, *args):
        self.number = 1

    def __init__(self, value, Holder parent=None):
        self.value = value
        self.items = [value]
        self.parent = parent

    def __dealloc__(self):
        print("gone")

    def __add__(self, other):
        return self.number + other

    def __radd__(self, other):
        return other

    def __iadd__(self, int other):
        self.number += other
        return self

    def __richcmp__(self, other, int op):
        return op == 2

    def __len__(self):
        return self.number

    def __getitem__(self, key):
        return self.items[key]

    def __contains__(self, key):
        return key in self.items

    def __iter__(self):
        return iter(self.items)

    def __next__(self):
        raise StopIteration

    def __call__(self, a, *, b=1):
        return self.method(a) + self.c_method(b)

    def __getattr__(self, name):
        raise AttributeError(name)

    def __repr__(self):
        return f"Holder({self.number})"

    def __hash__(self):
        return self.number

    def __bool__(self):
        return self.number > 0

    cpdef method(self, a):
        return self.parent.method(a)

    cdef int c_method(self, int a) except -1:
        return self.parent.c_method(a) + self.number

    @property
    def double_number(self):
        return 2 * self.number

    @double_number.setter
    def double_number(self, int value):
        self.number = value // 2

    @staticmethod
    def static(a):
        return a

    @classmethod
    def of(cls, a):
        return cls(a)

    @staticmethod
    cdef Holder make(int number):
        cdef Holder made = Holder.__new__(Holder)
        made.number = number
        return made


cdef class Derived(Holder):
    cpdef method(self, a):
        return super(Derived, self).method(a)

    cdef int c_method(self, int a) except -1:
        return Holder.c_method(self, a)


@cython.freelist(8)
@cython.final
cdef class Small:
    cdef int x


@cython.dataclasses.dataclass
cdef class Data:
    x: int
    y: float = 1.5


def imports():
    import json
    from os import path as p
    from . import sibling
    import xml.dom as d
    return json, p, sibling, d


def matched(a):
    match a:
        case 1 | 2:
            return "number"
        case [x, y]:
            return x
        case {"k": v}:
            return v
        case str():
            return a
        case _:
            return None


def switch(int a):
    if a == 1:
        return "one"
    elif a == 2 or a == 3:
        return "two"
    else:
        return "many"


def conditional(a, b, int i):
    x = a if b else i
    y = a or b
    z = a and b or i
    if (w := a()) is not None:
        return w
    return x, y, z, i if a else None


def deleted(a):
    del a
    global names
    del names


@cython.profile(True)
def profiled(a):
    return a + 1


@cython.linetrace(True)
@cython.binding(False)
def traced(int a):
    return a


def critical(list a):
    with cython.critical_section(a):
        a[0] = 1


def defaults(a, int b=3, double c=1.5, *, str d="x", e=None):
    return a, b, c, d, e


def argument_types(int a, long b, unsigned char c, float d, double complex e, bint f, str g, list h, Holder i, bytes j, char *k, object l not None, tuple m, Py_ssize_t n):
    return a, b, c, d, e, f, g, h, i, j, k, l, m, n


def numbers(int a, long b, unsigned char c, float d, double complex e, bint f, Py_ssize_t n, unsigned long long u, short s, size_t z):
    o = a, b, c, d, e, f, n, u, s, z
    a, b, c, d, e, f, n, u, s, z = o
    return o
