"""Calls of C functions in another module, which the C compiler cannot put inline."""

from kernels cimport first_of_pointer, first_of_view


cdef double first_here(double[::1] row):
    return row[0]


def views_here(double[:, ::1] table):
    cdef double result = 0
    cdef Py_ssize_t i
    for i in range(table.shape[0]):
        result += first_here(table[i])
    return result


def views_across(double[:, ::1] table):
    cdef double result = 0
    cdef Py_ssize_t i
    for i in range(table.shape[0]):
        result += first_of_view(table[i])
    return result


def pointers_across(double[:, ::1] table):
    cdef double result = 0
    cdef Py_ssize_t i
    for i in range(table.shape[0]):
        result += first_of_pointer(&table[i, 0], table.shape[1])
    return result
