"""Which declarations take an array: one function for each, called only to see what happens.

``taken`` tries them all and returns the message of each that refuses.
"""

from cython cimport view


def one(const double[:] a):
    pass


def one_c(const double[::1] a):
    pass


def two(const double[:, :] a):
    pass


def two_c(const double[:, ::1] a):
    pass


def two_f(const double[::1, :] a):
    pass


def three(const double[:, :, :] a):
    pass


def three_c(const double[:, :, ::1] a):
    pass


def three_f(const double[::1, :, :] a):
    pass


def through_pointers(const double[::view.indirect, :] a):
    pass


def through_pointers_c(const double[::view.indirect, ::1] a):
    pass


DECLARATIONS = {
    "double[:]": one,
    "double[::1]": one_c,
    "double[:, :]": two,
    "double[:, ::1]": two_c,
    "double[::1, :]": two_f,
    "double[:, :, :]": three,
    "double[:, :, ::1]": three_c,
    "double[::1, :, :]": three_f,
    "double[::view.indirect, :]": through_pointers,
    "double[::view.indirect, ::1]": through_pointers_c,
}


def taken(a):
    """Return the declarations that take a buffer, and the message of each that does not."""
    found, refused = [], {}
    for declaration, function in DECLARATIONS.items():
        try:
            function(a)
        except (ValueError, BufferError) as error:
            refused[declaration] = str(error)
        else:
            found.append(declaration)
    return found, refused
