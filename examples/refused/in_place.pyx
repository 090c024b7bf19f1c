"""In-place operators that views have only in part."""


def all_elements(double[:] a):
    a[:] += 1


def divided(int[:] a):
    a[0] //= 2


def objects(object[:] a):
    a[0] += 1
