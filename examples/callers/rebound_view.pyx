"""A view argument is not counted: if the call rebinds the attribute, the memory is freed.

``first_of_attribute`` reads memory that is no longer there. Do not call it in a process that you
need.
"""

import mmap


cdef class Pages:
    cdef unsigned char[:] view

    def __init__(self, exporter):
        self.view = exporter

    def drop(self):
        self.view = None

    cdef int first_after_drop(self, unsigned char[:] a):
        self.drop()
        return a[0]

    def first_of_attribute(self):
        return self.first_after_drop(self.view)

    def first_of_local(self):
        cdef unsigned char[:] view = self.view
        return self.first_after_drop(view)


def new_pages():
    """Return a view of memory that the operating system takes back when its exporter is freed."""
    return Pages(mmap.mmap(-1, mmap.PAGESIZE))
