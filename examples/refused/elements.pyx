"""Elements that no view has: what is or contains a pointer, an enum, void."""

cdef struct Named:
    char *name

cdef enum Color:
    RED, GREEN


def structs(Named[:] a):
    pass


def enums(Color[:] a):
    pass


def untyped(void[:] a):
    pass
