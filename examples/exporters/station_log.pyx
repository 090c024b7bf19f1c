"""Records of a binary log file, added up where they lie: in a file mapped into memory.

A record is 20 bytes: a time, the number of a station, and a measured value. The struct is packed,
so that it has no more bytes than the file, wherever a record happens to begin.
"""

from libc.stdint cimport int32_t, int64_t

import struct

import numpy

cdef packed struct Record:
    int64_t time
    int32_t station
    double value

FORMAT = struct.Struct("=qid")
DTYPE = numpy.dtype([("time", "=i8"), ("station", "=i4"), ("value", "=f8")])


def some_records(Py_ssize_t count):
    """Return the bytes of a log: the stations 0 to 9 take turns, the values count up."""
    cdef Py_ssize_t i
    log = bytearray()
    for i in range(count):
        log += FORMAT.pack(1_700_000_000 + i, i % 10, float(i))
    return bytes(log)


def total_in_place(const unsigned char[::1] log, int32_t station):
    cdef Py_ssize_t i, count = log.shape[0] // sizeof(Record)
    cdef const Record *records = <const Record *> &log[0] if count else NULL
    cdef double total = 0
    for i in range(count):
        if records[i].station == station:
            total += records[i].value
    return total


def total_of_records(const Record[:] records, int32_t station):
    cdef Py_ssize_t i
    cdef double total = 0
    for i in range(records.shape[0]):
        if records[i].station == station:
            total += records[i].value
    return total


def total_by_numpy(log, station):
    records = numpy.frombuffer(log, dtype=DTYPE)
    return records["value"][records["station"] == station].sum()


def total_by_struct(log, station):
    total = 0.0
    for _, where, value in FORMAT.iter_unpack(log):
        if where == station:
            total += value
    return total
