"""Settings of this site; what can be done with Cython is in the extension ``sphinx_cython``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from publishing import addresses
from sphinx_cython.core.config import Config, Profile

project = "Inside Cython Memoryviews"
author = "the Inside Cython Memoryviews authors"
copyright = f"2026, {author}"
release = "0.1.0"

extensions = ["myst_nb", "sphinx_cython", "publishing"]
exclude_patterns = ["tests"]
nitpicky = True
myst_enable_extensions = ["attrs_inline"]  # [a sentence]{#claim-name}, see publishing/claims.py
nb_execution_timeout = 60  # seconds for a cell, on however busy a machine

cython = Config(
    examples="../examples",
    cache="../build/cython",
    helpers=("pictures", "."),
    profiles=(
        Profile(
            "default",
            "as cythonize -i builds it, with utility code in a shared module",
            shared=True,
        ),
        Profile(
            "plain",
            "as cythonize -i builds it, with its own copy of the utility code",
            examples=(
                "objects/object_items",
                "inside/slice_struct",
                "acquiring/acquire",
                "setup/*",
                "memory/*",
            ),
        ),
        Profile(
            "unchecked",
            "boundscheck and wraparound off for the whole file",
            shared=True,
            directives=(("boundscheck", "False"), ("wraparound", "False")),
            examples=("indexing/view_items",),
        ),
        Profile(
            "O3",
            "with -O3, and loops placed at multiples of 64 bytes",
            flags=("-O3",),
            optional_flags=("-falign-loops=64",),
            shared=True,
            examples=("speed/*",),
        ),
        Profile(
            "aligned-loops",
            "with -O2, and loops placed at multiples of 64 bytes",
            optional_flags=("-falign-loops=64",),
            shared=True,
            examples=("buffers/*", "speed/*"),
        ),
        Profile(
            "openmp",
            "with OpenMP, where the C compiler has it",
            optional_flags=("-fopenmp",),
            shared=True,
            examples=("gil/parallel_rows", "hazards/race"),
        ),
        Profile(
            "no-type-slots",
            "forbidden to reach into type objects",
            macros=(("CYTHON_USE_TYPE_SLOTS", "0"),),
            examples=("objects/*",),
        ),
        Profile(
            "limited-api",
            "for the stable ABI of Python 3.11 and later",
            macros=(("Py_LIMITED_API", "0x030B0000"),),
            examples=("objects/object_items", "building/sum_of_view"),
        ),
    ),
)

html_theme = "furo"
html_title = project
html_baseurl = addresses.base_address()
html_favicon = "static/favicon.svg"
html_additional_pages = {addresses.NOT_FOUND: "404.html"}
html_theme_options = addresses.source_options()
html_static_path = ["static"]
html_css_files = [
    "pictures.css",
    "text.css",
    "code.css",
    "frame.css",
    "print.css",
    ("explorer.css", {}),  # a pair, so that it is not joined with the others
]
scripts = ("scrollable.js", "copy.js", "strides.js", "explorer.js")
html_js_files = [(name, {"defer": "defer"}) for name in scripts]
html_use_index = False  # nothing is indexed, so the page would be empty
# The counterpart of Furo's style for light pages: the same hue for the same word in both.
pygments_dark_style = "a11y-high-contrast-dark"
linkcheck_ignore = [r"[./]*examples\.zip$"]  # it is made with the site
templates_path = ["templates"]
