"""From ``.pyx`` to C, to a module, and to data about both: no Sphinx, no knowledge of any site.

The modules form one line; each imports only from those before it::

    config → names → extension → scanner → functions → example → artefact → process → diagnostics
           → cache → toolchain → store → variants → stage → fork_server → forks → translate
           → snapshot → dependencies → compile → builder → annotation → ctokens → ckinds → cparse
           → cparts → csource → assembly → timing → timing_worker → measure → results

They need the standard library, Cython and Pygments, so that the same code can run in a browser
worker.
"""
