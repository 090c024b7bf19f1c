"""Adding, with nothing typed.

The second paragraph is no part of the summary.
"""


def add(a, b):
    return a + b


def add_three(a, b, c):
    return a + b + c
