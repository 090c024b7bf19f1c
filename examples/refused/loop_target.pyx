"""An element of a view cannot be the variable of a loop."""


def counted(int[:] a):
    for a[0] in range(3):
        pass
