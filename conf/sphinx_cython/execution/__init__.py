"""Runs the cells of pages, as a Jupyter kernel would, without Sphinx.

The modules form one line; each imports only from those before it::

    request → recorder → outputs → shell → server → kernel → client → kept

``client`` is what others call. It keeps a ``server``: a process that has imported IPython and
NumPy, and that forks a child for every page, so that a page costs a fraction of what a kernel
costs, sees nothing of other pages, and can end in any way without harm. Where there is no
``fork``, each page gets a Jupyter kernel.
"""
