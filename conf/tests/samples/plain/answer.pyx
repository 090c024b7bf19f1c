"""A number that a macro can change."""

cdef extern from *:
    """
    #ifndef ANSWER
    #define ANSWER 1
    #endif
    """
    int ANSWER


def answer():
    return ANSWER
