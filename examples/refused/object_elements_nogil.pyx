"""Elements that are Python objects need the GIL."""


def first(object[:] a):
    with nogil:
        a[0]
