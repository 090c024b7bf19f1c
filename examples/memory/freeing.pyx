"""Who frees the memory behind a view, and when: every ``malloc`` and ``free`` is written down.

The macros at the top replace ``malloc`` and ``free`` in the whole C file, also in the code that
Cython adds for memoryviews, by functions that write the call down and make it. ``note`` writes a
line of the caller's own between them, and ``events`` reads the log.
"""

from cython cimport view
from libc.stdlib cimport free, malloc

cdef extern from *:
    """
    #include <stdlib.h>
    #define MOST_EVENTS 1000
    typedef struct { int is_free; const void *address; size_t size; int gil; } Event;
    static Event event_log[MOST_EVENTS];
    static int event_count = 0;

    static void write_event(int is_free, const void *address, size_t size) {
        if (event_count < MOST_EVENTS) {
            Event event = {is_free, address, size, PyGILState_Check()};
            event_log[event_count++] = event;
        }
    }
    static void *logged_malloc(size_t size) {
        void *address = malloc(size);
        write_event(0, address, size);
        return address;
    }
    static void logged_free(void *address) {
        write_event(1, address, 0);
        free(address);
    }
    #define malloc logged_malloc
    #define free logged_free
    """
    ctypedef struct Event:
        bint is_free
        const void *address
        size_t size
        bint gil
    Event *event_log
    int event_count


notes = []


def begin():
    """Start an empty log."""
    global event_count
    event_count = 0
    notes.clear()


def note(str text):
    """Write a line of one's own into the log."""
    notes.append((event_count, text))


def events():
    """Return the log, one line an event. Pieces of memory are called A, B, … in order."""
    cdef Event event
    cdef int number
    names = {}
    lines = []
    mallocs = 0
    for number in range(event_count + 1):
        lines += [f"# {text}" for place, text in notes if place == number]
        if number == event_count:
            break
        event = event_log[number]
        if event.is_free and event.address == NULL:
            lines.append("free(NULL)")
        elif event.is_free:
            # A name is used up, so that a second free of the same piece would show as "?".
            lines.append(f"free({names.pop(<size_t> event.address, '?')})")
        else:
            name = chr(ord("A") + mallocs)
            mallocs += 1
            names[<size_t> event.address] = name
            lines.append(f"malloc({event.size}) → {name}")
    return lines


def frees_with_gil():
    """Tell for each free whether the GIL was held."""
    return [bool(event.gil) for event in event_log[:event_count] if event.is_free]


def by_cython(Py_ssize_t n):
    """Cython allocates, and Cython frees."""
    cdef view.array owner = view.array(shape=(n,), itemsize=sizeof(double), format="d")
    cdef double[::1] a = owner
    a[:] = 0
    return a


cdef double *allocate(Py_ssize_t n) except NULL:
    cdef double *p = <double *> malloc(n * sizeof(double))
    cdef Py_ssize_t i
    if p == NULL:
        raise MemoryError
    for i in range(n):
        p[i] = i
    return p


def lent(Py_ssize_t n):
    """A cast without a callback: nothing frees the memory. ``lent_back`` does it by hand."""
    cdef double *p = allocate(n)
    cdef double[::1] a = <double[:n]> p
    return a


def lent_back(double[::1] a):
    """Free what ``lent`` left behind."""
    free(&a[0])


def given(Py_ssize_t n):
    """A cast with a callback: from here on the memory belongs to the array."""
    cdef double *p = allocate(n)
    cdef view.array owner = <double[:n]> p
    owner.callback_free_data = free
    return owner


def given_safely(Py_ssize_t n):
    """The same, if the cast may fail: then the array has not taken over the memory, and it is still ours."""
    cdef double *p = allocate(n)
    cdef view.array owner
    try:
        owner = <double[:n]> p
    except BaseException:
        free(p)
        raise
    owner.callback_free_data = free
    return owner


cdef void log_in_python(void *data) noexcept:
    note("the callback runs")
    free(data)


def given_to_python_code(Py_ssize_t n):
    """The callback may use Python objects."""
    cdef view.array owner = <double[:n]> allocate(n)
    owner.callback_free_data = log_in_python
    return owner


cdef void do_nothing(void *data) noexcept:
    note("the callback runs, and does not free")


def callback_on_own_memory(Py_ssize_t n):
    """A callback replaces Cython's own free, also for memory that Cython allocated."""
    cdef view.array owner = view.array(shape=(n,), itemsize=sizeof(double), format="d")
    owner.callback_free_data = do_nothing
    return owner


def replaced_without_gil(Py_ssize_t n, Py_ssize_t m):
    """The last view of the first memory goes while the GIL is released."""
    cdef double[::1] a = given(n)
    cdef double[::1] b = given(m)
    note("before")
    with nogil:
        a = b
    note("after")
    return a


def copied(double[::1] a):
    """Copy in Cython code: an array that Cython allocates, and frees."""
    return a.copy()


def own_array(Py_ssize_t n):
    """Make and drop an array with memory of its own (for timing)."""
    cdef view.array owner = view.array(shape=(n,), itemsize=sizeof(double), format="d")
    return owner


def only_malloc(Py_ssize_t n):
    """Allocate and free, and nothing else (for timing)."""
    cdef double *p = allocate(n)
    free(p)
